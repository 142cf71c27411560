"""Listening rules in the words of Reddit's search.

What belongs here: the translation of a rule's query, which is written in X's grammar. Asking Reddit
belongs in resources.platforms.

Reddit's search takes quoted phrases, parentheses, ``author:`` and the words AND, OR and NOT in capitals;
it finds submissions and no comments.
"""

import re

WORD = re.compile(r'-?"[^"]*"|-?\(|\)|[^\s()"]+')
LONGEST_QUERY = 512
# What X calls a kind of post or of author has no counterpart.
ONLY_ON_X = re.compile(r"-?(?:is|has|lang|sample|followers_count|to|context|entity|place|bounding_box):.*")


def reddit_query(x_query: str) -> str:
    """The query as Reddit reads it; empty where nothing is left to search for.

    A mention of our account is dropped, since mentions come from the inbox, as is what Reddit does not
    know; our own posts are left out by ``NOT author:``.

    >>> reddit_query('("phone charger" OR "CPython") -from:talkpython -is:retweet')
    '("phone charger" OR "CPython") AND NOT author:talkpython'
    >>> reddit_query("@talkpython -from:talkpython -is:retweet")
    ''
    """
    wanted = [_translate(word) for word in WORD.findall(x_query) if not ONLY_ON_X.fullmatch(word)]
    parts = _without_gaps([word for word in wanted if word])
    if not any(map(_is_sought, parts)):
        return ""
    full = _written(_joined(parts))
    # Between words Reddit means AND by itself, if less strictly.
    return full if len(full) <= LONGEST_QUERY else _written(parts)


def _written(words: list[str]) -> str:
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _translate(word: str) -> str:
    negation, bare = ("NOT ", word[1:]) if word.startswith("-") else ("", word)
    if bare.startswith("@"):
        return ""
    if bare.startswith("from:"):
        return f"{negation}author:{bare.removeprefix('from:')}"
    return negation + bare.removeprefix("#")


def _without_gaps(words: list[str]) -> list[str]:
    # A dropped word may leave an OR without a side, or parentheses with nothing inside.
    kept = words
    while True:
        sides = zip(("(", *kept), kept, (*kept[1:], ")"), strict=False)
        fewer = [word for before, word, after in sides if not _is_idle(before, word, after)]
        if fewer == kept:
            return kept
        kept = fewer


def _is_idle(before: str, word: str, after: str) -> bool:
    if word == "OR":
        return before.endswith("(") or before == "OR" or after == ")"
    return (word.endswith("(") and after == ")") or (word == ")" and before.endswith("("))


def _is_sought(word: str) -> bool:
    return word not in {"OR", "AND", ")"} and not word.endswith("(") and not word.startswith("NOT ")


def _joined(words: list[str]) -> list[str]:
    # X reads a space as AND; Reddit would look for either as well.
    joined: list[str] = []
    for word in words:
        begins = word not in {"OR", "AND", ")"}
        if begins and joined and joined[-1] not in {"OR", "AND"} and not joined[-1].endswith("("):
            joined.append("AND")
        joined.append(word)
    return joined
