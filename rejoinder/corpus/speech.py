"""Cues joined into running speech, cut into sentences that know their seconds.

Captions break in mid-sentence, so the cues of one speaker are joined first; a document's paragraphs are
sentences' ends. A time inside a cue is interpolated by characters.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rejoinder.corpus.values import Cue
from rejoinder.text.sentences import sentence_spans


@dataclass(frozen=True, slots=True)
class Turn:
    """The joined cues of one speaker; ``offsets[i]`` is where ``cues[i]`` begins in ``text``.

    ``positions[i]`` is the place of ``cues[i]`` in the transcript.
    """

    text: str
    cues: tuple[Cue, ...]
    offsets: tuple[int, ...]
    positions: tuple[int, ...]

    def second_at(self, offset: int, *, is_end: bool = False) -> float | None:
        """The second at which the character at ``offset`` is said; None without times.

        With ``is_end`` the offset is the end of a span, so it belongs to the cue before it.
        """
        found = self._cue_at(offset - is_end)
        cue, begin = self.cues[found], self.offsets[found]
        if cue.start_s is None or cue.end_s is None:
            return cue.start_s if not is_end or cue.end_s is None else cue.end_s
        end = self.offsets[found + 1] - 1 if found + 1 < len(self.offsets) else len(self.text)
        length = max(end - begin, 1)
        share = min(max((offset - begin) / length, 0.0), 1.0)
        return round(cue.start_s + share * (cue.end_s - cue.start_s), 2)

    def sentence(self, start: int, end: int) -> "Sentence":
        """The characters from ``start`` to ``end`` as a sentence."""
        return Sentence(
            self.text[start:end],
            self.second_at(start),
            self.second_at(end, is_end=True),
            self.cues[0].speaker,
            self.positions[self._cue_at(start)],
            self,
            start,
        )

    def _cue_at(self, offset: int) -> int:
        return max(bisect_right(self.offsets, offset) - 1, 0)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of one speaker; start_s and end_s in seconds, None where the format has no times.

    cue is the position, in the transcript, of the cue in which the sentence begins.
    """

    text: str
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None
    cue: int = 0
    _turn: Turn | None = field(default=None, repr=False, compare=False)
    _offset: int = field(default=0, repr=False, compare=False)

    def part(self, start: int, end: int) -> "Sentence":
        """The characters from ``start`` to ``end``, with their own seconds where the cues are known."""
        if self._turn is None:
            return replace(self, text=self.text[start:end])
        return self._turn.sentence(self._offset + start, self._offset + end)


def turns(cues: Iterable[Cue]) -> list[Turn]:
    """The cues joined as long as the speaker stays the same; cues without words are left out.

    Cues without times are paragraphs: each is a turn of its own, unless it goes on in small letters.
    """
    return [_turn(group) for group in _joined(cues)]


def sentences_of(cues: Iterable[Cue]) -> list[Sentence]:
    """The sentences of a transcript in order, each with its own first and last second.

    >>> cues = [Cue("One. Two starts", 0.0, 3.0), Cue("here.", 3.0, 4.0)]
    >>> [(s.text, s.start_s, s.end_s) for s in sentences_of(cues)]
    [('One.', 0.0, 0.8), ('Two starts here.', 1.0, 4.0)]
    """
    return [
        turn.sentence(start, end)
        for turn in map(_turn, _joined(cues))
        for start, end in sentence_spans(turn.text)
    ]


def _joined(cues: Iterable[Cue]) -> Iterator[list[tuple[int, Cue]]]:
    group: list[tuple[int, Cue]] = []
    for position, cue in enumerate(cues):
        if not cue.text.strip():
            continue
        if group and not _goes_on(group[-1][1], cue):
            yield group
            group = []
        group.append((position, cue))
    if group:
        yield group


def _goes_on(before: Cue, cue: Cue) -> bool:
    """Whether a cue is joined to the one before it."""
    is_paragraph = before.start_s is None and cue.start_s is None and not cue.text.lstrip()[0].islower()
    return before.speaker == cue.speaker and not is_paragraph


def _turn(group: Sequence[tuple[int, Cue]]) -> Turn:
    pieces = [_words(cue.text) for _, cue in group]
    return Turn(
        " ".join(pieces),
        tuple(cue for _, cue in group),
        tuple(_offsets(pieces)),
        tuple(position for position, _ in group),
    )


def _offsets(pieces: Sequence[str]) -> list[int]:
    offsets, position = [], 0
    for piece in pieces:
        offsets.append(position)
        position += len(piece) + 1
    return offsets


def _words(text: str) -> str:
    return " ".join(text.split())
