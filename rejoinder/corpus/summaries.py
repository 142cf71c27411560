"""Summaries: what a source, or everything of a month, says, each statement with where it was said.

What belongs here: the port ``Summariser``, the extractive summariser behind it, which sentences may
stand in a summary, and from how many a summary is made. Storing summaries belongs in resources.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from rejoinder.corpus.asides import is_filler, without_asides
from rejoinder.corpus.centrality import most_telling
from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.plain_speech import plain
from rejoinder.corpus.speech import Sentence, sentences_of
from rejoinder.corpus.standing_alone import is_statement, standing
from rejoinder.corpus.trimming import trimmed
from rejoinder.corpus.values import Transcript
from rejoinder.ids import canonical_json, sha256_hex
from rejoinder.llm.ports import Embedder

EPOCH_SENTENCES = 8
_SOURCE_SENTENCES, _MOST_SENTENCES = 4, 6
_WORDS_PER_SENTENCE = 6000
_MIN_WORDS, _MAX_WORDS = 9, 42
# So many sentences that can be read alone are choice enough.
_CHOICE = 30
# A shorter summary is better than one of sentences that hardly can (log-odds), down to four sentences.
_LEAST_STANDING, _FEWEST = -1.0, 4


@dataclass(frozen=True, slots=True)
class Material:
    """What a summary is made from.

    candidates can stand alone and come in order; sources says for each which source it is from, so that a
    summary can spread over them; keywords tell what they are about; n_sentences is how long it may be, > 0.
    ref names what is summarised ("source:3"); a summary does not depend on it.
    """

    candidates: Sequence[Sentence]
    sources: Sequence[int]
    keywords: Sequence[Keyword]
    n_sentences: int
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of a summary, made from the candidate at position ``origin``."""

    text: str
    origin: int


class Summariser(Protocol):
    """Condenses sentences: by choosing among them, or with a language model in its own words."""

    @property
    def method(self) -> str:
        """Name and version of the method and its model; a summary by another method is made anew."""

    def summarise(self, material: Material) -> list[Statement]:
        """At most ``n_sentences`` statements, in the order of their origins; none of no candidates.

        The same material gives the same statements.
        """


@dataclass(frozen=True, slots=True)
class ExtractiveSummariser:
    """Chooses the sentences that together say most; implements Summariser without a language model."""

    embedder: Embedder

    @property
    def method(self) -> str:
        """Changes with the rules of choice and with the embedding model."""
        return f"extractive.v3/{self.embedder.model}"

    def summarise(self, material: Material) -> list[Statement]:
        """The most telling sentences as they stand, in order."""
        chosen = most_telling(
            material.candidates,
            self.embedder.embed,
            keywords=material.keywords,
            sources=material.sources,
            n_wanted=material.n_sentences,
        )
        return [Statement(material.candidates[i].text, i) for i in sorted(chosen)]


def summary_candidates(transcript: Transcript) -> list[Sentence]:
    """Sentences that can stand alone, made plain: statements of 9 to 42 words, no filler, no asides.

    Of them those that can best be read alone, at most thirty. Each keeps its seconds.
    """
    language = (transcript.language or "en")[:2].casefold()
    sentences = [
        replace(sentence, text=plain(sentence.text, language)) for sentence in sentences_of(transcript.cues)
    ]
    kept = set(without_asides([sentence.text for sentence in sentences]))
    told = [
        cut
        for sentence in _once_each(sentences)
        if sentence.text in kept
        and _has_length((cut := _cut_down(sentence, language)).text)
        and not is_filler(cut.text)
    ]
    return _best_standing([one for one in told if is_statement(one.text)] or told)


def _best_standing(sentences: Sequence[Sentence]) -> list[Sentence]:
    """Those that can best be read alone, in order; the worst only where there are hardly any better."""
    by_standing = sorted(sentences, key=lambda sentence: -standing(sentence.text))
    kept = [
        sentence
        for rank, sentence in enumerate(by_standing[:_CHOICE])
        if rank < _FEWEST or standing(sentence.text) >= _LEAST_STANDING
    ]
    chosen = {id(sentence) for sentence in kept}
    return [sentence for sentence in sentences if id(sentence) in chosen]


def n_source_sentences(transcript: Transcript) -> int:
    """How many sentences a source's summary has: 4, and one more for each 6,000 words, at most 6.

    >>> from rejoinder.corpus.values import Cue
    >>> n_source_sentences(Transcript("Ink", "text", (Cue("ink " * 6000),)))
    5
    """
    n_words = sum(len(cue.text.split()) for cue in transcript.cues)
    return min(_SOURCE_SENTENCES + n_words // _WORDS_PER_SENTENCE, _MOST_SENTENCES)


def input_hash(method: str, made_from: Sequence[object]) -> str:
    """SHA-256 of what a summary is made from: the method and everything that goes in, 64 hex digits.

    >>> input_hash("a", ["b", "c"]) == input_hash("a", ["bc"])
    False
    """
    return sha256_hex(canonical_json([method, *made_from]))


def _cut_down(sentence: Sentence, language: str) -> Sentence:
    """The sentence without what doesn't belong to its statement; its seconds stay."""
    return replace(sentence, text=trimmed(sentence.text, standing)) if language == "en" else sentence


def _once_each(sentences: Iterable[Sentence]) -> list[Sentence]:
    return list({sentence.text.casefold(): sentence for sentence in reversed(list(sentences))}.values())[::-1]


def _has_length(text: str) -> bool:
    return _MIN_WORDS <= len(text.split()) <= _MAX_WORDS
