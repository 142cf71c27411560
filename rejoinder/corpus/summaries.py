"""Summaries: what a source, or everything of a month, says, each statement with where it was said.

What belongs here: the port ``Summariser``, the extractive summariser behind it, which sentences may
stand in a summary, and from how many a summary is made. Storing summaries belongs in resources.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import regex

from rejoinder.corpus.asides import is_filler, without_asides
from rejoinder.corpus.centrality import most_telling
from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.plain_speech import plain
from rejoinder.corpus.speech import Sentence, sentences_of
from rejoinder.corpus.values import Transcript
from rejoinder.ids import canonical_json, sha256_hex
from rejoinder.llm.ports import Embedder

EPOCH_SENTENCES = 8
_SOURCE_SENTENCES, _MOST_SENTENCES = 4, 6
_WORDS_PER_SENTENCE = 6000
_MIN_WORDS, _MAX_WORDS = 9, 42
# A sentence that leans on the one before, or on the moment, can't stand in a summary.
_LEANING = regex.compile(
    r"(?i)^(?:(?:because|also|then|for example|which|in fact|though|although|otherwise|i|i'm|i've|i'd|i'll|it|it's|its|"
    r"that|that's|this|these|those|they|they're|they've|them|he|he's|she|she's|his|her|there|there's|you|you're|"
    r"you've|you'll|we'll|let|let's|if you|when you|what|what's|who|how|why|where|or|of|as|than|is|are|was|were|"
    r"have|has|had|do|does|did|be|been|can|could|would|will|should|such|(?:some|one|all|most) of (?:these|those|that)|"
    r"both|another|not|just|even|maybe|same|here|here's|almost|plus|instead|either|neither|no,|give|take|put|use|say|"
    r"love|think|thought|tell|in (?:that|this|which|these|those|other words)|with (?:that|this|some|these|those)|"
    r"for (?:one|those|that|this|us)|doing (?:that|this|so)|once (?:we|you|that)|the other|similarly|particularly|"
    r"probably|somehow|initially|specifically|certainly|whoever|having|often|we (?:did|do|tried)|after you|"
    r"under(?:neath)? the)\b|\p{L}+n['’]t\b|[^AaIi\P{Latin}]\s)"
)
_LOOSE = regex.compile(
    r"(?i)\b(?:i|i['’](?:m|d|ve|ll)|my|me|mine|you know|kind of|sort of|sorry|stuff|or whatever|let['’]s|um|uh|oh|yeah"
    r"|laugh|gonna|wanna|whatnot|hopefully|by the way|we['’]ll|(?:this|that) (?:guy|thing|one)|things like that"
    r"|something like|and things|et cetera|(?:in|over|down|up) there|make something up"
    r"|(?:is|was|are|of|it's|that's|be|at|just|,) like|like (?:an?|the|really|how|this|that|yes|one))\b"
    r"|--|\.\.\.|…|[\"“”]|[:;,–—-]$"
)


@dataclass(frozen=True, slots=True)
class Material:
    """What a summary is made from.

    candidates can stand alone and come in order; sources says for each which source it is from, so that a
    summary can spread over them; keywords tell what they are about; n_sentences is how long it may be, > 0.
    """

    candidates: Sequence[Sentence]
    sources: Sequence[int]
    keywords: Sequence[Keyword]
    n_sentences: int


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
        return f"extractive.v2/{self.embedder.model}"

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

    Where fewer than three pass, sentences that only lean on others are let in. Each keeps its seconds.
    """
    language = (transcript.language or "en")[:2].casefold()
    sentences = [
        replace(sentence, text=plain(sentence.text, language)) for sentence in sentences_of(transcript.cues)
    ]
    kept = set(without_asides([sentence.text for sentence in sentences]))
    told = [
        sentence
        for sentence in _once_each(sentences)
        if sentence.text in kept and _has_length(sentence.text) and not is_filler(sentence.text)
    ]
    alone = [sentence for sentence in told if stands_alone(sentence.text)]
    return alone if len(alone) >= 3 else told


def stands_alone(text: str) -> bool:
    """Whether a sentence says something without the one before it.

    >>> stands_alone("Digital ink keeps the pressure of every stroke."), stands_alone("It keeps the pressure.")
    (True, False)
    """
    is_statement = text[:1].isupper() and text.rstrip("'’)").endswith((".", "!", "。", "।"))
    return is_statement and not _LEANING.match(text) and not _LOOSE.search(text)


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


def _once_each(sentences: Iterable[Sentence]) -> list[Sentence]:
    return list({sentence.text.casefold(): sentence for sentence in reversed(list(sentences))}.values())[::-1]


def _has_length(text: str) -> bool:
    return _MIN_WORDS <= len(text.split()) <= _MAX_WORDS
