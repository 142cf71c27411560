"""QMSum: meetings with questions and the turns that answer them, as a benchmark of retrieval over speech.

What belongs here: reading the file, meetings as transcripts, and how much of the gold turns a ranking of
chunks covers. The meetings have no times, so a turn's number stands where the second would: turn 7 is said
from 7.0 to 8.0, and a chunk's start and end tell which turns it is made of.

Source: Zhong et al., "QMSum: A New Benchmark for Query-based Multi-domain Meeting Summarization", NAACL 2021.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rejoinder.corpus.values import Chunk, Cue, Transcript
from rejoinder.errors import ConfigInvalid

# The transcribers' marks of sounds and broken-off words.
_MARK = re.compile(r"\{[a-z_]+\}")
_BEFORE_STOP = re.compile(r"\s+([.,?!;:])")
_APOSTROPHE = re.compile(r"(?<=\w)\s+(?=['’](?:s|re|ve|ll|d|m|t)\b)")


@dataclass(frozen=True, slots=True)
class Question:
    """A question about one meeting and the turns that answer it: spans of turn numbers, both ends included."""

    id: str
    meeting: str
    text: str
    spans: tuple[tuple[int, int], ...]

    @property
    def turns(self) -> frozenset[int]:
        """The numbers of all gold turns."""
        return frozenset(turn for first, last in self.spans for turn in range(first, last + 1))


@dataclass(frozen=True, slots=True)
class Meetings:
    """Transcripts by meeting id, questions with gold turns, and notes on what was left out."""

    transcripts: Mapping[str, Transcript]
    questions: tuple[Question, ...]
    notes: tuple[str, ...] = ()


def load_meetings(path: Path) -> Meetings:
    """Read a QMSum file, one meeting per line; only questions with gold turns are kept.

    Meetings are named m0, m1, ... by their line. A line that cannot be used is left out and reported.

    Raises:
        ConfigInvalid: the file is missing, or no meeting in it can be used.
    """
    transcripts: dict[str, Transcript] = {}
    questions: list[Question] = []
    notes: list[str] = []
    for number, line in enumerate(_lines(path)):
        meeting = f"m{number}"
        try:
            row = json.loads(line)
            cues = _cues(row["meeting_transcripts"])
            asked = list(_questions(meeting, row["specific_query_list"], len(cues)))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            notes.append(f"{path.name}, line {number + 1}: not a meeting of QMSum ({error})")
            continue
        transcripts[meeting] = Transcript(f"Meeting {number}", "qmsum", cues, "en")
        questions += asked
    if not questions:
        raise ConfigInvalid(f"{path} has no meeting with a question that can be used.")
    return Meetings(transcripts, tuple(questions), tuple(notes))


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as opened:
            yield from (line for line in opened if line.strip())
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read: {error.strerror}.") from None


def _cues(turns: Sequence[Mapping[str, Any]]) -> tuple[Cue, ...]:
    cues = (
        Cue(plain_words(turn["content"]), float(i), i + 1.0, str(turn["speaker"]))
        for i, turn in enumerate(turns)
    )
    return tuple(cues)


def plain_words(content: str) -> str:
    """A turn as it would stand in a transcript: without marks, punctuation close to its word.

    >>> plain_words("It 's {disfmarker} like , crashing .")
    "It's like, crashing."
    """
    text = _BEFORE_STOP.sub(r"\1", _MARK.sub(" ", content))
    return " ".join(_APOSTROPHE.sub("", text).split())


def _questions(meeting: str, rows: Sequence[Mapping[str, Any]], n_turns: int) -> Iterator[Question]:
    for position, row in enumerate(rows):
        spans = tuple(
            (int(first), min(int(last), n_turns - 1))
            for first, last in row["relevant_text_span"]
            if 0 <= int(first) <= int(last) and int(first) < n_turns
        )
        if spans and row["query"].strip():
            yield Question(f"{meeting}/{position}", meeting, row["query"].strip(), spans)


def turns_of(chunk: Chunk) -> range:
    """The numbers of the turns that a chunk holds words of.

    >>> turns_of(Chunk(0, "", "", 1, 3.4, 5.0))
    range(3, 5)
    """
    if chunk.start_s is None or chunk.end_s is None:
        return range(0)
    return range(math.floor(chunk.start_s), max(math.ceil(chunk.end_s), math.floor(chunk.start_s) + 1))


def turn_recall(question: Question, found: Sequence[tuple[str, range]]) -> float:
    """Share of a question's gold turns that the chunks found cover.

    Args:
        question: with its gold turns.
        found: (meeting, turns) of each chunk; chunks of other meetings cover nothing.

    >>> turn_recall(Question("q", "m", "?", ((3, 6),)), [("m", range(5, 9)), ("other", range(3, 5))])
    0.5
    """
    covered = {turn for meeting, turns in found if meeting == question.meeting for turn in turns}
    return len(question.turns & covered) / len(question.turns)


def span_recall(question: Question, found: Sequence[tuple[str, range]]) -> float:
    """Share of a question's gold spans of which at least one turn was found.

    >>> span_recall(Question("q", "m", "?", ((3, 6), (9, 9))), [("m", range(5, 7))])
    0.5
    """
    covered = {turn for meeting, turns in found if meeting == question.meeting for turn in turns}
    hit = [any(turn in covered for turn in range(first, last + 1)) for first, last in question.spans]
    return sum(hit) / len(hit)


def turn_share(question: Question, meeting: str, turns: range) -> float:
    """Share of a chunk's turns that are gold for the question, in [0, 1]; 0 for another meeting's chunk.

    >>> turn_share(Question("q", "m", "?", ((3, 6),)), "m", range(5, 9))
    0.5
    """
    if meeting != question.meeting or not turns:
        return 0.0
    return len(question.turns & set(turns)) / len(turns)


def part_of(meetings: Meetings, part: str) -> Meetings:
    """Every other meeting: the even lines are for choices, the odd ones for figures to report.

    Args:
        meetings: as loaded.
        part: ``choose``, ``report`` or ``all``.

    Raises:
        ConfigInvalid: there is no such part, or no question in it.
    """
    rest = {"choose": (0,), "report": (1,), "all": (0, 1)}.get(part)
    if rest is None:
        raise ConfigInvalid(f"There is no part {part} of the meetings; there are: choose, report, all.")
    kept = {key: t for key, t in meetings.transcripts.items() if int(key.removeprefix("m")) % 2 in rest}
    asked = tuple(q for q in meetings.questions if q.meeting in kept)
    if not asked:
        raise ConfigInvalid(f"The part {part} has no question.")
    return Meetings(kept, asked, meetings.notes)
