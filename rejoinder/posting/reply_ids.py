"""Which reply a person means: the platform's id out of a pasted address or id."""

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.post import Platform


class ReplyId(NamedTuple):
    """The platform's id of a reply and its address; url is None where only an id was given."""

    platform_id: str
    url: str | None


_HOSTS: dict[Platform, tuple[str, ...]] = {"x": ("x.com", "twitter.com"), "reddit": ("reddit.com",)}
_PATHS: dict[Platform, re.Pattern[str]] = {
    "x": re.compile(r"/(?:i/web|[A-Za-z0-9_]{1,50})/status(?:es)?/([0-9]{1,19})(?:/.*)?"),
    "reddit": re.compile(r"(?:/(?:r|user)/[^/]+)?/comments/[0-9a-z]+/[^/]*/([0-9a-z]{1,13})/?"),
}
_IDS: dict[Platform, re.Pattern[str]] = {
    "x": re.compile(r"([0-9]{1,19})"),
    "reddit": re.compile(r"t1_([0-9a-z]{1,13})"),
}
_EXAMPLES: dict[Platform, str] = {
    "x": "https://x.com/NAME/status/123 or 123",
    "reddit": "https://www.reddit.com/r/NAME/comments/abc/title/def/ or t1_def",
}


def parse_reply_id(platform: Platform, given: str) -> ReplyId:
    """The reply that a person posted by hand, from its address or its bare id.

    Reddit's ids are given as fullnames, ``t1_...``; its share links (``/s/...``) do not hold the id.

    Raises:
        DecisionInvalid: neither can be read from it; the message shows both forms.

    >>> parse_reply_id("x", "https://x.com/ada/status/20?s=20").platform_id
    '20'
    >>> parse_reply_id("reddit", "https://old.reddit.com/r/solar/comments/1abc/why/k2x9/").platform_id
    't1_k2x9'
    """
    given = given.strip()
    if platform not in _IDS:
        return _of_other(given)
    prefix = "t1_" if platform == "reddit" else ""
    if bare := _IDS[platform].fullmatch(given):
        return ReplyId(prefix + bare[1], None)
    found = _in_address(platform, given)
    if found is None:
        raise DecisionInvalid(f"{given[:80]!r} does not name a reply: paste {_EXAMPLES[platform]}")
    return ReplyId(prefix + found, given)


def _of_other(given: str) -> ReplyId:
    # A platform of another package: an id as it is, or the last part of an address.
    address = given if given.startswith(("https://", "http://")) else None
    found = urlsplit(given).path.rstrip("/").rpartition("/")[2] if address else given
    if not re.fullmatch(r"[\w:.-]{1,200}", found):
        raise DecisionInvalid(f"{given[:80]!r} does not name a reply: paste its id or its address")
    return ReplyId(found, address)


def _in_address(platform: Platform, given: str) -> str | None:
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    host = parts.hostname or ""
    if parts.scheme not in {"http", "https"} or not any(_is_within(host, own) for own in _HOSTS[platform]):
        return None
    found = _PATHS[platform].fullmatch(parts.path)
    return found[1] if found else None


def _is_within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")
