"""Who is at the other end of a request, behind proxies of one's own.

What belongs here: reading an address. It serves to tell a crowd from a flood and is kept nowhere.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# What one subscriber has of IPv6 at least (RFC 6177), so that its addresses are one client.
SUBSCRIBER_BITS = 64
# More proxies of one's own than this stand behind one another nowhere.
MOST_HOPS = 20
# Nobody on the web has such an address: this machine, private networks, links (RFC 1918, 3927, 4193, 4291, 6598).
PRIVATE = tuple(
    ip_network(written)
    for written in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "100.64.0.0/10",
        "fc00::/7", "fe80::/10", "::1/128",
    )
)  # fmt: skip


def client_of(peer: str | None, forwarded: Sequence[str], proxies: Sequence[Network]) -> str | None:
    """The client as one key: an IPv4 address, or the /64 of an IPv6 one; None where nothing tells it from others.

    A proxy adds the address that it was called from at the end of ``X-Forwarded-For``; what stands before that came
    with the request and may be anything. So the list is read from its end, and believed only as far as proxies of
    one's own wrote it.

    Args:
        peer: the other end of the connection.
        forwarded: values of the header ``X-Forwarded-For``, in order.
        proxies: networks of one's own proxies. An address of a private network that is not among them is a proxy
            that nobody named: of its readers nothing is known.

    >>> from ipaddress import ip_network
    >>> client_of("127.0.0.1", ["6.6.6.6, 203.0.113.9"], [ip_network("127.0.0.1")])
    '203.0.113.9'
    >>> client_of("2001:db8:1:2:3::4", ["6.6.6.6"], [])
    '2001:db8:1:2::/64'
    """
    hops = [hop for value in forwarded for hop in value.split(",")][-MOST_HOPS:]
    for hop in [*hops, peer or ""][::-1]:
        address = _address(hop)
        if address is None:
            return None
        if not _lies_in(address, proxies):
            return None if _lies_in(address, PRIVATE) else _key(address)
    return None


def _lies_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _address(written: str) -> Address | None:
    """An address as proxies write it, some with a port; an IPv4 address in the clothes of IPv6 is one of IPv4."""
    text = written.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _key(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    return str(IPv6Network((address, SUBSCRIBER_BITS), strict=False))
