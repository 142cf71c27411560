"""Ids of evidence lines: each resolves to source, speaker, seconds and an address that opens there.

What belongs here: making the ids, writing the lines that carry them, and reading them out of an answer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from rejoinder.corpus.moments import link_at_second
from rejoinder.corpus.references import is_name, short_title, timestamp
from rejoinder.corpus.shaping.merging import Stretch
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId

TITLE_CHARACTERS = 45
MOST_NAMES = 3
# As a model writes them: [E3], [E1, E2], [E1; 4], [E1][E2].
CITED = regex.compile(r"\[\s*E\s*\d{1,6}(?:\s*(?:[,;]|and)\s*E?\s*\d{1,6})*\s*\]")
_RUN = regex.compile(rf"(?:\s*{CITED.pattern})+")
_NUMBER = regex.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Citation:
    """What an id stands for. start_s and end_s are seconds of the recording, None where it has no times."""

    id: str
    source_id: SourceId
    source_title: str
    source_url: str | None
    speakers: tuple[str, ...]
    start_s: float | None
    end_s: float | None
    chunk_ids: tuple[ChunkId, ...]
    chapter: str | None = None

    @property
    def url(self) -> str | None:
        """The source's address, opening at the second; None where it is no web address."""
        return link_at_second(self.source_url, self.start_s)

    @property
    def label(self) -> str:
        """Speaker where one alone is known by name, title, time."""
        names = [name for name in self.speakers if is_name(name)]
        parts = [names[0]] if len(self.speakers) == len(names) == 1 else []
        parts.append(short_title(self.source_title, 60))
        if self.start_s is not None:
            parts.append(timestamp(self.start_s))
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A numbered line of evidence, with the passages it was made of."""

    citation: Citation
    text: str
    passages: tuple[Passage, ...]

    @property
    def rendered(self) -> str:
        """The line as a model reads it, on one line."""
        return f"{header(self.citation)} {self.text}"


@dataclass(frozen=True, slots=True)
class Statement:
    """A stretch of an answer and what it rests on, at least one citation."""

    text: str
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class CitedAnswer:
    """An answer taken apart: its statements, the words that rest on nothing, and notes on what was dropped."""

    statements: tuple[Statement, ...]
    uncited: str
    notes: tuple[str, ...]


def number_lines(stretches: Sequence[Stretch]) -> tuple[EvidenceLine, ...]:
    """Evidence lines E1, E2 ... in the order given."""
    return tuple(evidence_line(stretch, number) for number, stretch in enumerate(stretches, 1))


def evidence_line(stretch: Stretch, number: int) -> EvidenceLine:
    """One stretch as the evidence line of that number."""
    place = stretch.place
    cited = Citation(
        f"E{number}",
        place.source_id,
        place.source_title,
        place.source_url,
        stretch.speakers,
        place.start_s,
        place.end_s,
        tuple(passage.chunk_id for passage in stretch.passages),
        place.chapter,
    )
    return EvidenceLine(cited, without_ids(" ".join(stretch.text.split())), stretch.passages)


def header(citation: Citation) -> str:
    """What stands before a line's words: id, title, time, speakers.

    >>> header(Citation("E2", SourceId(1), "Heat", None, ("Mara",), 64.0, 70.0, ()))
    '[E2] Heat, 1:04, Mara:'
    """
    time = [] if citation.start_s is None else [timestamp(citation.start_s)]
    names = [" ".join(name.split()) for name in citation.speakers if is_name(name)][:MOST_NAMES]
    said = ", ".join([short_title(citation.source_title, TITLE_CHARACTERS), *time, *names])
    return f"[{citation.id}] {without_ids(said)}:"


def without_ids(text: str) -> str:
    """The text with what looks like an id in round brackets, so that a source cannot pose as another line.

    >>> without_ids("as I said [E3]")
    'as I said (E3)'
    """
    return CITED.sub(lambda found: f"({found[0][1:-1]})", text)


def cite(answer: str, citations: Sequence[Citation]) -> CitedAnswer:
    """Take an answer apart into statements and what each rests on.

    An id stands behind the words that it is for. Ids that no line has are dropped with a note; words with no known
    id left are not statements but stand in ``uncited``.

    >>> cited = cite("It works. [E1] It is cheap. [E9]", [Citation("E1", SourceId(1), "t", None, (), 0, 1, ())])
    >>> cited.statements[0].text, cited.uncited, cited.notes
    ('It works.', 'It is cheap.', ('E9 is no evidence line of this answer and was dropped',))
    """
    known = {citation.id: citation for citation in citations}
    statements: list[Statement] = []
    uncited: list[str] = []
    unknown: dict[str, None] = {}
    for words, ids in _pieces(answer):
        unknown.update(dict.fromkeys(i for i in ids if i not in known))
        found = tuple(known[i] for i in ids if i in known)
        if words and found:
            statements.append(Statement(words, found))
        elif words:
            uncited.append(words)
    notes = tuple(f"{i} is no evidence line of this answer and was dropped" for i in unknown)
    return CitedAnswer(tuple(statements), " ".join(uncited), notes)


def _pieces(answer: str) -> Iterator[tuple[str, list[str]]]:
    """Words and the ids that stand behind them, each id once; the last words may have none."""
    at = 0
    for run in _RUN.finditer(answer):
        yield _words(answer[at : run.start()]), _ids(run[0])
        at = run.end()
    yield _words(answer[at:]), []


def _words(text: str) -> str:
    """The text without the punctuation of the sentence before; empty where nothing is said."""
    words = text.strip().lstrip(".,;:!?").strip()
    return words if any(map(str.isalnum, words)) else ""


def _ids(text: str) -> list[str]:
    return list(dict.fromkeys(f"E{int(number)}" for number in _NUMBER.findall(text)))
