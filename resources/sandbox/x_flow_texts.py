"""Texts that match stream rules, for posts that are made here."""

from collections.abc import Iterable

from resources.sandbox.x_query import And, Node, Operator, Or, Phrase

PREFIXES = {"@": "@", "#": "#", "$": "$"}
PARTS = {
    "links": "https://example.com/page",
    "hashtags": "#topic",
    "mentions": "@someone",
}


def texts_for(rules: Iterable[Node]) -> list[str]:
    """One text with a number for each way to match each rule, as far as a text alone can match it.

    >>> from resources.sandbox.x_query import parse_query
    >>> texts_for([parse_query('asyncio (fast OR "event loop") -is:reply')])
    ['asyncio fast no {n}', 'asyncio event loop no {n}']
    """
    return [f"{text} no {{n}}" for node in rules for text in samples(node) if text.strip()]


def samples(node: Node) -> list[str]:
    """Texts that a term matches; no more than its widest OR has branches."""
    if isinstance(node, Phrase):
        return [node.text]
    if isinstance(node, Operator):
        return [sample_operator(node)]
    if isinstance(node, Or):
        return [text for term in node.terms for text in samples(term)]
    if isinstance(node, And):
        return side_by_side([samples(term) for term in node.terms])
    return [""]


def side_by_side(parts: list[list[str]]) -> list[str]:
    """Texts with one of each part; shorter parts begin anew."""
    widest = max(map(len, parts))
    rows = ([part[place % len(part)] for part in parts] for place in range(widest))
    return [" ".join(filter(None, row)) for row in rows]


def sample_operator(node: Operator) -> str:
    """What a text has to hold for an operator; nothing where the text does not decide."""
    if node.name in PREFIXES:
        return PREFIXES[node.name] + node.value
    if node.name == "to":
        return f"@{node.value}"
    if node.name == "url":
        return f"https://{node.value}/page" if "." in node.value else f"https://example.com/{node.value}"
    return PARTS.get(node.value, "") if node.name == "has" else ""
