"""Speech that a stuck recogniser wrote again and again, said once.

Within a cue ("got them, got them, got them, ...") and from cue to cue; a person repeats himself too, so only
long runs count, except for whole sentences that a captioning program wrote twice.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from operator import eq

import regex

from rejoinder.corpus.values import Cue

# A run is a loop where it says the same at least this often.
_MIN_TIMES_IN_CUE = 8
_MIN_TIMES_IN_CUES = 5
_MAX_PERIOD_WORDS = 8
_MAX_PERIOD_CUES = 4
# A cue of more words than this isn't said twice by chance.
_MAX_CHANCE_WORDS = 3
_EDGES = regex.compile(r"^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$")
_GLUED = regex.compile(r"(\D{1,12}?)\1{11,}")
_MIN_GLUED_CHARS = 12
_GLUED_AT_ONCE = 10_000


def without_loops(text: str) -> str:
    """The text with each loop said once.

    >>> without_loops("Right, got them, " + "got them, " * 20 + "over.")
    'Right, got them, over.'
    >>> without_loops("No, no, no!")
    'No, no, no!'
    """
    words = text.split()
    # Whoever says something eight times says some word eight times: most texts are done here.
    if len(words) >= _MIN_TIMES_IN_CUE and max(Counter(words).values()) >= _MIN_TIMES_IN_CUE // 2:
        words = _said_once(words)
    return " ".join(_unglued(word) if len(word) >= _MIN_GLUED_CHARS else word for word in words)


def _unglued(word: str) -> str:
    """A word, or a text written without spaces, with each loop of characters said once."""
    if len(word) <= _GLUED_AT_ONCE:
        return _GLUED.sub(r"\1", word)
    # A pattern that looks back takes memory by the length: pieces first, then what is left of them.
    pieces = [word[i : i + _GLUED_AT_ONCE] for i in range(0, len(word), _GLUED_AT_ONCE)]
    shorter = "".join(map(_unglued, pieces))
    return _unglued(shorter) if len(shorter) <= len(word) // 2 else shorter


def _said_once(words: list[str]) -> list[str]:
    bare = [_EDGES.sub("", word).casefold() for word in words]
    for period in range(1, _MAX_PERIOD_WORDS + 1):
        kept = [i for start, end in _runs(bare, period, _MIN_TIMES_IN_CUE) for i in range(start, end)]
        words, bare = [words[i] for i in kept], [bare[i] for i in kept]
    return words


def joined_repeats(cues: Sequence[tuple[int, Cue]]) -> list[tuple[int, Cue]]:
    """The cues, each with its place in the file, without those that only repeat; what is kept covers their time."""
    kept = list(cues)
    for period in range(1, _MAX_PERIOD_CUES + 1):
        said = [(cue.text, cue.speaker) for _, cue in kept]
        spans = _runs(said, period, _MIN_TIMES_IN_CUES)
        kept = list(_covering(kept, spans))
    return list(_without_twins(kept))


def _runs(items: Sequence[object], period: int, min_times: int) -> Iterator[tuple[int, int]]:
    """Half-open spans that together are the items without loops of a period."""
    # A byte for each item that is the same as the one a period later: a loop is a run of ones.
    same = bytes(map(eq, items, items[period:]))
    loop = b"\x01" * (period * (min_times - 1))
    begin, at = 0, same.find(loop)
    while at >= 0:
        stop = same.find(b"\x00", at)
        end = (len(same) if stop < 0 else stop) + period
        yield begin, at + period
        begin = at + (end - at) // period * period
        at = same.find(loop, begin)
    yield begin, len(items)


def _covering(cues: Sequence[tuple[int, Cue]], spans: Iterator[tuple[int, int]]) -> Iterator[tuple[int, Cue]]:
    """The cues of the spans; the last before a gap ends where the gap ends."""
    held: list[tuple[int, Cue]] = []
    for start, end in spans:
        if held and start > 0:
            origin, cue = held.pop()
            yield origin, replace(cue, end_s=_last_end(cues[start - 1][1], cue))
        yield from held
        held = []
        yield from cues[start : max(end - 1, start)]
        held.extend(cues[max(end - 1, start) : end])
    yield from held


def _without_twins(cues: Sequence[tuple[int, Cue]]) -> Iterator[tuple[int, Cue]]:
    """A cue that says just what the one before said, in more than a few words, is joined to it."""
    held: tuple[int, Cue] | None = None
    for origin, cue in cues:
        if held and _says_the_same(held[1], cue):
            held = held[0], replace(held[1], end_s=_last_end(cue, held[1]))
            continue
        if held:
            yield held
        held = origin, cue
    if held:
        yield held


def _says_the_same(first: Cue, second: Cue) -> bool:
    is_same = first.text == second.text and first.speaker == second.speaker
    return is_same and len(first.text.split()) > _MAX_CHANCE_WORDS


def _last_end(last: Cue, first: Cue) -> float | None:
    ends = [s for s in (first.end_s, last.end_s, last.start_s) if s is not None]
    return max(ends) if first.start_s is not None and ends else first.end_s
