"""Retrieval benchmarks in BEIR's format: corpus.jsonl, queries.jsonl, qrels/<split>.tsv.

What belongs here: reading the three files, whatever state they are in. A line that cannot be used is left out
and reported with its number; a benchmark that cannot be used as a whole is an error that names the file.

Source of the format: Thakur et al., "BEIR: A Heterogeneous Benchmark for Zero-shot Evaluation of Information
Retrieval Models", NeurIPS 2021.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from rejoinder.errors import ConfigInvalid

NOTES_PER_KIND = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a benchmark; the title may be empty."""

    id: str
    title: str
    text: str

    @property
    def passage(self) -> str:
        """Title and text as one text: what every system gets to read."""
        return f"{self.title} {self.text}".strip()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Documents, judged queries and their judgements: query id -> document id -> gain.

    notes are sentences about lines that were left out. A judged document that the corpus lacks stays in the
    judgements: it counts as not found, as trec_eval has it.
    """

    name: str
    split: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    judgements: Mapping[str, Mapping[str, float]]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Notes:
    """Reasons why lines were left out: the first few with their numbers, then how many more."""

    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)

    def add(self, file: str, number: int, reason: str) -> None:
        kind = f"{file}: {reason}"
        self.counts[kind] += 1
        if self.counts[kind] <= NOTES_PER_KIND:
            self.lines.append(f"{file}, line {number}: {reason}")

    def all(self) -> tuple[str, ...]:
        more = {kind: n - NOTES_PER_KIND for kind, n in self.counts.items() if n > NOTES_PER_KIND}
        return (*self.lines, *(f"{kind}: {n} more" for kind, n in more.items()))


def load_beir(folder: Path, *, split: str = "test") -> Benchmark:
    """Read a benchmark; byte order marks, CRLF and unusable lines are no obstacle.

    Args:
        folder: holds corpus.jsonl, queries.jsonl and qrels/<split>.tsv.
        split: which judgements; only queries with a relevant document in it are kept.

    Raises:
        ConfigInvalid: a file is missing or cannot be read, or holds nothing that can be used.
    """
    notes = _Notes()
    documents = _documents(folder / "corpus.jsonl", notes)
    texts = _texts(folder / "queries.jsonl", notes)
    judged = _judgements(_qrels(folder, split), set(documents), set(texts), notes)
    queries = {query: texts[query] for query in judged}
    if not queries:
        raise ConfigInvalid(f"{folder}: no query of the split {split} has a relevant document.")
    return Benchmark(folder.resolve().name, split, tuple(documents.values()), queries, judged, notes.all())


def _qrels(folder: Path, split: str) -> Path:
    path = folder / "qrels" / f"{split}.tsv"
    if not path.is_file():
        there = ", ".join(sorted(p.stem for p in path.parent.glob("*.tsv"))) or "none"
        raise ConfigInvalid(f"{path} is not there; splits found: {there}.")
    return path


def _documents(path: Path, notes: _Notes) -> dict[str, Document]:
    found: dict[str, Document] = {}
    for number, row in _rows(path, notes):
        document = Document(_id(row), _text(row, "title"), _text(row, "text"))
        if reason := _why_not(document.id, document.passage, document.id in found):
            notes.add(path.name, number, reason)
        else:
            found[document.id] = document
    return _some(found, path)


def _texts(path: Path, notes: _Notes) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, row in _rows(path, notes):
        query, text = _id(row), _text(row, "text")
        if reason := _why_not(query, text, query in found):
            notes.add(path.name, number, reason)
        else:
            found[query] = text
    return _some(found, path)


def _why_not(identifier: str, text: str, is_known: bool) -> str | None:
    if not identifier:
        return "no _id"
    if not text:
        return "no text"
    return "this _id came before" if is_known else None


def _some(found: dict[str, T], path: Path) -> dict[str, T]:
    if not found:
        raise ConfigInvalid(
            f"{path} has no line that can be used: each has to be a JSON object with _id and text."
        )
    return found


def _judgements(
    path: Path, documents: set[str], queries: set[str], notes: _Notes
) -> dict[str, dict[str, float]]:
    judged: dict[str, dict[str, float]] = {}
    for number, line in _lines(path, notes):
        parts = line.split("\t")
        if number == 1 and parts[0].casefold() in {"query-id", "query_id", "qid"}:
            continue
        gain = _gain(parts)
        if gain is None:
            notes.add(path.name, number, "not query-id, corpus-id and a number, separated by tabs")
        elif parts[0] not in queries:
            notes.add(path.name, number, "a query that queries.jsonl lacks")
        elif gain > 0:
            if parts[1] not in documents:
                notes.add(path.name, number, "a document that corpus.jsonl lacks: it counts as not found")
            judged.setdefault(parts[0], {})[parts[1]] = gain
    return judged


def _gain(parts: list[str]) -> float | None:
    """The third of three columns as a finite number, or None."""
    try:
        gain = float(parts[2]) if len(parts) == 3 else math.nan
    except ValueError:
        return None
    return gain if math.isfinite(gain) else None


def _rows(path: Path, notes: _Notes) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in _lines(path, notes):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            notes.add(path.name, number, "not JSON")
            continue
        if isinstance(row, dict):
            yield number, row
        else:
            notes.add(path.name, number, "not a JSON object")


def _lines(path: Path, notes: _Notes) -> Iterator[tuple[int, str]]:
    """Lines that are not blank, with their numbers from 1, as text without line ends."""
    try:
        with path.open("rb") as opened:
            for number, raw in enumerate(opened, 1):
                try:
                    line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
                except UnicodeDecodeError:
                    notes.add(path.name, number, "not UTF-8")
                    continue
                if line:
                    yield number, line
    except OSError as error:
        raise ConfigInvalid(f"{path} cannot be read: {error.strerror}.") from None


def _id(row: Mapping[str, object]) -> str:
    value = row.get("_id", "")
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _text(row: Mapping[str, object], key: str) -> str:
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""
