"""Tokens of a context and its evidence's recall as the corpus grows: through the database, search and shaping.

The same questions are asked of corpora of 10, 100 and more real documents. The ten of the first size are those that
hold the questions' evidence, so ten corpora of ten stand for it. After the real documents come distractors: chunks
spliced from two real ones each, with their words and with vectors between their parents', labelled as such.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench.context_documents import Asked, Document, read_documents
from bench.own_home import own_workbench

if TYPE_CHECKING:
    from bench.context_store import Shelf
    from rejoinder.corpus.shaping.prompt_context import PromptContext

GROUP = 10
SMALL_CORPORA = 10
Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question's context: its tokens, and the share of its evidence that is in it."""

    kind: str
    tokens: int
    recall: float


def measure_context(
    data: Path,
    *,
    documents: int,
    distractors: int,
    vectors: Path | None,
    advance: Advance,
    questions: int | None = None,
) -> dict[str, Any]:
    """Run the benchmark in a home of its own that is removed afterwards.

    Args:
        data: the folder of the data sets.
        documents: real documents of the largest real corpus, at least 100.
        distractors: documents made up beyond those, of three chunks each.
        vectors: where vectors are kept from run to run; None keeps none.
        advance: told of each document stored and of each question asked.
        questions: how many are asked at each size, drawn by a fixed seed; None asks all.

    Returns:
        value is the largest deviation of the mean number of tokens from that of ten documents, in per cent; levels
        has tokens and recall per corpus size.
    """
    found = with_questions(read_documents(data, documents), questions)
    with own_workbench() as bench:
        from bench.context_store import Shelf

        shelf = Shelf(bench, vectors, advance)
        levels = {str(GROUP): _small(shelf, found, advance)}
        for size in sorted({100, min(300, documents), documents}):
            shelf.store("all", found[:size])
            levels[str(size)] = _ask_all(shelf, "all", found, advance)
        if distractors:
            shelf.distract("all", distractors, Random(documents))
            levels[f"{documents + distractors} (with {distractors} distractors)"] = _ask_all(
                shelf, "all", found, advance
            )
        return _result(levels, found, shelf)


def with_questions(found: Sequence[Document], n: int | None) -> list[Document]:
    """The documents with so many questions on the first hundred of them, the same ones each time."""
    asked_about = found[: GROUP * SMALL_CORPORA]
    every = [(i, asked) for i, document in enumerate(asked_about) for asked in document.asked]
    if n is None or n >= len(every):
        return list(found)
    drawn = sorted(Random(len(every)).sample(range(len(every)), n))
    kept: dict[int, list[Asked]] = {}
    for i, asked in (every[k] for k in drawn):
        kept.setdefault(i, []).append(asked)
    return [replace(document, asked=tuple(kept.get(i, ()))) for i, document in enumerate(found)]


def _small(shelf: "Shelf", found: Sequence[Document], advance: Advance) -> list[Answered]:
    """Ten corpora of ten documents each."""
    answered: list[Answered] = []
    for i in range(SMALL_CORPORA):
        group = found[i : GROUP * SMALL_CORPORA : SMALL_CORPORA]
        shelf.store(f"ten {i}", group)
        answered += _ask_all(shelf, f"ten {i}", group, advance)
    return answered


def _ask_all(shelf: "Shelf", corpus: str, found: Sequence[Document], advance: Advance) -> list[Answered]:
    """Every question of the first hundred documents among those, asked of a corpus."""
    answered = []
    for document in found[: GROUP * SMALL_CORPORA]:
        for asked in document.asked:
            context = shelf.context(corpus, asked.text)
            covered = covered_cues(context, shelf.source_id(corpus, document.name))
            answered.append(Answered(document.kind, context.tokens.total, recall(asked, covered)))
            advance(1)
    return answered


def covered_cues(context: "PromptContext", source_id: int) -> frozenset[int]:
    """Positions of the source's cues of which at least half stands in the evidence."""
    passages = [p for line in context.evidence for p in line.passages if p.source_id == source_id]
    spans = [(round(p.start_s or 0.0), round(p.end_s or 0.0)) for p in passages]
    return frozenset(cue for start, end in spans for cue in range(start, max(end, start + 1)))


def recall(asked: Asked, covered: frozenset[int]) -> float:
    """Share of the gold cues that are covered, of the set that is covered best; in [0, 1].

    >>> recall(Asked("?", (frozenset({1, 2}), frozenset({7}))), frozenset({2, 3}))
    0.5
    """
    return max((len(gold & covered) / len(gold) for gold in asked.gold), default=0.0)


def _result(levels: dict[str, list[Answered]], found: Sequence[Document], shelf: "Shelf") -> dict[str, Any]:
    lines = {name: _line(answered) for name, answered in levels.items()}
    base = lines[str(GROUP)]["tokens_mean"]
    kinds = sorted({document.kind for document in found})
    return {
        "name": "context",
        "value": round(max(abs(line["tokens_mean"] / base - 1) for line in lines.values()) * 100, 2),
        "unit": "% of tokens, largest deviation from ten documents",
        "baseline": base,
        "recall_drop_points": round(
            100 * (lines[str(GROUP)]["recall"] - min(line["recall"] for line in lines.values())), 2
        ),
        "levels": lines,
        "documents": {kind: sum(d.kind == kind for d in found) for kind in kinds},
        "chunks": shelf.n_chunks,
        "model": shelf.bench.embedder.model,
    }


def _line(answered: Sequence[Answered]) -> dict[str, Any]:
    tokens = [one.tokens for one in answered]
    kinds = sorted({one.kind for one in answered})
    return {
        "questions": len(answered),
        "tokens_mean": round(statistics.mean(tokens), 1),
        "tokens_min": min(tokens),
        "tokens_max": max(tokens),
        "recall": round(statistics.mean(one.recall for one in answered), 4),
        **{
            f"recall_{kind}": round(statistics.mean(one.recall for one in answered if one.kind == kind), 4)
            for kind in kinds
        },
    }
