"""Check-worthy claims: which sentences of a post state something that evidence could bear on.

What belongs here: finding and scoring claims by rules that a person can read. The score is a plain
weighted sum of signs (numbers, comparisons, causes, definitions, sources) less those of feelings, wishes
and greetings. The weights are set by hand on one half (by hash) of ClaimBuster's labelled debate
sentences; on the other half the average precision is 0.73, where sentence length alone reaches 0.36 and
chance 0.24.

Task: claim detection ("check-worthiness") as in Hassan et al., ClaimBuster, KDD 2017.
"""

import math
from dataclasses import dataclass
from typing import Literal

import regex

from rejoinder.text.links import without_links
from rejoinder.text.sentences import sentence_spans
from rejoinder.text.terms import index_terms

ClaimKind = Literal["statistic", "comparison", "cause", "definition", "statement", "question"]
CHECK_WORTHY = 0.5


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence worth evidence.

    start and end are character offsets in the post's text; score in [0, 1] is how check-worthy it is.
    """

    text: str
    start: int
    end: int
    kind: ClaimKind
    score: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A pattern, the weight of seeing it, and the kind of claim that it makes."""

    name: str
    weight: float
    kind: ClaimKind | None
    pattern: regex.Pattern[str]


def _sign(name: str, weight: float, kind: ClaimKind | None, pattern: str, flags: int = regex.I) -> Sign:
    return Sign(name, weight, kind, regex.compile(pattern, flags))


SIGNS = (
    _sign("number", 1.9, "statistic", r"\d"),
    _sign(
        "amount",
        1.6,
        "statistic",
        r"[%$€£]|\b(?:percent|(?:m|b|tr)illion|thousand|dozen|half|double|twice|times)\b",
    ),
    _sign(
        "count word",
        1.2,
        "statistic",
        r"\b(?:two|three|four|five|six|seven|eight|nine|ten|hundred|majority)\b",
    ),
    _sign(
        "superlative",
        0.7,
        "comparison",
        r"\b(?:most|least|best|worst|first|largest|biggest|highest|lowest|fastest|slowest|only|never|always|every)\b",
    ),
    _sign(
        "comparison",
        0.6,
        "comparison",
        r"\b(?:(?:more|less|fewer)\b.{0,30}\bthan|\p{L}+er than|as \p{L}+ as|compared (?:to|with))\b",
    ),
    _sign(
        "change",
        1.0,
        "cause",
        r"\b(?:(?:in|de)creas\p{L}+|ris(?:e|en|ing)|rose|fell|fallen|grew|grown|dropp?(?:ed|s)|lost|gained"
        r"|doubled|cut|reduc\p{L}+|raised)\b",
    ),
    _sign(
        "cause",
        0.3,
        "cause",
        r"\b(?:becaus\p{L}+|caus(?:e|es|ed|ing)|leads? to|led to|due to|results? in|prevents?|makes?)\b",
    ),
    _sign(
        "definition",
        0.4,
        "definition",
        r"^(?:\p{L}[\p{L}\p{N} .+#-]{1,40}) (?:is|are|was|were) (?:an?|the)\b",
    ),
    _sign(
        "source",
        1.2,
        "statement",
        r"\b(?:according to|stud(?:y|ies)|research|report(?:s|ed)?|survey|data|shows?|found|voted|said"
        r"|passed)\b",
    ),
    _sign("past", 0.8, "statement", r"\b(?:was|were|had|did|has been|have been|\p{L}{3,}ed)\b"),
    _sign("name", 0.6, None, r"(?<=\p{Ll}[,;]? )\p{Lu}\p{L}+", 0),
    _sign(
        "feeling",
        -1.1,
        None,
        r"\b(?:I|we) (?:really |just |also )?(?:think|feel|believe|hope|love|hate|like|want|wish|guess"
        r"|wonder|know|mean|agree|would|will|should|can)\b",
    ),
    _sign("own doing", -0.4, None, r"^(?:so |and |but |well,? )?(?:I|my|we|let)\b"),
    _sign(
        "modal",
        -1.0,
        None,
        r"\b(?:should|would|could|might|may|must|ought|going to|gonna|let's|will|need to|have to|want to)\b",
    ),
    _sign(
        "address",
        -0.7,
        None,
        r"\b(?:you|your|please|thanks?|thank you|hello|hi|sorry|welcome|lol|haha)\b",
    ),
)
BIAS = -2.5
WORDS_WEIGHT = 0.5
QUESTION = regex.compile(r"[?？؟]\s*[\"')\]]*$")
ASKS = regex.compile(
    r"(?i)^(?:so |and |but |hey[, ]+|hi[, ]+)?(?:how|what|why|when|where|which|who|whose|is|are|can"
    r"|could|should|does|do|did|has|have|will|would|any(?:one|body)?|looking for|need help|help)\b"
)
OWN_FEELING = regex.compile(r"(?i)^(?:I|we)(?:'m| am| are|'re| feel| love| hate| hope| wish| want)\b")
MIN_WORDS = 4
OPENING_BONUS = 0.6
TELLING_TERMS = 5
HANDLES = regex.compile(r"(?:@\w+[,:]?\s*)+")


def extract_claims(text: str, *, at_least: float = CHECK_WORTHY) -> list[Claim]:
    """The check-worthy sentences of a post, best first; its question where it asks one.

    A question's score is 1.0 minus what little a vague one lacks in words: whoever asks wants an answer,
    which is what evidence is for. Feelings, wishes and scraps under four words are no claims.

    Args:
        text: the post.
        at_least: lowest score to return, in [0, 1].

    >>> [(c.kind, c.text) for c in extract_claims("I love it. Python 3.11 is 25% faster than 3.10.")]
    [('statistic', 'Python 3.11 is 25% faster than 3.10.')]
    >>> [c.kind for c in extract_claims("Is asyncio faster than threads?")]
    ['question']
    """
    found = [_claim(text, span.start, span.end) for span in sentence_spans(text)]
    claims = [claim for claim in found if claim is not None and claim.score >= at_least]
    return sorted(claims, key=lambda claim: (-claim.score, claim.start))


def main_claim(text: str) -> Claim | None:
    """What to look for evidence on: the post's best claim or question, its opening sentence preferred.

    A post's first sentence (on Reddit its title) says what it is about, so it wins unless another sentence
    is clearly more check-worthy; a sentence of few terms ("Is that right?") hardly counts. None only where
    no sentence has four words: there is nothing to answer.

    >>> main_claim("Replicas are a backup, I told my boss. @friend am I right?").text
    'Replicas are a backup, I told my boss.'
    """
    claims = extract_claims(text, at_least=0.0)
    opening = min((claim.start for claim in claims), default=0)
    return max(claims, key=lambda c: _telling(c) + OPENING_BONUS * (c.start == opening), default=None)


def _telling(claim: Claim) -> float:
    return claim.score * min(1.0, len(set(index_terms(claim.text))) / TELLING_TERMS)


def check_worthiness(sentence: str) -> float:
    """How check-worthy a sentence is, in [0, 1]; 0.5 and up is worth checking.

    >>> check_worthiness("Inflation fell from 9 percent to 3 percent in 2023.") > 0.9
    True
    >>> check_worthiness("Thank you so much, I really hope you like it!") < 0.1
    True
    """
    words = len(sentence.split())
    total = BIAS + WORDS_WEIGHT * math.log1p(words / 4)
    total += sum(sign.weight for sign in SIGNS if sign.pattern.search(sentence))
    return round(1 / (1 + math.exp(-total)), 4)


def _claim(text: str, start: int, end: int) -> Claim | None:
    if handles := HANDLES.match(text, start, end):
        start = handles.end()
    sentence = text[start:end]
    words = len(without_links(sentence).split())
    if words < MIN_WORDS:
        return None
    if QUESTION.search(sentence) or ASKS.match(sentence):
        return Claim(sentence, start, end, "question", round(words / (words + 1), 4))
    if OWN_FEELING.match(sentence):
        return None
    return Claim(sentence, start, end, _kind(sentence), check_worthiness(sentence))


def _kind(sentence: str) -> ClaimKind:
    return next((sign.kind for sign in SIGNS if sign.kind and sign.pattern.search(sentence)), "statement")
