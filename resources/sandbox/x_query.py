"""The query language of X's recent search and stream rules: text to a tree.

Keywords, "phrases", @mentions, #hashtags, operators such as from:, OR, negation with ``-``
and parentheses. A space means AND and binds before OR.
"""

import re
from dataclasses import dataclass

STANDALONE = frozenset({"from", "to", "conversation_id", "url", "in_reply_to_tweet_id", "@", "#", "$"})
DEPENDENT = {
    "is": frozenset({"reply", "retweet", "quote", "verified"}),
    "has": frozenset({"links", "mentions", "hashtags", "media", "images"}),
}
DEEPEST = 40
TOKEN = re.compile(r'\s+|-?\(|\)|-?(?:[a-z_]+:)?"[^"]*"|-?[^\s()"]+|.', re.DOTALL)


class QueryInvalid(ValueError):
    """The query cannot be read; the message says why, as X's would."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in a row; a keyword is a phrase of one."""

    text: str


@dataclass(frozen=True, slots=True)
class Operator:
    """``name:value``; mentions and hashtags have the names ``@`` and ``#``."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Not:
    """The term must not match."""

    term: "Node"


@dataclass(frozen=True, slots=True)
class And:
    """All terms must match."""

    terms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One of the terms must match."""

    terms: tuple["Node", ...]


Node = Phrase | Operator | Not | And | Or


def parse_query(text: str) -> Node:
    """The tree of a query.

    Raises:
        QueryInvalid: it cannot be read, or has no term that may stand alone.

    >>> parse_query('python "list comprehension" -is:reply')
    And(terms=(Phrase(text='python'), Phrase(text='list comprehension'), Not(term=Operator(name='is', value='reply'))))
    """
    tokens = [token for token in TOKEN.findall(text) if not token.isspace()]
    if not tokens:
        raise QueryInvalid("query must not be empty")
    node, rest = parse_or(tokens, 0, 0)
    if rest != len(tokens):
        raise QueryInvalid(f"unexpected '{tokens[rest]}'")
    if not stands_alone(node):
        raise QueryInvalid("there must be at least one standalone operator that is not negated")
    return node


def parse_or(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    """Terms joined by OR, from a position; returns the node and the position behind it."""
    if depth > DEEPEST:
        raise QueryInvalid("parentheses are nested too deep")
    node, at = parse_and(tokens, at, depth)
    terms = [node]
    while at < len(tokens) and tokens[at] == "OR":
        node, at = parse_and(tokens, at + 1, depth)
        terms.append(node)
    return (terms[0] if len(terms) == 1 else Or(tuple(terms))), at


def parse_and(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    """Terms side by side, up to OR, a closing parenthesis or the end."""
    terms: list[Node] = []
    while at < len(tokens) and tokens[at] not in ("OR", ")"):
        node, at = parse_term(tokens, at, depth)
        terms.append(node)
    if not terms:
        raise QueryInvalid("a term is missing")
    return (terms[0] if len(terms) == 1 else And(tuple(terms))), at


def parse_term(tokens: list[str], at: int, depth: int) -> tuple[Node, int]:
    """One term, negated or not."""
    word = tokens[at]
    if word == "-(":
        raise QueryInvalid("negation of a group is not supported")
    if word == "(":
        node, at = parse_or(tokens, at + 1, depth + 1)
        if at >= len(tokens):
            raise QueryInvalid("a closing parenthesis is missing")
        return node, at + 1
    if word.startswith("-") and len(word) > 1:
        return Not(parse_leaf(word[1:])), at + 1
    return parse_leaf(word), at + 1


def parse_leaf(token: str) -> Node:
    """A keyword, phrase, mention, hashtag or operator."""
    if token.startswith('"'):
        return parse_phrase(token)
    if token[0] in "@#$" and len(token) > 1:
        return Operator(token[0], token[1:].lower())
    name, colon, value = token.partition(":")
    if colon:
        return parse_operator(name.lower(), value.strip('"'))
    if token.lower() in ("and", "or"):
        raise QueryInvalid(f"ambiguous use of {token} as a keyword: use a space for AND, or quote it")
    return Phrase(token)


def parse_phrase(token: str) -> Node:
    """A quoted phrase; a lone quotation mark is refused."""
    if len(token) < 3:
        raise QueryInvalid("a phrase is empty or its quotation mark is missing")
    return Phrase(token[1:-1])


def parse_operator(name: str, value: str) -> Node:
    """A ``name:value`` operator that the sandbox knows."""
    if not value:
        raise QueryInvalid(f"operator '{name}' needs a value")
    if name in STANDALONE or name == "lang":
        return Operator(name, value.lower().removeprefix("@"))
    if value.lower() in DEPENDENT.get(name, ()):
        return Operator(name, value.lower())
    raise QueryInvalid(f"reference to invalid operator '{name}:{value}'")


def stands_alone(node: Node) -> bool:
    """Whether a query has a positive standalone term in each of its branches."""
    if isinstance(node, And):
        return any(stands_alone(term) for term in node.terms)
    if isinstance(node, Or):
        return all(stands_alone(term) for term in node.terms)
    if isinstance(node, Operator):
        return node.name in STANDALONE
    return isinstance(node, Phrase)
