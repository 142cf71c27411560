"""Which sentences of many together say most: central, about the keywords, told as statements, said once.

Sources: centrality of a sentence in the graph of similarities, Erkan & Radev, "LexRank", JAIR 22, 2004
(degree form); cue phrases and position, Edmundson, "New methods in automatic extracting", JACM 1969;
redundancy by maximal marginal relevance, Carbonell & Goldstein, SIGIR 1998.
"""

from collections.abc import Callable, Sequence

import numpy as np
import regex

from rejoinder.corpus.asides import CHATTER
from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.speech import Sentence
from rejoinder.llm.ports import Vectors
from rejoinder.text.function_words import function_words

# So many sentences are compared by meaning: embedding every sentence of a five-hour recording would
# take longer than everything else together.
MAX_EMBEDDED = 160
_DIVERSITY = 0.35
_KEYWORD_SHARE = 0.5
_SIMILAR = 0.3
_SAME = 0.92
_FROM_ONE_SOURCE = 2
# Hosts tell at the outset what an episode is about (the lead of a news story).
_LEAD_S = 120.0
_LEAD = 0.35
_CUE = 0.15
# Shares of a sentence's words: of those that talk about the speakers or hedge, and of those that tell.
_TALK = 0.8
_TELLING = 0.5
_CUES = regex.compile(
    r"(?i)^(?:\p{L}[\p{L}\p{N}.+’'-]*\s){1,4}(?:is|are|was|means)\s(?:an?|the|one of|about|based)\b"
    r"|\bthe (?:\p{L}+ )?(?:idea|goal|point|problem|challenge|reason|difference|purpose|advantage|lesson|key|principle"
    r"|question|result|core|trade-?off) (?:is|was|of|behind|with|between|that)\b"
    r"|\b(?:enables?|allows?|provides?|requires?|depends? on|instead of|rather than|because|therefore|means that"
    r"|in order to|designed to|turns out|in other words|compared to)\b"
)
_ANNOUNCEMENT = regex.compile(
    r"(?i)\b(?:today|tonight|this (?:\p{L}+ ){0,3}(?:episode|week|evening|morning|conversation)|we have \p{Lu}"
    r"|(?:is|are) our guests?|join(?:s|ing) us|here to|(?:dig|dive in|get) (?:in)?to|we (?:discuss|look|trace) "
    r"|to kick off|special treat|stay tuned|we can talk|our listeners|last time"
    r"|you(?:'ve| have)? (?:talked|mentioned|said|described))\b"
)
_TALKING = regex.compile(
    r"(?i)\b(?:you|your|yours|yourself|we|we're|we've|us|our|i|they|them|he|she|it|just|really|pretty|actually|maybe"
    r"|probably|very|these|those|this|there|like|kind|sort|some|something|things?|stuff|a lot|lots|definitely"
    r"|certainly|whatever|somehow)\b"
)
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#-]*")


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
    cues = np.array([_CUES.search(text) is not None for text in texts], dtype=np.float32)
    announced = np.array([_ANNOUNCEMENT.search(text) is not None for text in texts], dtype=np.float32)
    talk = np.array([len(_TALKING.findall(text)) / len(text.split()) for text in texts], dtype=np.float32)
    told = np.array([_telling_share(text) for text in texts], dtype=np.float32)
    weights = _KEYWORD_SHARE * _keyword_shares(texts, keywords) + _LEAD * lead + _CUE * (cues - announced)
    return np.asarray(weights + _TELLING * told - _TALK * talk, dtype=np.float32)


def _telling_share(text: str) -> float:
    """Share of the words that are neither function words nor chatter, in [0, 1]."""
    words = [word.casefold() for word in _WORD.findall(text)]
    binding = function_words()
    return sum(word not in CHATTER and word not in binding for word in words) / max(len(words), 1)


def _keyword_shares(texts: Sequence[str], keywords: Sequence[Keyword]) -> Vectors:
    """Summed scores of the keywords in each text, scaled to at most 1; shape (n,)."""
    terms = [(regex.compile(rf"(?i)\b{regex.escape(k.term)}"), k.score) for k in keywords]
    shares = np.array(
        [sum(score for term, score in terms if term.search(text)) for text in texts], dtype=np.float32
    )
    return shares / max(float(shares.max()), 1e-9)
