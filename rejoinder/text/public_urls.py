"""Addresses as people may see them: without the passwords and keys that some carry."""

from ipaddress import ip_address
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import regex

# Names of query parameters that let their holder in: private feeds and signed links have them.
_SECRET_NAME = regex.compile(
    r"(?i)(?:token|auth|sig|signature|secret|password|passwd|pwd|key|credential|session|hmac|policy|jwt)(?:$|[-_])"
)
_PRIVATE_NAMES = (".localhost", ".local", ".home.arpa", ".internal", ".lan")
# A value so long and so mixed is a key, whatever its name.
_SECRET_VALUE = regex.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9_\-+/=.]{32,}")


def public_url(url: str) -> str:
    """The address without user, password, fragment and query parameters that look like a key.

    For pages, logs, messages and citations; what it leaves out is still needed to fetch. A key that is a part of
    the path cannot be told from any other path.

    >>> public_url("https://ann:pw@pod.example/feed.xml?show=7&token=abc#top")
    'https://pod.example/feed.xml?show=7'
    """
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    host = f"[{host}]" if ":" in host else host
    shown = [(name, value) for name, value in parse_qsl(parts.query) if not _is_secret(name, value)]
    kept = parts.query if shown == parse_qsl(parts.query) else urlencode(shown, quote_via=quote)
    return urlunsplit((parts.scheme.lower(), f"{host}{port}", parts.path, kept, ""))


def has_secret(url: str) -> bool:
    """Whether the address carries something that `public_url` leaves out, the fragment aside.

    >>> has_secret("https://pod.example/feed.xml?api_key=1"), has_secret("https://pod.example/feed.xml#part")
    (True, False)
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return True
    return "@" in parts.netloc or any(_is_secret(name, value) for name, value in parse_qsl(parts.query))


def is_public(url: str) -> bool:
    """Whether everybody may open the address, as far as it shows: of the web, without a key, not of a private network.

    Names for private use: RFC 6761 (``localhost``), RFC 6762 (``local``), RFC 8375 (``home.arpa``), and ``internal``,
    which ICANN reserved in 2024. Whether it answers is not looked at.

    >>> is_public("https://pod.example/1"), is_public("http://192.168.0.7/1"), is_public("https://nas.local/1")
    (True, False, False)
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    if parts.scheme not in ("http", "https") or not host or has_secret(url):
        return False
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_PRIVATE_NAMES)


def _is_secret(name: str, value: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _SECRET_VALUE.fullmatch(value))
