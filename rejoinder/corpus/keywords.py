"""Keywords of a source: the terms that a person would listen for on a social network.

C-value ranks the runs of words in the speech without labels, greetings and sponsors; this module
weighs in whether they are said as names of things and whether their words belong together, prefers
several words to one, and drops chatter and names of speakers, sponsors and shows.

Sources: C-value as in c_value. NC-value (the same paper) learns from context words which candidates
are terms; one episode is too little to learn from, so the context words are a closed list here.
Cohesion after Park, Byrd & Boguraev, "Automatic glossary extraction", COLING 2002.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import regex

from rejoinder.corpus.asides import CHATTER, GENERAL, Names, names_in, without_asides
from rejoinder.corpus.c_value import Run, c_values
from rejoinder.corpus.plain_speech import plain
from rejoinder.corpus.speech import sentences_of
from rejoinder.corpus.term_candidates import Candidate, candidates_in
from rejoinder.corpus.values import Transcript
from rejoinder.text.word_lists import word_set

# Changes with the rules below: keywords by another method are found anew.
KEYWORDS_METHOD = "c-value.v3"
_MIN_COUNT = 3
# A word alone says less of what is meant than two, unless it is a name.
_SINGLE_NAME = 0.25
_SINGLE_WORD = 0.05
_NAME = 1.3
# Words that are all general are less often a subject: state machine, but also tech team.
_GENERAL = 0.8
# Joined loosely, or by a possessive: lives in the kernel, Rollup's plugin; but also human in the loop.
_LOOSE = 0.4
_LOOSE_LINKS = word_set("and to the in")
# A word that mostly stands in longer names is a title or a part of them: Representative, Services.
_MOSTLY_IN_NAMES = 0.5
_POSSESSIVE = regex.compile(r"['’]s? ")
# Terms that stand so far behind the best are noise, unless there is hardly anything else.
_MIN_SCORE = 0.25
_ALWAYS_KEPT = 10
_SAME = 0.6
# How many occurrences the last word's company weighs beside the term's own, and the company of a
# word that nothing is known of.
_PRIOR_WEIGHT = 2.0
_PRIOR = 0.5


@dataclass(frozen=True, slots=True)
class Keyword:
    """A term and how much it stands for its source: score in (0, 1], higher is better."""

    term: str
    score: float


@dataclass(frozen=True, slots=True)
class _Ranked:
    candidate: Candidate
    weight: float


def extract_keywords(transcript: Transcript, *, limit: int = 15) -> list[Keyword]:
    """The transcript's keywords, best first; none where nothing is said often enough.

    Args:
        transcript: any parsed transcript; its language (default English) chooses the function words.
        limit: the most keywords, > 0.

    Returns:
        At most ``limit`` keywords, no two with the same stems; the best has score 1.
    """
    language = (transcript.language or "en")[:2].casefold()
    told = [plain(sentence.text, language) for sentence in sentences_of(transcript.cues)]
    names = _names(transcript, told)
    found = candidates_in(without_asides(told), language)
    chosen = _distinct(_ranked(found, names), limit)
    # Weights grow with counts; their square roots spread evenly enough.
    scored = [Keyword(one.candidate.term, _score(one.weight / chosen[0].weight)) for one in chosen]
    return [one for rank, one in enumerate(scored) if rank < _ALWAYS_KEPT or one.score >= _MIN_SCORE]


def _names(transcript: Transcript, told: Iterable[str]) -> Names:
    introduced = names_in(told)
    speakers = {cue.speaker.casefold() for cue in transcript.cues if cue.speaker}
    return introduced._replace(people=introduced.people | speakers)


def _score(share: float) -> float:
    return max(round(math.sqrt(share), 4), 1e-4)


def _ranked(found: Mapping[Run, Candidate], names: Names) -> list[_Ranked]:
    values = c_values({stems: candidate.count for stems, candidate in found.items()})
    people = {part for name in names.people for part in name.split() if len(part) > 2}
    ranked = [
        _Ranked(candidate, values[stems] * _weight(candidate, found))
        for stems, candidate in found.items()
        if candidate.count >= _MIN_COUNT
        and values[stems] > 0
        and (len(stems) > 1 or candidate.in_name <= _MOSTLY_IN_NAMES * candidate.count)
        and _is_subject(candidate.words, names, people)
    ]
    return sorted(ranked, key=lambda one: (-one.weight, one.candidate.term))


def _is_subject(words: Run, names: Names, people: set[str]) -> bool:
    """Whether the words can be a subject: no chatter at the ends, no names.

    One word of a show's name may be what the show is about (Python); how often it is said in names was seen before.
    """
    if words[0] in CHATTER or words[-1] in CHATTER or all(len(word) < 2 for word in words):
        return False
    if len(words) == 1 and words[0] in GENERAL:
        return False
    if people.intersection(words) or (
        len(words) > 1 and any(" ".join(words) in show for show in names.shows)
    ):
        return False
    return not any(name.split()[0] in words for name in names.sponsors)


def _weight(candidate: Candidate, found: Mapping[Run, Candidate]) -> float:
    """What C-value can't see: whether it is said as a name, its cohesion, its length, its capitals."""
    last = found[candidate.stems[-1:]]
    is_name = not candidate.term.islower()
    said = _nominal(candidate, _nominal(last, _PRIOR)) * (_NAME if is_name else 1.0)
    if GENERAL.issuperset(candidate.words):
        said *= _GENERAL
    if _LOOSE_LINKS.intersection(candidate.words) or _POSSESSIVE.search(candidate.term):
        said *= _LOOSE
    if len(candidate.stems) == 1:
        return said * (_SINGLE_NAME if is_name else _SINGLE_WORD)
    return said * math.cbrt(_cohesion(candidate, found))


def _nominal(candidate: Candidate, prior: float) -> float:
    """Share of the occurrences that follow a word that stands before names of things, smoothed, in (0, 1)."""
    told = candidate.before_noun + candidate.before_other
    return (candidate.before_noun + _PRIOR_WEIGHT * prior) / (told + _PRIOR_WEIGHT)


def _cohesion(candidate: Candidate, found: Mapping[Run, Candidate]) -> float:
    """Share of its words' occurrences that are inside it, in (0, 1]: Dice's coefficient for any length."""
    counts = [found[stem,].count for stem in candidate.stems if (stem,) in found]
    return len(counts) * candidate.count / sum(counts)


def _distinct(ranked: Sequence[_Ranked], limit: int) -> list[_Ranked]:
    """Leave out what a better candidate says already: the same stems, or mostly as a part of it."""
    chosen: list[_Ranked] = []
    for one in ranked:
        if len(chosen) == limit:
            break
        said_already = any(_overlap(one.candidate, other.candidate) > _SAME for other in chosen)
        if not said_already and not _is_part(one.candidate, ranked):
            chosen.append(one)
    return chosen


def _overlap(first: Candidate, second: Candidate) -> float:
    one, other = set(first.stems), set(second.stems)
    if "".join(first.stems) == "".join(second.stems):
        return 1.0
    return len(one & other) / len(one | other)


def _is_part(candidate: Candidate, ranked: Sequence[_Ranked]) -> bool:
    """Whether the candidate is mostly said inside one longer candidate."""
    stems = set(candidate.stems)
    longer = (one.candidate for one in ranked if len(one.candidate.stems) > len(stems))
    return any(stems < set(other.stems) and other.count > _SAME * candidate.count for other in longer)
