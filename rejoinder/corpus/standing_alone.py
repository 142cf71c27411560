"""How well a sentence out of a conversation can be read without it.

What belongs here: the signs, weighed. Which of the sentences left stand in a summary belongs in centrality.
The signs are of English; in other languages only what is no statement is seen.

Source of the weights: logistic regression on 682 sentences of 82 episodes and speeches (podcasts and speeches in
English), each judged by one reading whether it stands alone, is whole and tells something of its subject. Openers
that lean and missing verbs weigh more than was learned: the judged sentences had mostly been chosen without them.
"""

from collections.abc import Callable
from functools import lru_cache

import regex

from rejoinder.corpus.asides import CHATTER
from rejoinder.corpus.speech_signs import (
    ABOUT_THE_TALK,
    ANNOUNCED,
    BEGUN_ANEW,
    CONTRACTED,
    DASHED,
    LEANING,
    LIKE,
    LOOSE,
    NAME,
    NAME_DOES,
    OPENER,
    PARTICIPLE,
    PERSON,
    PLAIN_VERB,
    POINTED,
    PRONOUN,
    SUBORDINATE,
    TAKEN_UP,
    THE_SAME,
    VERB,
)
from rejoinder.text.function_words import function_words

_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{N}\p{M}'’+#-]*")
_MOST = 3
_LONG_ENOUGH = 25


def stands_alone(text: str) -> bool:
    """Whether a sentence says something without the one before it.

    >>> stands_alone("Digital ink keeps the pressure of every stroke."), stands_alone("It keeps the pressure.")
    (True, False)
    """
    return is_statement(text) and not LEANING.match(text) and not LOOSE.search(text)


def is_statement(text: str) -> bool:
    """Whether a sentence begins and ends as a statement does.

    >>> is_statement("Ink flows."), is_statement("Does ink flow?"), is_statement("and ink")
    (True, False, False)
    """
    return text[:1].isupper() and text.rstrip("'’)").endswith((".", "!", "。", "।"))


@lru_cache(maxsize=20_000)
def standing(text: str) -> float:
    """Log-odds that a sentence can be read alone and tells something; between about -8 and 2, higher is better.

    >>> alone = standing("Digital ink keeps the pressure of every stroke.")
    >>> alone > standing("The flip side of that is you just stop.")
    True
    """
    return _BIAS + sum(weight * feature(text) for feature, weight in _WEIGHTS)


def _times(sign: regex.Pattern[str]) -> Callable[[str], float]:
    def count(text: str) -> float:
        return float(min(len(sign.findall(text)), _MOST))

    return count


def _times_any(*signs: regex.Pattern[str]) -> Callable[[str], float]:
    def count(text: str) -> float:
        return float(min(sum(len(sign.findall(text)) for sign in signs), _MOST))

    return count


def _has(sign: regex.Pattern[str]) -> Callable[[str], float]:
    return lambda text: float(sign.search(text) is not None)


def _is_fragment(text: str) -> float:
    """Whether the main clause has no verb."""
    verb = PLAIN_VERB if PARTICIPLE.match(text) else VERB
    return float(verb.search(SUBORDINATE.sub("", text).partition(" ")[2]) is None)


def _length(text: str) -> float:
    """Tens of words, up to where more say no more."""
    return min(len(text.split()), _LONG_ENOUGH) / 10


def _telling_share(text: str) -> float:
    """Share of the words that are neither function words nor chatter, in [0, 1]."""
    words = [word.casefold() for word in _WORD.findall(text)]
    binding = function_words()
    return sum(word not in CHATTER and word not in binding for word in words) / max(len(words), 1)


def _commas(text: str) -> float:
    return float(text.count(","))


_BIAS = -1.6
_WEIGHTS: tuple[tuple[Callable[[str], float], float], ...] = (
    (_times(PERSON), -0.25),
    (_times(POINTED), -0.95),
    (_times(CONTRACTED), -0.35),
    (_times(LOOSE), -1.3),
    (_has(LEANING), -2.5),
    (_times_any(OPENER, THE_SAME, TAKEN_UP, BEGUN_ANEW, DASHED, PRONOUN, ABOUT_THE_TALK, ANNOUNCED), -0.7),
    (_times(LIKE), -0.65),
    (_is_fragment, -0.8),
    (_commas, -0.3),
    (_length, 0.65),
    (_telling_share, 1.3),
    (_has(NAME), 0.65),
    (_has(NAME_DOES), 0.3),
)
