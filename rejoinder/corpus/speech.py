"""Cues joined into running speech, cut into sentences that know their seconds.

Captions break in mid-sentence, so the cues of one speaker are joined first. A time inside a cue is
interpolated by characters.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from rejoinder.corpus.values import Cue
from rejoinder.text.sentences import sentence_spans


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of one speaker; start_s and end_s in seconds, None where the format has no times."""

    text: str
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """The joined cues of one speaker; ``offsets[i]`` is where ``cues[i]`` begins in ``text``."""

    text: str
    cues: tuple[Cue, ...]
    offsets: tuple[int, ...]

    def second_at(self, offset: int, *, is_end: bool = False) -> float | None:
        """The second at which the character at ``offset`` is said; None without times.

        With ``is_end`` the offset is the end of a span, so it belongs to the cue before it.
        """
        found = max(bisect_right(self.offsets, offset - is_end) - 1, 0)
        cue, begin = self.cues[found], self.offsets[found]
        if cue.start_s is None or cue.end_s is None:
            return cue.start_s if not is_end or cue.end_s is None else cue.end_s
        length = len(_words(cue.text)) or 1
        share = min(max((offset - begin) / length, 0.0), 1.0)
        return round(cue.start_s + share * (cue.end_s - cue.start_s), 2)


def turns(cues: Iterable[Cue]) -> list[Turn]:
    """The cues joined as long as the speaker stays the same; cues without words are left out."""
    spoken = (cue for cue in cues if cue.text.strip())
    return [_turn(tuple(group)) for _, group in groupby(spoken, key=lambda cue: cue.speaker)]


def sentences_of(cues: Iterable[Cue]) -> list[Sentence]:
    """The sentences of a transcript in order, each with its own first and last second.

    >>> cues = [Cue("One. Two starts", 0.0, 3.0), Cue("here.", 3.0, 4.0)]
    >>> [(s.text, s.start_s, s.end_s) for s in sentences_of(cues)]
    [('One.', 0.0, 0.8), ('Two starts here.', 1.0, 4.0)]
    """
    return [
        Sentence(
            turn.text[start:end],
            turn.second_at(start),
            turn.second_at(end, is_end=True),
            turn.cues[0].speaker,
        )
        for turn in turns(cues)
        for start, end in sentence_spans(turn.text)
    ]


def _turn(cues: tuple[Cue, ...]) -> Turn:
    pieces = [_words(cue.text) for cue in cues]
    return Turn(" ".join(pieces), cues, tuple(_offsets(pieces)))


def _offsets(pieces: Sequence[str]) -> list[int]:
    offsets, position = [], 0
    for piece in pieces:
        offsets.append(position)
        position += len(piece) + 1
    return offsets


def _words(text: str) -> str:
    return " ".join(text.split())
