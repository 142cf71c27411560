"""Extractive summaries: sentences of the source itself, chosen for coverage, said once each.

Two steps around the embedding: ``summary_candidates`` picks sentences that can stand alone, the
caller embeds them, ``summarise`` chooses. No model is called here.

Source: centroid relevance as in Radev et al., "Centroid-based summarization of multiple documents",
2004; redundancy by maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998.
"""

from collections.abc import Sequence

import numpy as np
import regex

from rejoinder.corpus.asides import is_filler, without_asides
from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.speech import Sentence, sentences_of
from rejoinder.corpus.values import Transcript
from rejoinder.llm.ports import Vectors

N_SENTENCES = 4
_DIVERSITY = 0.3
_KEYWORD_SHARE = 0.5
# Hosts tell at the outset what an episode is about (the lead of a news story).
_LEAD_S = 120.0
_LEAD_BONUS = 0.25
_MIN_WORDS, _MAX_WORDS = 9, 42
_MAX_CANDIDATES = 1500
# A sentence that leans on the one before, or on the moment, can't stand in a summary.
_LEANING = regex.compile(
    r"(?i)^(?:(?:and|but|so|or|because|well|yeah|yes|no|right|okay|ok|oh|like|also|then|now|um|uh|for example|which|"
    r"of course|in fact|i|i'm|i've|i'd|it|it's|that|that's|this|these|those|they|they're|he|she|there|you|you're|"
    r"if you|when you|what)\b)"
)
_LOOSE = regex.compile(
    r"(?i)\b(?:you know|i mean|i think|i guess|kind of|sort of|sorry|stuff like|or whatever|let's|um|uh|"
    r"yeah|laugh|gonna|i'm|i've|i was|my|me)\b|--|\.\.\.|…"
)


def summary_candidates(transcript: Transcript) -> list[Sentence]:
    """Sentences that can stand alone: told as statements, no filler, no asides, 9 to 42 words.

    Where fewer than three pass, sentences that only lean on others are let in; at most 1,500.
    """
    sentences = sentences_of(transcript.cues)
    kept = set(without_asides([sentence.text for sentence in sentences]))
    told = [
        sentence
        for sentence in sentences
        if sentence.text in kept and _has_length(sentence.text) and not is_filler(sentence.text)
    ]
    alone = [sentence for sentence in told if _stands_alone(sentence.text)]
    chosen = alone if len(alone) >= 3 else told
    step = -(-len(chosen) // _MAX_CANDIDATES) or 1
    return chosen[::step]


def summarise(
    candidates: Sequence[Sentence],
    vectors: Vectors,
    *,
    keywords: Sequence[Keyword] = (),
    n_sentences: int = N_SENTENCES,
) -> list[Sentence]:
    """Choose the sentences that together say most, in the order in which they were said.

    Args:
        candidates: sentences that can stand alone, in order.
        vectors: (n_candidates, dim) float32, rows of unit length.
        keywords: the source's keywords; sentences that hold them are preferred.
        n_sentences: how many to choose, > 0; fewer where there are fewer candidates.

    Raises:
        ValueError: candidates and vectors differ in number.
    """
    if len(candidates) != len(vectors):
        raise ValueError(f"{len(candidates)} candidates but {len(vectors)} vectors")
    if not candidates:
        return []
    centroid = vectors.mean(axis=0)
    relevance = vectors @ (centroid / max(float(np.linalg.norm(centroid)), 1e-9))
    relevance = relevance + _KEYWORD_SHARE * _keyword_shares(candidates, keywords) + _lead_bonus(candidates)
    chosen = _by_marginal_relevance(relevance, vectors @ vectors.T, n_sentences)
    return [candidates[i] for i in sorted(chosen)]


def _by_marginal_relevance(relevance: Vectors, alike: Vectors, n_wanted: int) -> list[int]:
    """Positions by maximal marginal relevance: relevant, and unlike what was chosen already."""
    chosen: list[int] = []
    redundancy = np.zeros(len(relevance), dtype=np.float32)
    while len(chosen) < min(n_wanted, len(relevance)):
        gain = (1 - _DIVERSITY) * relevance - _DIVERSITY * redundancy
        gain[chosen] = -np.inf
        best = int(np.argmax(gain))
        chosen.append(best)
        redundancy = np.maximum(redundancy, alike[best])
    return chosen


def _keyword_shares(candidates: Sequence[Sentence], keywords: Sequence[Keyword]) -> Vectors:
    """Summed scores of the keywords in each sentence, scaled to at most 1; shape (n_candidates,)."""
    shares = np.array(
        [
            sum(keyword.score for keyword in keywords if keyword.term.casefold() in candidate.text.casefold())
            for candidate in candidates
        ],
        dtype=np.float32,
    )
    return shares / max(float(shares.max()), 1e-9)


def _lead_bonus(candidates: Sequence[Sentence]) -> Vectors:
    """The bonus of the sentences of the first two minutes; shape (n_candidates,)."""
    in_lead = [candidate.start_s is not None and candidate.start_s < _LEAD_S for candidate in candidates]
    return np.array(in_lead, dtype=np.float32) * np.float32(_LEAD_BONUS)


def _has_length(text: str) -> bool:
    return _MIN_WORDS <= len(text.split()) <= _MAX_WORDS


def _stands_alone(text: str) -> bool:
    is_statement = text[0].isupper() and text.rstrip("\"'”’").endswith((".", "!", "。"))
    return is_statement and not _LEANING.match(text) and not _LOOSE.search(text)
