"""Evidence for a claim: which sentences of the corpus bear on it, how well, and what they say of it.

What belongs here: choosing among sentences of passages that retrieval found. Finding the passages belongs
in rejoinder.corpus; making vectors belongs behind the `Embedder` port.

No evidence is a value with its reason, never a guess. The verdict is modest on purpose: sentence vectors
do not tell "for" from "against", so evidence is ``related`` unless words show more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rejoinder.corpus.moments import Form
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.candidates import Candidate, candidate_vectors, candidates_in, distinct_sentences
from rejoinder.research.sentence_quality import standalone_quality
from rejoinder.research.verdicts import Verdict, verdict_of
from rejoinder.text.terms import index_terms

# A claim of many terms need not be met in full: its five rarest count.
TERMS_THAT_COUNT = 5
SHORT_TERM = 4
# How much of the meaning is the passage's, where its cosine is known.
TOPIC_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Evidence:
    """One to three sentences that bear on a claim.

    quote stands word for word in the chunk, white space apart. support in [0, 1] says how near it is to
    the claim and how well it stands alone. start_s is the second at which the quote begins: the chunk's
    start plus the share of its text before the quote, so right to a few seconds. speaker is None unless
    only one speaks there.
    """

    chunk_id: ChunkId
    source_id: SourceId
    source_title: str
    source_url: str | None
    quote: str
    start_s: float | None
    speaker: str | None
    support: float
    verdict: Verdict
    reason: str
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True, slots=True)
class NoEvidence:
    """There is nothing to answer with, and why; the post is rejected with this reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What counts as evidence.

    Every quote needs support of at_least, a cosine to the claim of min_cosine, `standalone_quality` of
    min_quality, and min_overlap of the claim's terms, weighted by rarity. One shared term must be at least
    min_rarity rare, else every sentence about Python would answer every post about Python; without such a
    term near_cosine and near_quality are asked for. The whole passage needs a cosine of min_topic (where it
    is known), unless most_overlap of the terms are shared: a passage may touch on several things.
    overlap_weight and quality_weight are the shares of term overlap and of standing alone in the support;
    the rest is meaning. k is the most quotes to keep. All but k lie in [0, 1].
    """

    k: int = 3
    at_least: float = 0.50
    min_cosine: float = 0.46
    min_topic: float = 0.38
    min_quality: float = 0.60
    min_overlap: float = 0.20
    most_overlap: float = 0.36
    min_rarity: float = 0.36
    near_cosine: float = 0.60
    near_quality: float = 0.80
    overlap_weight: float = 0.25
    quality_weight: float = 0.15


class Scored(NamedTuple):
    """A candidate with its scores, each in [0, 1]."""

    support: float
    cosine: float
    overlap: float
    quality: float
    has_anchor: bool
    candidate: Candidate


def find_evidence(
    claim: str,
    passages: Sequence[Passage],
    *,
    embedder: Embedder,
    rule: EvidenceRule,
    rarity: Mapping[str, float] | None = None,
) -> tuple[Evidence, ...] | NoEvidence:
    """Split passages, embed claim and sentences, and select.

    Args:
        claim: the claim or question, or the whole post.
        passages: what retrieval found, best first.
        embedder: called with the claim and with every sentence that could be quoted; a sentence comes back
            with many posts, so a caching embedder saves most of the work.
        rule: what counts as evidence.
        rarity: term -> rarity in (0, 1] over the whole corpus; a term left out has rarity 1.

    Returns:
        At most rule.k quotes, best first and none inside another; `NoEvidence` where none is good enough.
    """
    candidates = candidates_in(passages)
    if not candidates:
        return NoEvidence(_nothing_quotable(passages))
    sentences = distinct_sentences(candidates)
    (asked,) = embedder.embed([claim], "query")
    rows = candidate_vectors(candidates, dict(zip(sentences, embedder.embed(sentences), strict=True)))
    return select_evidence(claim, asked, candidates, rows, rule=rule, rarity=rarity)


def select_evidence(
    claim: str,
    claim_vector: Vectors,
    candidates: Sequence[Candidate],
    vectors: Vectors,
    *,
    rule: EvidenceRule,
    rarity: Mapping[str, float] | None = None,
) -> tuple[Evidence, ...] | NoEvidence:
    """Score every candidate against the claim and keep the best.

    Args:
        claim: the claim's text.
        claim_vector: shape (dim,), unit length.
        candidates: what to choose from.
        vectors: shape (len(candidates), dim), rows of unit length, in the candidates' order.
        rule: what counts as evidence.
        rarity: term -> rarity in (0, 1]; a term left out has rarity 1.

    Raises:
        ValueError: candidates and vectors differ in number.
    """
    if len(candidates) != len(vectors):
        raise ValueError(f"{len(candidates)} candidates for {len(vectors)} vectors")
    scores = _Scorer(claim, rule, rarity or {})
    cosines = np.clip(vectors @ claim_vector, 0.0, 1.0).tolist()
    scored = [scores.score(candidate, cosine) for candidate, cosine in zip(candidates, cosines, strict=True)]
    scored.sort(key=lambda one: (-one.support, one.candidate.text))
    kept = _apart([one for one in scored if _is_enough(one, rule)])
    if not kept:
        return NoEvidence(_too_weak(scored, rule))
    return tuple(_evidence(claim, one) for one in kept[: rule.k])


def _apart(scored: Sequence[Scored]) -> list[Scored]:
    kept: list[Scored] = []
    for one in scored:
        if not any(set(one.candidate.sentences) & set(other.candidate.sentences) for other in kept):
            kept.append(one)
    return kept


@dataclass(frozen=True, slots=True)
class _Scorer:
    claim: str
    rule: EvidenceRule
    rarity: Mapping[str, float]

    def score(self, candidate: Candidate, cosine: float) -> Scored:
        wanted, terms = set(index_terms(self.claim)), set(index_terms(candidate.text))
        overlap = term_overlap(wanted, terms, self.rarity)
        quality = standalone_quality(candidate.text)
        meaning = (1.0 - self.rule.overlap_weight - self.rule.quality_weight) * _with_topic(
            cosine, candidate.passage
        )
        support = meaning + self.rule.overlap_weight * overlap + self.rule.quality_weight * quality
        shared = _same_words(self.claim, candidate.text, wanted & terms)
        rarest = max((self.rarity.get(term, 1.0) for term in shared), default=0.0)
        has_anchor = rarest >= self.rule.min_rarity
        return Scored(round(min(1.0, support), 4), cosine, overlap, quality, has_anchor, candidate)


def _with_topic(cosine: float, passage: Passage) -> float:
    # A sentence may resemble the post by chance; a whole passage that does speaks of the same thing.
    return (
        cosine
        if passage.dense is None
        else TOPIC_SHARE * max(0.0, passage.dense) + (1 - TOPIC_SHARE) * cosine
    )


def _same_words(claim: str, sentence: str, terms: Collection[str]) -> set[str]:
    # A stemmer may fold different short names into one ("PyPy", "PyPI"): those must match letter for letter.
    common = set(_bare_words(claim)) & set(_bare_words(sentence))
    letter_for_letter = {term for word in common for term in index_terms(word)}
    return {term for term in terms if len(term) > SHORT_TERM or term in letter_for_letter}


def _bare_words(text: str) -> list[str]:
    return [word.strip(".,;:!?()[]\"'’") for word in text.lower().split()]


def _is_enough(one: Scored, rule: EvidenceRule) -> bool:
    worth = (
        one.overlap >= rule.min_overlap and one.quality >= rule.min_quality and one.support >= rule.at_least
    )
    telling = one.has_anchor or (one.cosine >= rule.near_cosine and one.quality >= rule.near_quality)
    return worth and telling and one.cosine >= rule.min_cosine and _is_on_topic(one, rule)


def _is_on_topic(one: Scored, rule: EvidenceRule) -> bool:
    topic = one.candidate.passage.dense
    return topic is None or topic >= rule.min_topic or (one.has_anchor and one.overlap >= rule.most_overlap)


def term_overlap(wanted: Collection[str], terms: Collection[str], rarity: Mapping[str, float]) -> float:
    """How much of the claim's terms a sentence holds, weighted by rarity, in [0, 1].

    >>> term_overlap({"gil", "python"}, {"gil", "remov"}, {"gil": 0.9, "python": 0.1})
    0.9
    """
    weights = {term: rarity.get(term, 1.0) for term in wanted}
    most = sum(sorted(weights.values(), reverse=True)[:TERMS_THAT_COUNT])
    return min(1.0, sum(weights[term] for term in set(wanted) & set(terms)) / most) if most else 0.0


def _evidence(claim: str, one: Scored) -> Evidence:
    passage = one.candidate.passage
    verdict, why = verdict_of(claim, one.candidate.text, cosine=one.cosine, overlap=one.overlap)
    return Evidence(
        chunk_id=passage.chunk_id,
        source_id=passage.source_id,
        source_title=passage.source_title,
        source_url=passage.source_url,
        quote=one.candidate.text,
        start_s=one.candidate.start_s,
        speaker=passage.speakers[0] if len(passage.speakers) == 1 else None,
        support=one.support,
        verdict=verdict,
        reason=f"cosine {one.cosine:.2f}, {one.overlap:.0%} of the terms; {why}",
    )


def _nothing_quotable(passages: Sequence[Passage]) -> str:
    if not passages:
        return "no passage of the corpus was found for this post"
    return f"no sentence of the {len(passages)} passages found can be quoted on its own"


def _too_weak(scored: Sequence[Scored], rule: EvidenceRule) -> str:
    best = next((one for one in scored if one.support >= rule.at_least), None)
    if best is not None:
        return f"of {len(scored)} sentences none that is near enough stands alone and shares a telling term"
    support = scored[0].support if scored else 0.0
    return f"the best of {len(scored)} sentences supports the post by {support:.2f}, {rule.at_least:.2f} is needed"
