"""Which stream rules a post matches, without trying all of them: rules wait under a word they need."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from resources.sandbox.x_match import Matchable, as_words, matches
from resources.sandbox.x_query import And, Node, Or, Phrase
from resources.sandbox.x_rules import parsed_rules

Shown = dict[str, str]


@dataclass(frozen=True, slots=True)
class RuleIndex:
    """Rules by the words of which a matching post has at least one; ``always`` are tried for every post."""

    rules: tuple[tuple[Shown, Node], ...]
    by_word: dict[str, list[int]] = field(default_factory=dict)
    always: tuple[int, ...] = ()

    def matching(self, post: Matchable) -> list[Shown]:
        """What to show of the rules that a post matches, in the order in which they were added."""
        tried = set(self.always)
        for word in set(as_words(post.text, False).split()):
            tried.update(self.by_word.get(word, ()))
        found = (self.rules[place] for place in sorted(tried))
        return [dict(shown) for shown, node in found if matches(node, post, fold_accents=False)]


def needed_words(node: Node) -> frozenset[str] | None:
    """Words of which every matching post has at least one, or None when nothing is known.

    >>> sorted(needed_words(Or((Phrase("asyncio"), Phrase("event loop")))))
    ['asyncio', 'event']
    """
    if isinstance(node, Phrase):
        words = as_words(node.text, False).split()
        return frozenset(words[:1]) or None
    if isinstance(node, And):
        return next(filter(None, map(needed_words, node.terms)), None)
    if isinstance(node, Or):
        parts = [needed_words(term) for term in node.terms]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    return None


def read_index(db: sqlite3.Connection) -> RuleIndex:
    """The index of the rules that are set now."""
    return build_index(parsed_rules(db))


def build_index(wanted: Iterable[tuple[Shown, Node]]) -> RuleIndex:
    """The index of rules, in the order given."""
    rules = tuple(wanted)
    by_word: dict[str, list[int]] = defaultdict(list)
    always = []
    for place, (_, node) in enumerate(rules):
        words = needed_words(node)
        if words is None:
            always.append(place)
        for word in words or ():
            by_word[word].append(place)
    return RuleIndex(rules, dict(by_word), tuple(always))
