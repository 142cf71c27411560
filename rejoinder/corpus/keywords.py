"""Keywords of a source: the terms that a person would listen for on a social network.

YAKE proposes candidates from the speech without labels, greetings, sponsors and chatter; this
module keeps those that are said often enough, prefers several words to one, and drops names of
speakers, sponsors and shows.

Source of the candidates' scores: Campos et al., "YAKE! Keyword extraction from single documents
using multiple local features", Information Sciences 509, 2020.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex

from rejoinder.corpus.asides import CHATTER, Names, names_in, without_asides
from rejoinder.corpus.speech import sentences_of
from rejoinder.corpus.values import Transcript
from rejoinder.text.terms import index_terms
from rejoinder.text.word_lists import word_set

_CANDIDATES = 250
_MIN_COUNT = 3
# A word alone says less of what is meant than two, unless it is a name.
_SINGLE_NAME_PENALTY = 3.0
_SINGLE_WORD_PENALTY = 40.0
# Terms that stand so far behind the best are noise, unless there is hardly anything else.
_MIN_SCORE = 0.15
_ALWAYS_KEPT = 5
# French and Italian write articles and pronouns onto the word: c'est, l'objet.
_ELIDING = ("fr", "it", "ca")
_ELISION = regex.compile(r"(?i)\b(?:[cdjlmnst]|qu|dell|all|un)['’]")
_PLURAL_ACRONYM = regex.compile(r"(?<=\p{Lu}{2})s\b")
_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#-]*")


_INSIDE = word_set("a an the of for in on to and or with by from at as")


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term and how much it stands for its source: score in (0, 1], higher is better."""

    term: str
    score: float


@dataclass(frozen=True, slots=True)
class _Candidate:
    term: str
    penalised: float
    stems: tuple[str, ...]
    count: int


def extract_keywords(transcript: Transcript, *, limit: int = 15) -> list[Keyword]:
    """The transcript's keywords, best first; none where nothing is said often enough.

    Args:
        transcript: any parsed transcript; its language (default English) chooses YAKE's stop words.
        limit: the most keywords, > 0.

    Returns:
        At most ``limit`` keywords, no two with the same stems; the best has score 1.
    """
    told = [sentence.text for sentence in sentences_of(transcript.cues)]
    names = _names(transcript, told)
    language = (transcript.language or "en")[:2]
    subject = " ".join(without_asides(told))
    subject = _ELISION.sub(" ", subject) if language in _ELIDING else subject
    found = _yake(subject, language)
    candidates = sorted(_candidates(found, subject, names), key=lambda candidate: candidate.penalised)
    chosen = _distinct(candidates)[:limit]
    # YAKE's scores are small and better when smaller; their square roots spread evenly enough.
    scored = [Keyword(one.term, round(math.sqrt(chosen[0].penalised / one.penalised), 4)) for one in chosen]
    return [one for rank, one in enumerate(scored) if rank < _ALWAYS_KEPT or one.score >= _MIN_SCORE]


def _names(transcript: Transcript, told: Iterable[str]) -> Names:
    introduced = names_in(told)
    speakers = {cue.speaker.casefold() for cue in transcript.cues if cue.speaker}
    return introduced._replace(people=introduced.people | speakers)


def _yake(text: str, language: str) -> list[tuple[str, float]]:
    """YAKE's candidates with their scores (smaller is better)."""
    # Imported here: it brings networkx along, which takes most of a second.
    from yake import KeywordExtractor

    extractor = KeywordExtractor(lan=language, n=3, top=_CANDIDATES, dedup_lim=0.95)
    extractor.stopword_set = set(extractor.stopword_set) | CHATTER
    return [(term, max(float(score), 1e-9)) for term, score in extractor.extract_keywords(text)]


def _candidates(found: Iterable[tuple[str, float]], text: str, names: Names) -> Iterable[_Candidate]:
    counts = _counts(text)
    capitalised = _capitalised(text)
    for term, score in found:
        words = _WORD.findall(term.casefold())
        stems = tuple(index_terms(_PLURAL_ACRONYM.sub("", term)))
        count = counts[" ".join(words)]
        if count < _MIN_COUNT or not _is_subject(words, stems, names):
            continue
        shown = capitalised.get(" ".join(words), " ".join(words))
        yield _Candidate(shown, score * _penalty(shown, len(words)) / math.log2(1 + count), stems, count)


def _is_subject(words: Sequence[str], stems: Sequence[str], names: Names) -> bool:
    """Whether the words can be a subject: no chatter at the ends, no repeats, no names."""
    if not stems or len(set(stems)) < len(words) - sum(word in _INSIDE for word in words):
        return False
    if words[0] in CHATTER or words[-1] in CHATTER or all(len(word) < 3 for word in words):
        return False
    people = {part for name in names.people for part in name.split() if len(part) > 2}
    if people.intersection(words) or any(" ".join(words) in show for show in names.shows if " " in show):
        return False
    return not any(name.split()[0] in words for name in names.sponsors)


def _penalty(shown: str, n_words: int) -> float:
    if n_words > 1:
        return 1.0
    return _SINGLE_WORD_PENALTY if shown.islower() else _SINGLE_NAME_PENALTY


def _counts(text: str) -> Counter[str]:
    """How often each run of one to three words is said."""
    words = [word.casefold() for word in _WORD.findall(text)]
    return Counter(" ".join(words[i : i + n]) for n in (1, 2, 3) for i in range(len(words) - n + 1))


def _capitalised(text: str) -> dict[str, str]:
    """Runs of words that are mostly written with capitals, inside sentences, as they are written."""
    words = _WORD.findall(text)
    spellings: dict[str, Counter[str]] = {}
    for n in (1, 2, 3):
        for i in range(1, len(words) - n + 1):
            run = " ".join(words[i : i + n])
            spellings.setdefault(run.casefold(), Counter())[run] += 1
    usual = {folded: counts.most_common(1)[0][0] for folded, counts in spellings.items()}
    return {folded: spelling for folded, spelling in usual.items() if not spelling.islower()}


def _distinct(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Leave out what a better candidate says already: the same stems, or mostly as a part of it."""
    chosen: list[_Candidate] = []
    for candidate in candidates:
        stems = set(candidate.stems)
        overlaps = (_overlap(stems, set(other.stems)) for other in chosen)
        if not any(overlap > 0.6 for overlap in overlaps) and not _is_part(candidate, candidates):
            chosen.append(candidate)
    return chosen


def _overlap(first: set[str], second: set[str]) -> float:
    if "".join(sorted(first)) == "".join(sorted(second)):
        return 1.0
    return len(first & second) / len(first | second)


def _is_part(candidate: _Candidate, others: Sequence[_Candidate]) -> bool:
    """Whether the candidate is mostly said inside one longer candidate."""
    stems = set(candidate.stems)
    return any(stems < set(other.stems) and other.count > 0.6 * candidate.count for other in others)
