"""Answering a question from a context: whether the corpus holds an answer, and the sentences that give it.

What belongs here: the port `Answerer`, the judgement whether to answer at all, and the answerer that needs no
model: it quotes. Every answerer writes ids of evidence lines behind its statements, so that one reader
(rejoinder.corpus.shaping.citations.cite) takes any answer apart.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from rejoinder.corpus.shaping.citations import EvidenceLine, without_ids
from rejoinder.corpus.shaping.prompt_context import PromptContext
from rejoinder.corpus.values import Passage
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.evidence import term_overlap
from rejoinder.research.sentence_quality import continues_well, standalone_quality
from rejoinder.text.sentences import split_sentences
from rejoinder.text.terms import index_terms

# Sentences are looked at in this many of the best passages: what is worth quoting stands there.
PASSAGES_READ = 8
MIN_WORDS = 6
MAX_WORDS = 60
SAME_COSINE = 0.9


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """When the corpus is held to answer a question, and how the sentences are chosen.

    The probability that it does is a logistic function of three signs in [0, 1]: the best passage's cosine to the
    question, the best sentence's, and the largest share of the question's terms, weighted by rarity, in one passage.
    The weights fit the cosines of the default embedding model; docs/retrieval.md says on which questions they were
    fitted and how often the rule is right on others. at_least is the probability from which there is an answer. k is
    the most sentences quoted; each needs share_of_best of the best one's score. overlap_weight and quality_weight
    are the shares of terms and of standing alone in a sentence's score; the rest is meaning.
    """

    bias: float = -7.5
    passage_cosine: float = 7.7
    sentence_cosine: float = 3.8
    passage_terms: float = 3.7
    at_least: float = 0.5
    k: int = 3
    share_of_best: float = 0.75
    overlap_weight: float = 0.30
    quality_weight: float = 0.10


class Signs(NamedTuple):
    """What speaks for the corpus holding an answer, each in [0, 1]; names as in AnswerRule."""

    passage_cosine: float
    sentence_cosine: float
    passage_terms: float


class Candidate(NamedTuple):
    """A sentence of an evidence line, with its score and its cosine to the question, both in [0, 1]."""

    text: str
    line: EvidenceLine
    score: float
    cosine: float


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
    cosines = np.clip(rows @ asked, 0.0, 1.0).tolist()
    candidates = [
        _candidate(text, line, cosine, wanted, rarity, rule)
        for (text, line), cosine in zip(sentences.items(), cosines, strict=True)
    ]
    candidates.sort(key=lambda one: (-one.score, one.text))
    return Reading(question, tuple(candidates), vectors, _signs(lines, candidates, wanted, rarity))


def best_passages(lines: Sequence[EvidenceLine]) -> list[tuple[EvidenceLine, Passage]]:
    """The best passages of the evidence, best first, each with its line."""
    pairs = [(line, passage) for line in lines for passage in line.passages]
    pairs.sort(key=lambda pair: (-pair[1].score, pair[1].chunk_id))
    return pairs[:PASSAGES_READ]


def probability(signs: Signs, rule: AnswerRule) -> float:
    """How likely it is that the corpus answers the question, in (0, 1).

    >>> rule = AnswerRule(bias=-2.0, passage_cosine=0, sentence_cosine=4.0, passage_terms=0)
    >>> round(probability(Signs(0, 0.5, 0), rule), 2)
    0.5
    """
    weights = (rule.passage_cosine, rule.sentence_cosine, rule.passage_terms)
    return 1.0 / (1.0 + math.exp(-rule.bias - sum(w * s for w, s in zip(weights, signs, strict=True))))


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
            if all(reading.cosine(one, other) < SAME_COSINE for other in kept):
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
    cosine: float,
    wanted: Collection[str],
    rarity: Mapping[str, float],
    rule: AnswerRule,
) -> Candidate:
    overlap = term_overlap(wanted, set(index_terms(text)), rarity)
    meaning = (1.0 - rule.overlap_weight - rule.quality_weight) * cosine
    score = meaning + rule.overlap_weight * overlap + rule.quality_weight * standalone_quality(text)
    return Candidate(text, line, score, cosine)


def _signs(
    lines: Sequence[EvidenceLine],
    candidates: Sequence[Candidate],
    wanted: Collection[str],
    rarity: Mapping[str, float],
) -> Signs:
    passages = [passage for _, passage in best_passages(lines)]
    return Signs(
        max((max(0.0, passage.dense or 0.0) for passage in passages), default=0.0),
        max((one.cosine for one in candidates), default=0.0),
        max((term_overlap(wanted, set(index_terms(p.text)), rarity) for p in passages), default=0.0),
    )
