"""Where the links are in a text, by the rules of twitter-text (X counts every link as 23).

A link is what X makes one of, with or without ``https://``. Without a scheme only an ASCII host
counts. The list of top-level domains is that of the Public Suffix List (package publicsuffixlist).
Source: twitter-text, ``extractUrlsWithIndices`` and its regular expressions (Apache-2.0).
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

import regex
from publicsuffixlist import PublicSuffixList


class Link(NamedTuple):
    """A link's half-open span of characters."""

    start: int
    end: int


_INVALID = "\ufffe\ufeff\uffff"
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_SPACES = "\u0009-\u000d\u0020\u0085\u00a0\u1680\u180e\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_PUNCTUATION = r"!'#%&()*+,\\\-./:;<=>?@\[\]^_{|}~$"
_LATIN = (
    "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
    "\u0253\u0254\u0256\u0257\u0259\u025b\u0263\u0268\u026f\u0272\u0289\u028b\u02bb"
    "\u0300-\u036f\u1e00-\u1eff"
)
_HOST_CHAR = f"[^{_PUNCTUATION}{_SPACES}{_INVALID}{_DIRECTION}]"
_SUBDOMAIN = rf"(?:(?:{_HOST_CHAR}(?:[_-]|{_HOST_CHAR})*)?{_HOST_CHAR}\.)"
_NAME = rf"(?:(?:{_HOST_CHAR}(?:-|{_HOST_CHAR})*)?{_HOST_CHAR}\.)"
_TLD = r"(?:(?:\L<tlds>)(?=[^0-9a-zA-Z@+-]|$)|xn--[\-0-9a-z]+)"
_PATH_CHAR = rf"[a-z\u0400-\u04ff0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&{_LATIN}]"
_PARENS = rf"\((?:{_PATH_CHAR}+|(?:{_PATH_CHAR}*\({_PATH_CHAR}+\){_PATH_CHAR}*))\)"
_PATH_END = rf"(?:[+\-a-z\u0400-\u04ff0-9=_#/{_LATIN}]|(?:{_PARENS}))"
_PATH = rf"(?:(?:{_PATH_CHAR}*(?:{_PARENS}{_PATH_CHAR}*)*{_PATH_END})|(?:@{_PATH_CHAR}+/))"
_QUERY = r"[a-z0-9!?*'@();:&=+$/%#\[\]\-_.,~|]*[a-z0-9\-_&=#/]"
_BEFORE = rf"(?:[^A-Za-z0-9@＠$#＃{_INVALID}]|[{_DIRECTION}]|^)"
_HOST = rf"{_BEFORE}(?P<url>(?P<scheme>https?://)?(?P<host>{_SUBDOMAIN}{{0,16}}{_NAME}{_TLD}))"
_TAIL = regex.compile(rf"(?::[0-9]+)?(?P<path>/{_PATH}*)?(?:\?{_QUERY})?", regex.IGNORECASE)
_RUN = regex.compile(rf"(?:{_HOST_CHAR}|[_-])++(?:\.(?:{_HOST_CHAR}|[_-])++)*+")
_DOT_BEFORE_LETTER = regex.compile(r"\.[^\W\d_]")  # every top-level domain begins with a letter
_TCO = regex.compile(r"^https?://t\.co/([a-z0-9]+)(?:\?" + _QUERY + r")?", regex.IGNORECASE)
_MAX_LINK, _MAX_TCO_SLUG = 4096, 40
_MAX_RUN = 500  # characters that could be a host; the DNS allows 253, and the search is quadratic in it


class _Patterns(NamedTuple):
    host: regex.Pattern[str]
    ascii_host: regex.Pattern[str]
    tld: regex.Pattern[str]


@lru_cache(maxsize=1)
def top_level_domains() -> frozenset[str]:
    """Every top-level domain of the Public Suffix List, in Unicode and in punycode, lower case."""
    listed = PublicSuffixList(only_icann=True)
    suffixes = (entry.rpartition(".")[2] for entry in listed._publicsuffix)
    return frozenset(suffix for suffix in suffixes if suffix and suffix != "*")


@lru_cache(maxsize=1)
def _patterns() -> _Patterns:
    tlds = sorted(top_level_domains(), key=len, reverse=True)
    sources = (_HOST, rf"(?:(?:[\-a-z0-9{_LATIN}]+)\.)+{_TLD}", rf"{_HOST_CHAR}\.{_TLD}")
    return _Patterns(*(regex.compile(source, regex.IGNORECASE, tlds=tlds) for source in sources))


def find_links(text: str) -> list[Link]:
    """Spans of the links in a text, in order, not overlapping.

    Source: twitter-text ``extractUrlsWithIndices``, with ``extractUrlsWithoutProtocol``.

    >>> [("see example.com/a and https://t.co/x1.")[start:end] for start, end in
    ...  find_links("see example.com/a and https://t.co/x1.")]
    ['example.com/a', 'https://t.co/x1']
    """
    if not _DOT_BEFORE_LETTER.search(text):
        return []
    links: list[Link] = []
    for run in _RUN.finditer(text):
        end = links[-1].end if links else 0
        # Most runs are plain words: looking for the dot first spares them the search for a top-level domain.
        has_dot = text.find(".", run.start(), run.end()) >= 0
        if has_dot and run.end() > end and _patterns().tld.search(text, run.start(), run.end() + 1):
            links.extend(_links_in_run(text, run, end))
    return links


def _links_in_run(text: str, run: regex.Match[str], not_before: int) -> Iterator[Link]:
    """Links whose host lies in one unbroken run of characters that a host may have."""
    if run.end() - run.start() > _MAX_RUN and run[0].isascii():
        return
    position = max(not_before, run.start() - len(" https://"), run.end() - _MAX_RUN)
    while match := _patterns().host.search(text, position, run.end() + 1):
        tail = _TAIL.match(text, match.end())
        assert tail is not None
        yield from _with_scheme(match, tail) if match["scheme"] else _without_scheme(match, tail)
        position = tail.end()
        if position >= run.end():
            return


def without_links(text: str) -> str:
    """The text with each link replaced by one space."""
    kept, position = [], 0
    for start, end in find_links(text):
        kept.append(text[position:start])
        position = end
    return " ".join([*kept, text[position:]])


def _with_scheme(match: regex.Match[str], tail: regex.Match[str]) -> Iterator[Link]:
    start = match.start("url")
    url = match.string[start : tail.end()]
    short = _TCO.match(url)
    if short and len(short[1]) <= _MAX_TCO_SLUG:
        yield Link(start, start + short.end())
    elif not short and _is_valid(url, match["host"]):
        yield Link(start, tail.end())


def _without_scheme(match: regex.Match[str], tail: regex.Match[str]) -> Iterator[Link]:
    """A host without a scheme may hold several ASCII hosts; only the last takes the path."""
    text, start = match.string, match.start("url")
    if match.start() < start and text[start - 1] in "-_./":
        return
    hosts = [found.span() for found in _patterns().ascii_host.finditer(match["host"])]
    for position, (first, last) in enumerate(hosts):
        end = tail.end() if tail["path"] and position == len(hosts) - 1 else start + last
        if _is_valid(text[start + first : end], match["host"][first:last]):
            yield Link(start + first, end)


def _is_valid(url: str, host: str) -> bool:
    """Whether the host can be written in punycode within the limits of the DNS."""
    try:
        encoded = ".".join(_to_ascii(label) for label in host.split("."))
    except UnicodeError:
        return False
    labels = encoded.split(".")
    too_long = any(len(label) > 63 for label in labels) or len(encoded) > 253
    return not too_long and len(url) - len(host) + len(encoded) <= _MAX_LINK


def _to_ascii(label: str) -> str:
    if label.isascii():
        return label
    if label.casefold().startswith("xn--"):
        raise UnicodeError("a punycode label must be ASCII")
    return "xn--" + label.lower().encode("punycode").decode("ascii")
