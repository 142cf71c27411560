"""Answering a question from a context: what speaks for an answer, and the sentences that give it.

What belongs here: the port `Answerer`, reading a context for a question, and the answerer that needs no model: it
quotes. Whether to answer at all is judged in answer_rules.py. Every answerer writes ids of evidence lines behind its
statements, so that one reader (rejoinder.corpus.shaping.citations.cite) takes any answer apart.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rejoinder.corpus.shaping.citations import EvidenceLine, without_ids
from rejoinder.corpus.shaping.prompt_context import PromptContext
from rejoinder.corpus.values import Passage
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.answer_rules import AnswerRule, Signs
from rejoinder.research.evidence import term_overlap
from rejoinder.research.sentence_quality import continues_well, standalone_quality
from rejoinder.text.sentences import split_sentences
from rejoinder.text.terms import index_terms

# Sentences are looked at in this many of the best passages: what is worth quoting stands there.
PASSAGES_READ = 8
MIN_WORDS = 6
MAX_WORDS = 60
SAME_CLOSENESS = 0.9


class Candidate(NamedTuple):
    """A sentence of an evidence line, with its score and how close it is to the question, both in [0, 1]."""

    text: str
    line: EvidenceLine
    score: float
    closeness: float


@dataclass(frozen=True, slots=True)
class Reading:
    """A question, the sentences of its context best first, and what speaks for an answer."""

    question: str
    candidates: tuple[Candidate, ...]
    vectors: Mapping[str, Vectors]
    signs: Signs

    def cosine(self, one: Candidate, other: Candidate) -> float:
        """Between two of the sentences, in [-1, 1]."""
        return float(self.vectors[one.text] @ self.vectors[other.text])


class Answerer(Protocol):
    """Writes an answer from a context."""

    def answer(self, reading: Reading, context: PromptContext) -> str:
        """The answer with ids of evidence lines behind its statements ("... [E2]"); empty where there is none."""


def read_context(
    question: str,
    lines: Sequence[EvidenceLine],
    *,
    embedder: Embedder,
    rarity: Mapping[str, float],
    rule: AnswerRule,
) -> Reading:
    """Score every sentence of the best passages against the question; the question and the sentences are embedded.

    Args:
        question: any text.
        lines: the context's evidence.
        embedder: a remembering one saves most of the work.
        rarity: term -> rarity in (0, 1] over the whole corpus; a term left out is in no passage, rarity 1.
        rule: how much terms and standing alone count.
    """
    wanted = frozenset(index_terms(question))
    sentences = {text: line for line, passage in best_passages(lines) for text in _sentences(passage)}
    asked = embedder.embed([question], "query")[0]
    rows = embedder.embed(list(sentences)) if sentences else np.zeros((0, len(asked)), dtype=np.float32)
    vectors = dict(zip(sentences, rows, strict=True))
    candidates = [
        _candidate(text, line, rule.closeness(cosine), wanted, rarity, rule)
        for (text, line), cosine in zip(sentences.items(), (rows @ asked).tolist(), strict=True)
    ]
    candidates.sort(key=lambda one: (-one.score, one.text))
    return Reading(question, tuple(candidates), vectors, _signs(lines, candidates, wanted, rarity, rule))


def best_passages(lines: Sequence[EvidenceLine]) -> list[tuple[EvidenceLine, Passage]]:
    """The best passages of the evidence, best first, each with its line."""
    pairs = [(line, passage) for line in lines for passage in line.passages]
    pairs.sort(key=lambda pair: (-pair[1].score, pair[1].chunk_id))
    return pairs[:PASSAGES_READ]


@dataclass(frozen=True, slots=True)
class QuotingAnswerer:
    """Answers in the corpus's own words, without a model: the sentences that bear on the question best."""

    rule: AnswerRule

    def answer(self, reading: Reading, context: PromptContext) -> str:
        """The best sentences word for word, each with its line's id; empty where nothing can be quoted.

        A sentence that says what a better one says is passed over.
        """
        kept: list[Candidate] = []
        for one in reading.candidates:
            if len(kept) == self.rule.k or one.score < self.rule.share_of_best * reading.candidates[0].score:
                break
            if all(self.rule.closeness(reading.cosine(one, other)) < SAME_CLOSENESS for other in kept):
                kept.append(one)
        return " ".join(f"{without_ids(one.text)} [{one.line.citation.id}]" for one in kept)


def _sentences(passage: Passage) -> list[str]:
    """Sentences that can be told as an answer; where none can, those that are long enough."""
    sentences = [" ".join(text.split()) for text in split_sentences(passage.text)]
    long_enough = [text for text in sentences if MIN_WORDS <= len(text.split()) <= MAX_WORDS]
    return [text for text in long_enough if continues_well(text)] or long_enough


def _candidate(
    text: str,
    line: EvidenceLine,
    closeness: float,
    wanted: Collection[str],
    rarity: Mapping[str, float],
    rule: AnswerRule,
) -> Candidate:
    overlap = term_overlap(wanted, set(index_terms(text)), rarity)
    meaning = (1.0 - rule.overlap_weight - rule.quality_weight) * closeness
    score = meaning + rule.overlap_weight * overlap + rule.quality_weight * standalone_quality(text)
    return Candidate(text, line, score, closeness)


def _signs(
    lines: Sequence[EvidenceLine],
    candidates: Sequence[Candidate],
    wanted: Collection[str],
    rarity: Mapping[str, float],
    rule: AnswerRule,
) -> Signs:
    passages = [passage for _, passage in best_passages(lines)]
    return Signs(
        max((rule.closeness(passage.dense or 0.0) for passage in passages), default=0.0),
        max((one.closeness for one in candidates), default=0.0),
        max((term_overlap(wanted, set(index_terms(p.text)), rarity) for p in passages), default=0.0),
    )
