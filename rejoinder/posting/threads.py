"""Replies of several parts: how an editor's text becomes parts, and how a text that is too long may be cut.

The rule is one: a line of three dashes and nothing else stands between two parts, where the platform takes threads.
A draft keeps its one text, dividers included; an approval stores the parts that were shown.
"""

import re
from collections.abc import Callable, Iterator, Sequence

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.policy import ChannelPolicy, reply_price_usd
from rejoinder.listening.post import Platform
from rejoinder.review.wording import as_sent
from rejoinder.text.links import find_links
from rejoinder.text.sentences import sentence_spans
from rejoinder.text.weighted_length import length_limit

DIVIDER = "---"
# A reply under somebody's post is no essay: chosen here; X itself offers threads of 25 in its composer.
MOST_PARTS: dict[Platform, int] = {"x": 5}

_DIVIDER_LINE = re.compile(rf"^[ \t]*{DIVIDER}[ \t]*$", re.MULTILINE)
_SPACE = re.compile(r"\s+")


def most_parts(platform: Platform) -> int:
    """How many parts a reply may have; 1 where a platform takes no threads.

    >>> most_parts("x"), most_parts("reddit")
    (5, 1)
    """
    return MOST_PARTS.get(platform, 1)


def parts_of(text: str, platform: Platform) -> tuple[str, ...]:
    r"""The parts of an editor's text, each as it will be sent; those without words are left out.

    Where a platform takes no threads the text is one part, dividers and all: on Reddit they draw a line.

    >>> parts_of("It works.\n---\nSee 12:04. ", "x")
    ('It works.', 'See 12:04.')
    >>> parts_of("It works.\n\n---\n\nSee 12:04.", "reddit")
    ('It works.\n\n---\n\nSee 12:04.',)
    """
    whole = as_sent(text)
    if most_parts(platform) == 1:
        return (whole,)
    return tuple(part for piece in _DIVIDER_LINE.split(whole) if (part := as_sent(piece))) or (whole,)


def text_of(parts: Sequence[str]) -> str:
    r"""One text of parts, with dividers: `parts_of` gives the same parts again where the platform takes threads.

    >>> text_of(["It works.", "See 12:04."])
    'It works.\n\n---\n\nSee 12:04.'
    """
    return f"\n\n{DIVIDER}\n\n".join(parts)


def thread_price_usd(policy: ChannelPolicy, texts: Sequence[str], *, is_summoned: bool) -> float:
    """What sending these parts by API costs together: each is a post of its own.

    Only the first answers somebody who called us; the others answer our own words, so they cost what an uncalled post
    does. X's pages do not speak of threads: this is the strict reading.

    >>> from rejoinder.listening.policy import default_policy
    >>> thread_price_usd(default_policy("x/self_serve"), ["One.", "Two."], is_summoned=True)
    0.025
    """
    prices = [
        reply_price_usd(policy, has_link=bool(find_links(text)), is_summoned=is_summoned and position == 0)
        for position, text in enumerate(texts)
    ]
    return round(sum(prices), 6)


def propose_parts(text: str, platform: Platform, *, is_numbered: bool = False) -> tuple[str, ...]:
    r"""Parts for a text that is too long for one, to be looked at before they are approved.

    Dividers are kept. A part that is too long is cut at the end of a sentence, or where none fits between two words;
    never in a word or a link. The words stay as they are, in their order.

    Args:
        text: of the draft or of an editor.
        platform: whose measure and limits count.
        is_numbered: adds ``1/3`` to the end of each part, where there is more than one.

    Raises:
        DecisionInvalid: a word alone is too long, or more parts are needed than a reply may have.

    >>> propose_parts("One. " * 60 + "\n---\nThe end.", "x")[-1]
    'The end.'
    """
    limit, measure = length_limit(platform)
    most = most_parts(platform)
    room = limit - (len(_number(most, most)) if is_numbered and most > 1 else 0)
    parts = tuple(part for piece in parts_of(text, platform) for part in _cut(piece, measure, room))
    if len(parts) > most:
        raise DecisionInvalid(
            f"the text needs {len(parts)} parts and a reply on {platform} takes {most}: shorten it"
        )
    if not is_numbered or len(parts) == 1:
        return parts
    return tuple(part + _number(place, len(parts)) for place, part in enumerate(parts, 1))


def _number(place: int, count: int) -> str:
    return f" {place}/{count}"


def _cut(text: str, measure: Callable[[str], int], room: int) -> Iterator[str]:
    rest = text
    while measure(rest) > room:
        end = _last_fit(rest, measure, room)
        yield as_sent(rest[:end])
        rest = as_sent(rest[end:])
    yield rest


def _last_fit(text: str, measure: Callable[[str], int], room: int) -> int:
    """Where to cut: the last end of a sentence that fits, else the last gap between words."""
    links = find_links(text)
    sentences = [span.end for span in sentence_spans(text) if span.end < len(text)]
    ends = [end for end in sentences if not any(start < end < stop for start, stop in links)]
    gaps = [match.start() for match in _SPACE.finditer(text)]
    for places in (ends, gaps):
        fitting = [end for end in places if measure(text[:end]) <= room]
        if fitting:
            return fitting[-1]
    word = text[: gaps[0]] if gaps else text
    raise DecisionInvalid(f"{word[:40]!r} is too long for one part: there is no gap to cut it at")
