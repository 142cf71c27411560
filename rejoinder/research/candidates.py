"""What could be quoted: stretches of one to three whole sentences out of passages.

What belongs here: cutting passages into candidates, and the second at which each begins. Scoring them
belongs in evidence.py.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.values import Passage
from rejoinder.llm.ports import Vectors
from rejoinder.research.sentence_quality import continues_well, is_advertising, is_quotable
from rejoinder.text.sentences import sentence_spans

AD_REACH = 5
# A recording's first seconds announce what is to come; nothing is said there yet.
TEASER_S = 15.0
MAX_SENTENCES = 3
MAX_WORDS = 75


@dataclass(frozen=True, slots=True)
class Candidate:
    """Consecutive sentences of a passage that can be quoted together.

    start_s is the second at which they begin in the recording, None without times.
    """

    passage: Passage
    sentences: tuple[str, ...]
    start_s: float | None

    @property
    def text(self) -> str:
        """The sentences as one quotation."""
        return " ".join(self.sentences)


def candidates_in(passages: Sequence[Passage]) -> list[Candidate]:
    """Every quotable stretch of the passages, in order, each text once.

    Sentences within five of an advertising one are left out, because sponsor reads come in blocks, and no
    quote begins in a recording's first 15 seconds.
    """
    found: dict[str, Candidate] = {}
    for passage in passages:
        for candidate in _candidates_of(passage):
            found.setdefault(candidate.text, candidate)
    return list(found.values())


def candidate_vectors(candidates: Sequence[Candidate], vectors: Mapping[str, Vectors]) -> Vectors:
    """One vector per candidate: the mean of its sentences' vectors, scaled to unit length.

    Args:
        candidates: at least one.
        vectors: sentence -> vector of shape (dim,), for every sentence of every candidate.

    Returns:
        Shape (len(candidates), dim), float32.
    """
    means = np.stack([np.mean([vectors[s] for s in one.sentences], axis=0) for one in candidates])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return np.asarray(means / np.maximum(lengths, 1e-12), dtype=np.float32)


def distinct_sentences(candidates: Sequence[Candidate]) -> list[str]:
    """Each sentence of the candidates once, in order: what has to be embedded."""
    return list(dict.fromkeys(sentence for one in candidates for sentence in one.sentences))


def second_at(passage: Passage, offset: int) -> float | None:
    """The second at which a character of the passage is spoken, by its share of the text.

    None where the transcript has no times; the passage's start where its end is unknown.
    """
    if passage.start_s is None:
        return None
    length_s = max(0.0, (passage.end_s or passage.start_s) - passage.start_s)
    return passage.start_s + length_s * offset / max(1, len(passage.text))


def _candidates_of(passage: Passage) -> Iterator[Candidate]:
    spans = sentence_spans(passage.text)
    sentences = [" ".join(passage.text[start:end].split()) for start, end in spans]
    selling = [i for i, sentence in enumerate(sentences) if is_advertising(sentence)]
    clean = [
        continues_well(sentence) and all(abs(i - ad) > AD_REACH for ad in selling)
        for i, sentence in enumerate(sentences)
    ]
    for i, sentence in enumerate(sentences):
        start_s = second_at(passage, spans[i].start)
        is_teaser = start_s is not None and start_s < TEASER_S
        if clean[i] and is_quotable(sentence) and not is_teaser:
            for end in _ends(sentences, clean, i):
                yield Candidate(passage, tuple(sentences[i:end]), start_s)


def _ends(sentences: Sequence[str], clean: Sequence[bool], start: int) -> Iterator[int]:
    for end in range(start + 1, min(len(sentences), start + MAX_SENTENCES) + 1):
        if not clean[end - 1] or sum(len(s.split()) for s in sentences[start:end]) > MAX_WORDS:
            return
        yield end
