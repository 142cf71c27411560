"""Connections for fetching: a host is looked up once, each of its addresses is judged, and to one of them it connects.

Between a look-up for the judgement and another for the connection a name could change its mind (DNS rebinding);
here there is one look-up per connection. All a connection does ends with a deadline (`resources.deadline_streams`).
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpcore

from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.deadline_streams import DeadlineStream, connect_to_one, time_left

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Every address of a host.
Resolve = Callable[[str, int], list[str]]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# What ipaddress takes for global and is not, or no longer: addresses that stand for IPv4 ones in older ways (RFC 4291
# 2.5.5.1, RFC 2765 2.1), a network's own NAT64 (RFC 8215), sites (RFC 3879), segment identifiers (RFC 9602), relays of
# 6to4 (RFC 7526), documentation (RFC 9637).
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "fec0::/10", "5f00::/16", "192.88.99.0/24", "3fff::/20",
    )
)  # fmt: skip


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, by the machine's own resolver.

    Raises:
        OSError: there is none, or the resolver does not answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class Allowance:
    """Hosts and networks of one's own that may be asked though they are private."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "Allowance":
        """Read the entries of REJOINDER_FETCH_ALLOW: names of hosts, addresses, networks.

        Raises:
            ConfigInvalid: an entry with a slash is no network.
        """
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                if "/" in entry:
                    raise ConfigInvalid(f"REJOINDER_FETCH_ALLOW: {entry} is no network") from None
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def permits(self, host: str, address: Address) -> bool:
        """Whether the host, or the address it has, was named."""
        return host.lower() in self.hosts or any(
            address.version == network.version and address in network for network in self.networks
        )


def is_public(address: Address) -> bool:
    """Whether an address belongs to the open network; those that carry another inside are judged by both.

    >>> is_public(ipaddress.ip_address("93.184.215.14")), is_public(ipaddress.ip_address("::ffff:127.0.0.1"))
    (True, False)
    """
    if address.is_multicast or not address.is_global or any(address in network for network in _NOT_PUBLIC):
        return False
    inner = _carried(address)
    return inner is None or is_public(inner)


def _carried(address: Address) -> Address | None:
    """The IPv4 address inside an IPv6 one."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


@dataclass(frozen=True, slots=True)
class GuardedNetwork(httpcore.NetworkBackend):
    """Connects to public addresses and to what is allowed, to nothing else; until_s is on the monotonic clock."""

    allowance: Allowance
    until_s: float
    lookup: Resolve = resolve
    inner: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        """Connect to one of the host's addresses, all of which were judged.

        Raises:
            InputUnreadable: an address is private.
            httpcore.ConnectError: the host has no address, or none answers.
        """

        def connect(address: str, left_s: float) -> httpcore.NetworkStream:
            stream = self.inner.connect_tcp(address, port, left_s, local_address, socket_options)
            return DeadlineStream(stream, self._left)

        return connect_to_one(self._judged(host, port), connect, self._left)

    def _judged(self, host: str, port: int) -> list[str]:
        try:
            addresses = self.lookup(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the host is not known ({type(error).__name__})") from None
        for text in addresses:
            address = ipaddress.ip_address(text.partition("%")[0])
            if not (self.allowance.permits(host, address) or is_public(address)):
                raise InputUnreadable(
                    f"{host} is a private address; REJOINDER_FETCH_ALLOW lets servers of your own be asked"
                )
        return addresses

    def _left(self, at_most_s: float | None, error: type[Exception]) -> float:
        return time_left(self.until_s, at_most_s, error)

    def sleep(self, seconds: float) -> None:
        """Wait; part of the interface."""
        self.inner.sleep(seconds)
