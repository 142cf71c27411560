"""Reddit's search language: words, ``"phrases"``, fields, ``AND``, ``OR``, ``NOT``, ``-`` and parentheses.

A query is never refused: what cannot be understood is looked for as words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Fields = Mapping[str, str]
Test = Callable[[Fields], bool]
TOKEN = re.compile(r'\(|\)|-?(?:([a-z]+):)?(?:"([^"]*)"|[^\s()"]+)|"', re.IGNORECASE)
NAMED = ("title", "selftext", "author", "subreddit", "url", "site", "self")
EXACT = frozenset({"author", "subreddit", "self"})
WORD = re.compile(r"\w+")
LONGEST = 512
DEEPEST = 20


def compile_query(text: str) -> Test:
    """A test for the fields ``title``, ``selftext``, ``author``, ``subreddit``, ``url`` and ``self``.

    >>> compile_query('asyncio (fast OR quick) -java')({"title": "Is asyncio quick?", "selftext": ""})
    True
    """
    tokens = [match[0] for match in TOKEN.finditer(text[:LONGEST])]
    return Reader(tokens).either(0)


@dataclass(slots=True)
class Reader:
    """Reads tokens from left to right."""

    tokens: list[str]
    at: int = 0

    def peek(self) -> str:
        """The next token; empty at the end."""
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def either(self, depth: int) -> Test:
        """Parts joined by ``OR``."""
        parts = [self.together(depth)]
        while self.peek() == "OR":
            self.at += 1
            parts.append(self.together(depth))
        return parts[0] if len(parts) == 1 else lambda fields: any(part(fields) for part in parts)

    def together(self, depth: int) -> Test:
        """Parts that all have to be there, joined by ``AND`` or nothing."""
        parts: list[Test] = []
        while self.peek() not in ("", "OR") and not (self.peek() == ")" and depth):
            if self.peek() in ("AND", ")"):
                self.at += 1
                continue
            parts.append(self.one(depth))
        return lambda fields: all(part(fields) for part in parts)

    def one(self, depth: int) -> Test:
        """A term, a group, or the opposite of one."""
        piece = self.peek()
        self.at += 1
        if piece == "NOT" and self.peek() not in ("", ")", "OR"):
            inner = self.one(depth)
            return lambda fields: not inner(fields)
        if piece == "(" and depth < DEEPEST:
            group = self.either(depth + 1)
            self.at += self.peek() == ")"
            return group
        return term(piece)


def term(written: str) -> Test:
    """One word, phrase or field."""
    if written.startswith("-") and len(written) > 1:
        inner = term(written[1:])
        return lambda fields: not inner(fields)
    name, _, value = written.partition(":")
    if name.lower() in NAMED and value:
        return in_field(name.lower(), value.strip('"'))
    wanted = WORD.findall(written.casefold())
    return lambda fields: has_phrase(f"{fields.get('title', '')} {fields.get('selftext', '')}", wanted)


def in_field(name: str, value: str) -> Test:
    """A field that equals a value, or holds its words."""
    if name in EXACT:
        return lambda fields: fields.get(name, "").casefold() == value.casefold()
    if name in ("url", "site"):
        return lambda fields: value.casefold() in fields.get("url", "").casefold()
    return lambda fields: has_phrase(fields.get(name, ""), WORD.findall(value.casefold()))


def has_phrase(text: str, wanted: list[str]) -> bool:
    """Whether words stand one after the other in a text; no words are always there.

    >>> has_phrase("Is asyncio faster?", ["asyncio", "faster"])
    True
    """
    words = WORD.findall(text.casefold())
    length = len(wanted)
    return not wanted or any(words[at : at + length] == wanted for at in range(len(words) - length + 1))
