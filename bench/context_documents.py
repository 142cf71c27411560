"""Real documents with questions whose evidence is known, for the benchmark of contexts.

Meetings of QMSum (questions with the turns that answer them), web pages of WiCE (claims with the sentences that
support them), speeches, episodes, and abstracts of SciFact. Documents are whole: none is cut into several. Every
other meeting is only there: choices were made on its questions (docs/evaluation.md), so they are not asked.
"""

import ast
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

from rejoinder.corpus.values import Cue, Transcript
from rejoinder.errors import ConfigInvalid, InputUnreadable

MEETINGS = "meetings_qmsum/val.jsonl"
PAGES = "claims_wice/entailment_retrieval/claim/dev.jsonl"
SPEECHES = "speech_538_debates/state-of-the-state/speeches"
EPISODES = ("podcasts_talkpython/*.vtt", "podcasts_changelog/practicalai/*.md")
ABSTRACTS = "scifact/beir/corpus.jsonl"
TITLE_MARK = "(meta data) TITLE: "


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and the cues that answer it: any one of several sets of their positions."""

    text: str
    gold: tuple[frozenset[int], ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document; a cue's second is its position, so that evidence can be told by its seconds."""

    name: str
    kind: str
    transcript: Transcript
    asked: tuple[Asked, ...] = field(default=())


def read_documents(data: Path, n: int) -> list[Document]:
    """So many documents: those with questions first, meetings and pages by turns, then the others.

    Raises:
        ConfigInvalid: the folder lacks the data sets, or they have fewer documents.
    """
    if not (data / MEETINGS).is_file() or not (data / PAGES).is_file():
        raise ConfigInvalid(f"{data} has no {MEETINGS} or {PAGES}.", fix="Name the folder of the data sets.")
    pages = list(_pages(data / PAGES))
    asked = zip_longest(_meetings(data / MEETINGS), (page for page in pages if page.asked))
    first = [one for pair in asked for one in pair if one is not None]
    rest = chain(
        (page for page in pages if not page.asked), _speeches(data), _episodes(data), _abstracts(data)
    )
    found: list[Document] = []
    for document in chain(first, rest):
        if len(found) == n:
            return found
        found.append(document)
    if len(found) < n:
        raise ConfigInvalid(f"{data} has {len(found)} documents, fewer than {n}.")
    return found


def _meetings(path: Path) -> Iterator[Document]:
    for i, row in enumerate(_lines(path)):
        turns = [(turn["content"], turn["speaker"]) for turn in row["meeting_transcripts"]]
        questions = row["specific_query_list"] if i % 2 else ()
        asked = tuple(Asked(q["query"], (_turns(q),)) for q in questions)
        yield Document(f"meeting {i}", "meeting", _transcript(f"Meeting {i}", turns), asked)


def _turns(query: dict[str, Any]) -> frozenset[int]:
    spans = query["relevant_text_span"]
    return frozenset(turn for first, last in spans for turn in range(int(first), int(last) + 1))


def _pages(path: Path) -> Iterator[Document]:
    """Pages, each once, with every claim that it supports."""
    claims: dict[tuple[str, ...], list[Asked]] = {}
    for row in _lines(path):
        evidence = row["evidence"]
        page = tuple(ast.literal_eval(evidence) if isinstance(evidence, str) else evidence)
        gold = tuple(frozenset(sentences) for sentences in row["supporting_sentences"] if sentences)
        of_page = claims.setdefault(page, [])
        if gold and row["label"] != "not_supported":
            of_page.append(Asked(row["claim"], gold))
    for i, (page, asked) in enumerate(claims.items()):
        title = page[0].removeprefix(TITLE_MARK)[:200] or f"Page {i}"
        yield Document(f"page {i}", "page", _transcript(title, [(text, None) for text in page]), tuple(asked))


def _speeches(data: Path) -> Iterator[Document]:
    return _read(sorted((data / SPEECHES).glob("*.txt")), "speech")


def _episodes(data: Path) -> Iterator[Document]:
    return _read([path for pattern in EPISODES for path in sorted(data.glob(pattern))], "episode")


def _read(paths: Sequence[Path], kind: str) -> Iterator[Document]:
    from rejoinder.corpus.reading import read_source

    for path in paths:
        try:
            transcript = read_source(path.name, path.read_bytes())
        except InputUnreadable:
            continue
        yield Document(path.name, kind, transcript)


def _abstracts(data: Path) -> Iterator[Document]:
    for row in _lines(data / ABSTRACTS) if (data / ABSTRACTS).is_file() else ():
        texts = [(row["title"], None), (row["text"], None)]
        yield Document(f"abstract {row['_id']}", "abstract", _transcript(row["title"][:200], texts))


def _transcript(title: str, texts: Sequence[tuple[str, str | None]]) -> Transcript:
    cues = tuple(
        Cue(text, float(i), float(i + 1), speaker) for i, (text, speaker) in enumerate(texts) if text.strip()
    )
    return Transcript(title, "benchmark", cues, "en")


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8-sig") as lines:
        for line in lines:
            yield json.loads(line)
