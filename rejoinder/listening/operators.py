"""The operators of X's query language: which stand alone, which need company, which only one endpoint knows.

What belongs here: the tables and what is wrong with one term of a query. How terms may be joined is in `rules`.
A rule is used twice, in the filtered stream and, after a gap, in recent search, so it may only use what both know.

Source: docs.x.com, "Filtered Stream Operators", "Build a rule" and "Search Operators" (read 2026-11).
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

STANDALONE = frozenset(
    {
        "from", "to", "url", "retweets_of", "in_reply_to_tweet_id", "in_reply_to_status_id", "retweets_of_tweet_id",
        "retweets_of_status_id", "context", "entity", "conversation_id", "place", "place_country", "point_radius",
        "bounding_box", "geo_bounding_box",
    }
)  # fmt: skip
NEEDS_COMPANY = {
    "is": frozenset({"retweet", "reply", "quote", "verified", "nullcast"}),
    "has": frozenset(
        {
            "hashtags", "cashtags", "links", "mentions", "media", "media_link", "images", "video_link", "videos", "geo",
        }
    ),
}  # fmt: skip
ONLY_STREAM = frozenset(
    {
        "bio", "bio_name", "bio_location", "sample", "source", "url_title", "url_description", "url_contains",
        "min_followers", "followers_count", "tweets_count", "following_count", "listed_count", "from_affiliate_of",
        "to_affiliate_of",
    }
)  # fmt: skip
ONLY_SEARCH = frozenset({"list", "quotes_of_tweet_id", "quotes_of_status_id"})
ONLY_ENTERPRISE = frozenset({"embedding", "embedding_threshold"})

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z]{2,4})?")
_HANDLE_OR_ID = re.compile(r"@?[A-Za-z0-9_]{1,15}|\d{1,19}")
_POST_ID = re.compile(r"\d{1,19}")
_OPERATOR = re.compile(r"[A-Za-z_]+")
# X splits a bare word at these; between quotation marks they are part of the phrase.
_SPLITS = re.compile(r"[-+.,;!?/\\&%*=~^|<>{}\[\]:]")
_VALUES = {
    "from": (_HANDLE_OR_ID, "one handle or user id"),
    "to": (_HANDLE_OR_ID, "one handle or user id"),
    "retweets_of": (_HANDLE_OR_ID, "one handle or user id"),
    "conversation_id": (_POST_ID, "the id of a post"),
    "in_reply_to_tweet_id": (_POST_ID, "the id of a post"),
    "in_reply_to_status_id": (_POST_ID, "the id of a post"),
    "lang": (_LANGUAGE, "a BCP 47 code such as lang:en"),
}


class Term(NamedTuple):
    """One term: negated or not, the operator's name (empty for a word or phrase), and its value."""

    is_negated: bool
    name: str
    value: str


def read_term(token: str) -> Term:
    """The parts of a token that is neither a parenthesis nor ``OR``.

    >>> read_term('-from:"someone"'), read_term("@rejoinder").name, read_term('"a:b"').name
    (Term(is_negated=True, name='from', value='someone'), '@', '')
    """
    is_negated = len(token) > 1 and token[0] == "-"
    bare = token[1:] if is_negated else token
    if bare[0] in "@#$" and len(bare) > 1:
        return Term(is_negated, bare[0], bare[1:])
    name, colon, value = bare.partition(":")
    if bare[0] != '"' and colon and _OPERATOR.fullmatch(name):
        return Term(is_negated, name.lower(), value.strip('"'))
    return Term(is_negated, "", bare)


def stands_alone(term: Term) -> bool:
    """Whether a query may consist of this term only."""
    return not term.is_negated and (term.name in ("", "@", "#", "$") or term.name in STANDALONE)


def term_problems(token: str) -> Iterator[str]:
    """What is wrong with one term, each with what to write instead.

    >>> list(term_problems("is:retweets"))
    ['is:retweets is unknown: is: takes nullcast, quote, reply, retweet, verified']
    """
    term = read_term(token)
    if term.name in ("@", "#", "$"):
        return
    if not term.name:
        yield from _word_problems(term.value)
    elif not term.value:
        yield f"{term.name}: needs a value right behind the colon, without a blank"
    else:
        yield from _operator_problems(term)


def _word_problems(word: str) -> Iterator[str]:
    if word.startswith('"'):
        if "~" in word[word.rfind('"') :]:
            yield f"{word}: nearness (~) is known to the stream only, not to search: quote the words alone"
    elif word.lower() in ("and", "or"):
        yield f'{word} is no operator: a blank means AND, OR is written in capitals; as a word write "{word}"'
    elif _SPLITS.search(word):
        yield f'{word} holds characters at which X splits a word: write "{word}" in quotation marks'


def _operator_problems(term: Term) -> Iterator[str]:
    name, value = term.name, term.value
    if name in NEEDS_COMPANY:
        yield from _flag_problems(term)
    elif name in ONLY_STREAM:
        yield f"{name}: is known to the stream only, and search, which closes gaps, refuses it: leave it out"
    elif name in ONLY_SEARCH:
        yield f"{name}: is known to search only, and the stream refuses it: leave it out"
    elif name in ONLY_ENTERPRISE:
        yield f"{name}: needs an Enterprise contract with X: leave it out"
    elif name not in STANDALONE and name != "lang":
        yield f'{name}: is no operator of X; for the words themselves write "{name}:{value}" in quotation marks'
    elif name in _VALUES and not _VALUES[name][0].fullmatch(value):
        yield f"{name}:{value} cannot be read: {name}: takes {_VALUES[name][1]}"


def _flag_problems(term: Term) -> Iterator[str]:
    known = NEEDS_COMPANY[term.name]
    if term.value.lower() not in known:
        yield f"{term.name}:{term.value} is unknown: {term.name}: takes {', '.join(sorted(known))}"
    elif (term.name, term.value.lower()) == ("is", "nullcast") and not term.is_negated:
        yield "is:nullcast must be negated: write -is:nullcast"
