"""The context of one model call: question, evidence, summaries, each within its part of the budget.

What belongs here: the walk from passages to a `PromptContext`. Its steps stand in files of their own.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rejoinder.corpus.shaping.budget import ContextBudget, CountTokens, fit_text
from rejoinder.corpus.shaping.citations import EvidenceLine, evidence_line, number_lines
from rejoinder.corpus.shaping.merging import Stretch, merge_adjacent
from rejoinder.corpus.shaping.near_duplicates import DuplicateRule, without_near_duplicates
from rejoinder.corpus.shaping.selection import Numbers, Pool, Quotas, select
from rejoinder.corpus.shaping.source_order import order_with_sources
from rejoinder.corpus.values import Passage
from rejoinder.ids import SourceId
from rejoinder.llm.ports import Vectors

# The id that takes most tokens: what a line costs is known before its number is.
WIDEST_NUMBER = 999
# Where a source has no chapters, this many chunks in a row are a segment.
SEGMENT_CHUNKS = 20


@dataclass(frozen=True, slots=True)
class ShapingRule:
    """How passages become a context.

    relevance_weight is that of selection.select; relevance halves every half_life_ranks ranks. source_weight is how
    much the best passage of its source counts beside a passage's own score.
    """

    budget: ContextBudget = field(default_factory=ContextBudget)
    duplicates: DuplicateRule = field(default_factory=DuplicateRule)
    quotas: Quotas = field(default_factory=Quotas)
    relevance_weight: float = 3.0
    half_life_ranks: float = 6.0
    source_weight: float = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """What retrieval found for a question.

    passages: best first. vectors: shape (len(passages), dim), rows of unit
    length.
    """

    passages: Sequence[Passage]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Summary:
    """What a source or an epoch is about, in a few sentences."""

    title: str
    text: str
    source_id: SourceId | None = None

    @property
    def rendered(self) -> str:
        """On one line."""
        return " ".join(f"{self.title}: {self.text}".split())


@dataclass(frozen=True, slots=True)
class TokenCounts:
    """Tokens of each part as it is sent."""

    question: int
    evidence: int
    summaries: int

    @property
    def total(self) -> int:
        """Of all parts."""
        return self.question + self.evidence + self.summaries


@dataclass(frozen=True, slots=True)
class PromptContext:
    """What a model is given to answer from; tokens never exceed the budget it was shaped for."""

    question: str
    evidence: tuple[EvidenceLine, ...]
    summaries: tuple[Summary, ...]
    tokens: TokenCounts

    @property
    def evidence_text(self) -> str:
        """The evidence lines."""
        return rendered(self.evidence)

    @property
    def summary_text(self) -> str:
        """The summaries, one a line."""
        return "\n".join(summary.rendered for summary in self.summaries)


def shape_evidence(found: Found, *, rule: ShapingRule, count_tokens: CountTokens) -> tuple[EvidenceLine, ...]:
    """Evidence lines within the budget: near-duplicates out, quotas kept, chosen for coverage, neighbours merged.

    Stretches of one source stand together in the order in which they were said, sources by their best passage.
    The lines as they are written, ids and all, have at most rule.budget.evidence_tokens tokens.
    """
    kept = _without_repeats(found, rule)
    passages, vectors = kept.passages, kept.vectors
    if not passages:
        return ()
    pool = _pool(passages, vectors, relevances(len(passages), rule.half_life_ranks), count_tokens)
    chosen = select(
        pool, rule.budget.evidence_tokens, quotas=rule.quotas, relevance_weight=rule.relevance_weight
    )
    return _within([passages[i] for i in chosen], rule.budget.evidence_tokens, count_tokens)


def assemble(
    question: str,
    evidence: tuple[EvidenceLine, ...],
    summaries: Sequence[Summary],
    *,
    budget: ContextBudget,
    count_tokens: CountTokens,
) -> PromptContext:
    """The whole context, the question cut to its part and as many whole summaries, best first, as have room."""
    asked = fit_text(question, budget.question_tokens, count_tokens)
    kept = _summaries_within(summaries, budget.summary_tokens, count_tokens)
    tokens = TokenCounts(
        count_tokens(asked),
        count_tokens(rendered(evidence)),
        count_tokens("\n".join(summary.rendered for summary in kept)),
    )
    return PromptContext(asked, evidence, kept, tokens)


def rendered(lines: Sequence[EvidenceLine]) -> str:
    """Evidence lines as a model reads them."""
    return "\n".join(line.rendered for line in lines)


def segment_of(passage: Passage) -> Hashable:
    """Which segment of its source a passage is from: its chapter, else one of so many chunks in a row."""
    if passage.chapter is not None:
        return passage.source_id, passage.chapter
    return passage.source_id, None if passage.chunk_index is None else passage.chunk_index // SEGMENT_CHUNKS


def relevances(n: int, half_life_ranks: float) -> Numbers:
    """Relevance by rank, best first, 1 for the first; it halves every so many ranks. Shape (n,), in (0, 1].

    Ranks, because scores of different rankers are on different scales.
    """
    decayed: Numbers = 0.5 ** (np.arange(n, dtype=np.float64) / half_life_ranks)
    return decayed


def _without_repeats(found: Found, rule: ShapingRule) -> Found:
    """What was found, in the order that counts the sources in, without what repeats a better one."""
    order = order_with_sources(found.passages, source_weight=rule.source_weight)
    passages, vectors = [found.passages[i] for i in order], found.vectors[order]
    kept = without_near_duplicates(passages, vectors, rule=rule.duplicates)
    return Found([passages[i] for i in kept], vectors[kept])


def _pool(
    passages: Sequence[Passage], vectors: Vectors, relevance: Numbers, count_tokens: CountTokens
) -> Pool:
    lines = [evidence_line(Stretch((passage,)), WIDEST_NUMBER).rendered for passage in passages]
    return Pool(
        relevance,
        vectors,
        [count_tokens(f"{line}\n") for line in lines],
        [passage.source_id for passage in passages],
        [segment_of(passage) for passage in passages],
    )


def _within(chosen: list[Passage], max_tokens: int, count_tokens: CountTokens) -> tuple[EvidenceLine, ...]:
    """The chosen as lines; what was chosen last goes while the whole, counted as it is sent, is too much.

    A tokenizer may count a text as more than its lines, so the sum of their counts proves nothing.
    """
    while chosen:
        lines = number_lines(_in_reading_order(merge_adjacent(chosen)))
        if count_tokens(rendered(lines)) <= max_tokens:
            return lines
        chosen = chosen[:-1]
    return ()


def _in_reading_order(stretches: Sequence[Stretch]) -> list[Stretch]:
    best: dict[SourceId, int] = {}
    for i, stretch in enumerate(stretches):
        best.setdefault(stretch.place.source_id, i)
    return sorted(stretches, key=lambda s: (best[s.place.source_id], s.place.chunk_index or 0))


def _summaries_within(
    summaries: Sequence[Summary], max_tokens: int, count_tokens: CountTokens
) -> tuple[Summary, ...]:
    kept: list[Summary] = []
    for summary in summaries:
        if count_tokens("\n".join(one.rendered for one in [*kept, summary])) <= max_tokens:
            kept.append(summary)
    return tuple(kept)
