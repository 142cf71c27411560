"""Saying where a quote is from: episode, second, speaker, link.

What belongs here: the citation as text and as a link that opens at the second.
"""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rejoinder.research.evidence import Evidence

# Titles are cut to the first of these lengths that leaves room for the quote.
TITLE_LENGTHS = (60, 45, 30)


def timestamp(seconds: float) -> str:
    """Seconds as people write them: ``mm:ss``, from an hour on ``h:mm:ss``; fractions dropped.

    >>> timestamp(75.9), timestamp(3675), timestamp(5)
    ('1:15', '1:01:15', '0:05')
    """
    hours, rest = divmod(max(0, int(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def link_at_second(url: str | None, seconds: float | None) -> str | None:
    """The source's address with ``t=<seconds>`` in its query; None where it is no web address.

    >>> link_at_second("https://example.com/show/1?a=b#notes", 75.9)
    'https://example.com/show/1?a=b&t=75#notes'
    """
    parts = urlsplit((url or "").strip())
    if parts.scheme not in ("http", "https") or not parts.netloc or any(map(str.isspace, parts.geturl())):
        return None
    if seconds is None:
        return parts.geturl()
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "t"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("t", str(max(0, int(seconds))))])))


def citation(evidence: Evidence, *, max_title: int = TITLE_LENGTHS[0]) -> str:
    """Speaker where known, title and time: what every reply carries.

    A title is cut after a word; a transcript without times is cited by title alone.
    """
    title = short_title(evidence.source_title, max_title)
    where = title if evidence.start_s is None else f"{title}, {timestamp(evidence.start_s)}"
    return f"{evidence.speaker}, {where}" if is_name(evidence.speaker) else where


def markdown_link(text: str, url: str) -> str:
    """A link as Reddit writes it; brackets that would end it early are replaced or escaped.

    >>> markdown_link("Ep [1], 0:05", "https://x.com/a_(b)?t=5")
    '[Ep (1), 0:05](https://x.com/a_%28b%29?t=5)'
    """
    address = url.replace("(", "%28").replace(")", "%29")
    return f"[{without_square_brackets(text)}]({address})"


def without_square_brackets(text: str) -> str:
    """The text with round brackets for square ones."""
    return text.replace("[", "(").replace("]", ")")


def short_title(title: str, limit: int) -> str:
    """A title on one line, at most limit characters, cut after a word with an ellipsis."""
    plain = " ".join(title.split())
    if len(plain) <= limit:
        return plain
    cut = plain[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:-—") + "…"


def is_name(speaker: str | None) -> bool:
    """Whether a speaker label names a person, rather than "Speaker 1", "0" or nothing.

    >>> is_name("Grace Hopper"), is_name("Speaker 2"), is_name("0")
    (True, False, False)
    """
    if not speaker or any(map(str.isdigit, speaker)):
        return False
    return speaker.lower() not in ("speaker", "unknown", "host", "guest", "narrator")
