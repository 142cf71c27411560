"""Whether a post matches a query: whole words, case ignored; search folds accents, the stream does not."""

import json
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple, assert_never

from resources.sandbox.credentials import user_id
from resources.sandbox.posts import SandboxPost
from resources.sandbox.x_query import And, Node, Not, Operator, Or, Phrase

WORD = re.compile(r"\w+")
HANDLE = re.compile(r"(?<![\w@])@(\w{1,15})")
LINK = re.compile(r"https?://\S+")
HASHTAG = re.compile(r"[#$]\w+")


class Matchable(NamedTuple):
    """The fields of a post that queries look at; mentions is a JSON list of handles."""

    seq: int
    text: str
    author: str | None
    mentions: str
    quotes: str | None
    parent_id: str | None
    conversation_id: str
    quoted_id: str | None = None
    retweeted_id: str | None = None
    lang: str | None = None


COLUMNS = ", ".join(Matchable._fields)


def matchable(post: SandboxPost) -> Matchable:
    """A post as queries see it."""
    return Matchable(
        post.seq,
        post.text,
        post.author,
        json.dumps(post.mentions),
        post.quotes,
        post.parent_id,
        post.conversation_id,
        post.quoted_id,
        post.retweeted_id,
        post.lang,
    )


def matches(node: Node, post: Matchable, *, fold_accents: bool) -> bool:
    """Whether a post matches a parsed query."""
    if isinstance(node, Phrase):
        return has_phrase(node.text, post.text, fold_accents)
    if isinstance(node, Operator):
        return OPERATORS[node.name](post, node.value)
    if isinstance(node, Not):
        return not matches(node.term, post, fold_accents=fold_accents)
    if isinstance(node, And):
        return all(matches(term, post, fold_accents=fold_accents) for term in node.terms)
    if isinstance(node, Or):
        return any(matches(term, post, fold_accents=fold_accents) for term in node.terms)
    assert_never(node)


def has_phrase(phrase: str, text: str, fold_accents: bool) -> bool:
    """Whether the words of a phrase stand in a row; a phrase without words is looked up as it is."""
    words = as_words(phrase, fold_accents)
    if words.isspace():
        return phrase in text
    return words in as_words(text, fold_accents)


@lru_cache(maxsize=50_000)
def as_words(text: str, fold_accents: bool) -> str:
    """The words of a text in lower case, one blank around each.

    >>> as_words("C'est déjà-vu", True)
    ' c est deja vu '
    """
    folded = text.casefold()
    if fold_accents:
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(character for character in decomposed if not unicodedata.combining(character))
    return f" {' '.join(WORD.findall(folded))} "


def handles(post: Matchable) -> frozenset[str]:
    """Handles a post mentions, in lower case: those listed and those written in its text."""
    listed = json.loads(post.mentions) + HANDLE.findall(post.text)
    return frozenset(handle.lower() for handle in listed)


def is_summoned(post: Matchable, account: str) -> bool:
    """Whether a post mentions or quotes the account, or is its own."""
    own = account.lower()
    return own in handles(post) or own in ((post.quotes or "").lower(), (post.author or "").lower())


def is_by(post: Matchable, value: str) -> bool:
    """Whether a handle or user id wrote the post."""
    return post.author is not None and value in (post.author.lower(), user_id(post.author))


def is_kind(post: Matchable, value: str) -> bool:
    """The ``is:`` operators; nobody is verified here."""
    kinds = {
        "reply": post.parent_id is not None,
        "quote": post.quotes is not None,
        "retweet": is_retweet(post),
    }
    return kinds.get(value, False)


def is_retweet(post: Matchable) -> bool:
    """Whether a post only repeats another one."""
    return post.retweeted_id is not None or post.text.startswith("RT @")


def has_part(post: Matchable, value: str) -> bool:
    """The ``has:`` operators; there is no media here."""
    parts = {"links": LINK, "hashtags": HASHTAG}
    if value == "mentions":
        return bool(handles(post))
    return value in parts and parts[value].search(post.text) is not None


OPERATORS: dict[str, Callable[[Matchable, str], bool]] = {
    "from": is_by,
    "to": lambda post, value: post.text.lower().startswith(f"@{value} "),
    "@": lambda post, value: value in handles(post),
    "#": lambda post, value: f"#{value}" in (tag.lower() for tag in HASHTAG.findall(post.text)),
    "$": lambda post, value: f"${value}" in (tag.lower() for tag in HASHTAG.findall(post.text)),
    "conversation_id": lambda post, value: post.conversation_id == value,
    "in_reply_to_tweet_id": lambda post, value: post.parent_id == value,
    "url": lambda post, value: any(value in link.lower() for link in LINK.findall(post.text)),
    "is": is_kind,
    "has": has_part,
    # A post that does not say its language is not left out for it.
    "lang": lambda post, value: post.lang in (None, value),
}
