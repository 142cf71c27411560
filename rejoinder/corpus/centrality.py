"""Which sentences of many together say most: central, about the keywords, told as statements, said once.

Sources: centrality of a sentence in the graph of similarities, Erkan & Radev, "LexRank", JAIR 22, 2004
(degree form); cue phrases and position, Edmundson, "New methods in automatic extracting", JACM 1969;
redundancy by maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998.
"""

from collections.abc import Callable, Sequence

import numpy as np
import regex

from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.standing_alone import standing
from rejoinder.llm.ports import Vectors

# So many sentences are compared by meaning: embedding every sentence of a five-hour recording would
# take longer than everything else together.
MAX_EMBEDDED = 160
_DIVERSITY = 0.35
_KEYWORD_SHARE = 0.5
_SUBJECT_WORDS = 4
_SIMILAR = 0.3
_SAME = 0.92
_FROM_ONE_SOURCE = 2
# Hosts tell at the outset what an episode is about (the lead of a news story).
_LEAD_S = 120.0
_LEAD = 0.35
_ANNOUNCED = 0.15
# How much it counts that a sentence can be read alone, in log-odds of at least so many.
_STANDING, _LEAST_STANDING = 0.55, -4.0
_ANNOUNCEMENT = regex.compile(
    r"(?i)\b(?:today|tonight|this (?:\p{L}+ ){0,3}(?:episode|week|evening|morning|conversation)|we have \p{Lu}"
    r"|(?:is|are) our guests?|join(?:s|ing) us|here to|(?:dig|dive in|get) (?:in)?to|we (?:discuss|look|trace) "
    r"|to kick off|special treat|stay tuned|we can talk|our listeners|last time"
    r"|you(?:'ve| have)? (?:talked|mentioned|said|described))\b"
)


def most_telling(
    candidates: Sequence[Sentence],
    embed: Callable[[Sequence[str]], Vectors],
    *,
    keywords: Sequence[Keyword],
    sources: Sequence[int],
    n_wanted: int,
) -> list[int]:
    """Positions of the sentences that together say most, the best first.

    Args:
        candidates: sentences that can stand alone, in order.
        embed: gives (n, dim) float32, rows of unit length; called once with at most 160 texts.
        keywords: what the sentences are about; those that hold them are preferred.
        sources: which source each sentence is from; of many, none gives more than its share or two.
        n_wanted: how many to choose, > 0; fewer where there are fewer candidates.

    Raises:
        ValueError: candidates and sources differ in number.
    """
    if len(candidates) != len(sources):
        raise ValueError(f"{len(candidates)} candidates but {len(sources)} sources")
    if not candidates:
        return []
    weights = _surface_weights(candidates, keywords)
    # Of equals the earlier: the sort is stable.
    kept = np.sort(np.argsort(-weights, kind="stable")[:MAX_EMBEDDED])
    vectors = embed([candidates[i].text for i in kept])
    alike = np.clip(vectors @ vectors.T, 0.0, 1.0)
    relevance = weights[kept] + _centrality(alike)
    most = max(_FROM_ONE_SOURCE, -(-n_wanted // len(set(sources))))
    chosen = by_marginal_relevance(relevance, alike, n_wanted, groups=[sources[i] for i in kept], most=most)
    return [int(kept[i]) for i in chosen]


def by_marginal_relevance(
    relevance: Vectors, alike: Vectors, n_wanted: int, *, groups: Sequence[int], most: int
) -> list[int]:
    """Positions by maximal marginal relevance: relevant, and unlike what was chosen already.

    Args:
        relevance: shape (n,).
        alike: similarities in [0, 1], shape (n, n).
        n_wanted: how many to choose, > 0.
        groups: the group of each position, shape (n,).
        most: the most positions of one group, > 0.
    """
    chosen: list[int] = []
    group_of = np.asarray(groups)
    redundancy = np.zeros(len(relevance), dtype=np.float32)
    is_open = np.ones(len(relevance), dtype=bool)
    while len(chosen) < n_wanted and is_open.any():
        gain = (1 - _DIVERSITY) * relevance - _DIVERSITY * redundancy
        best = int(np.argmax(np.where(is_open, gain, -np.inf)))
        chosen.append(best)
        # Nearly the same words a second time say nothing more.
        is_open &= alike[best] < _SAME
        is_open[best] = False
        if int((group_of[chosen] == group_of[best]).sum()) >= most:
            is_open &= group_of != group_of[best]
        redundancy = np.maximum(redundancy, alike[best])
    return chosen


def _centrality(alike: Vectors) -> Vectors:
    """Summed similarity to the sentences that are similar at all, scaled to at most 1; shape (n,)."""
    degrees = np.where(alike >= _SIMILAR, alike, 0.0).sum(axis=1) - 1.0
    return np.asarray(degrees / max(float(degrees.max()), 1e-9), dtype=np.float32)


def _surface_weights(candidates: Sequence[Sentence], keywords: Sequence[Keyword]) -> Vectors:
    """What the words tell without their meaning: keywords, position, cue phrases, persons; shape (n,)."""
    texts = [candidate.text for candidate in candidates]
    lead = np.array([c.start_s is not None and c.start_s < _LEAD_S for c in candidates], dtype=np.float32)
    announced = np.array([_ANNOUNCEMENT.search(text) is not None for text in texts], dtype=np.float32)
    alone = np.array([max(standing(text), _LEAST_STANDING) for text in texts], dtype=np.float32)
    weights = _KEYWORD_SHARE * _keyword_shares(texts, keywords) + _LEAD * lead - _ANNOUNCED * announced
    return np.asarray(weights + _STANDING * alone, dtype=np.float32)


def _keyword_share(text: str, term: regex.Pattern[str], score: float) -> float:
    found = term.search(text)
    if found is None:
        return 0.0
    return 2 * score if text.count(" ", 0, found.start()) < _SUBJECT_WORDS else score


def _keyword_shares(texts: Sequence[str], keywords: Sequence[Keyword]) -> Vectors:
    """Root of the summed scores of the keywords in each text, scaled to at most 1; shape (n,).

    One at the beginning, where the subject stands, counts twice.
    """
    terms = [(regex.compile(rf"(?i)\b{regex.escape(k.term)}"), k.score) for k in keywords]
    shares = np.array([sum(_keyword_share(text, term, score) for term, score in terms) for text in texts])
    # The root: a second keyword says less than the first.
    return np.asarray(np.sqrt(shares / max(float(shares.max()), 1e-9)), dtype=np.float32)
