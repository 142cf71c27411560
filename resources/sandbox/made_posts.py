"""Posts made here: one given in part, or many out of a short list of texts of our own."""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from resources.sandbox.load import parse_record, placed
from resources.sandbox.posts import insert_post
from resources.sandbox.reddit_write import base36
from resources.sandbox.x_ids import next_id

FIRST_NUMBER = 2 * 36**6  # above the ids of the accounts' own comments
MOST_POSTS = 10_000
KNOWN = frozenset(
    {
        "platform", "platform_post_id", "id", "community", "author", "author_followers", "text", "created_at",
        "url", "metrics", "mentions", "quotes", "parent_id", "conversation_id", "quoted_id", "retweeted_id",
        "lang",
    }
)  # fmt: skip
GENERATE_KEYS = frozenset(
    {"platform", "count", "community", "author", "texts", "mention", "parent_id", "every_s"}
)
TEXTS = (
    "Is asyncio really faster than threads for this? My numbers say otherwise.",
    "I keep reading that type hints slow Python down. Is that true?",
    "Which database would you take for twenty million rows and one machine?",
    "Unpopular opinion: most services do not need a message queue.",
    "Does anybody measure before they rewrite it in another language?",
    "My tests pass on my machine and fail in the pipeline. Where would you look first?",
    "How do you keep a changelog that people read?",
    "Somebody told me that an index always helps. I doubt it.",
    "What is the shortest useful code review you ever got?",
    "Is it worth learning SQL when the library writes it for you?",
)
PEOPLE = ("ada_reads", "bo_builds", "cleo_asks", "dana_counts", "emil_tests", "fay_writes", "gus_ships")


@dataclass(frozen=True, slots=True)
class Many:
    """An order for many posts; every_s is the time between two, the last one is made now."""

    platform: str
    count: int
    community: str | None
    author: str | None
    texts: Sequence[str]
    mention: str | None
    parent_id: str | None
    every_s: float


def add_record(db: sqlite3.Connection, record: Mapping[str, Any], now: float) -> str:
    """Add a post of which only platform and text are needed (and a community on Reddit); its id.

    Raises:
        ValueError: a value cannot be used, a key is unknown, or the id is taken.
    """
    unknown = sorted(record.keys() - KNOWN)
    if unknown:
        raise ValueError(f"a post has no {', '.join(unknown)}; there are {', '.join(sorted(KNOWN))}")
    full = {**record, "platform_post_id": record.get("platform_post_id") or record.get("id")}
    full["platform_post_id"] = full["platform_post_id"] or fresh_id(db, record)
    created = full.get("created_at") or datetime.fromtimestamp(now, UTC)
    # YAML reads a time as a time.
    full["created_at"] = created.isoformat() if isinstance(created, datetime) else created
    post = placed(db, parse_record(full))
    if not insert_post(db, post):
        raise ValueError(f"{post.platform} has a post {post.id} already")
    return post.id


def fresh_id(db: sqlite3.Connection, record: Mapping[str, Any]) -> str:
    """An id that no post of the platform has; what has a parent is a comment on Reddit."""
    if record.get("platform") != "reddit":
        return next_id(db)
    newest = int(db.execute("SELECT coalesce(max(seq), 0) FROM post").fetchone()[0])
    return f"{'t1' if record.get('parent_id') else 't3'}_{base36(FIRST_NUMBER + newest + 1)}"


def read_many(order: Mapping[str, Any]) -> Many:
    """An order for many posts, checked.

    Raises:
        ValueError: a value cannot be used, or a key is unknown.
    """
    unknown = sorted(order.keys() - GENERATE_KEYS)
    if unknown:
        raise ValueError(
            f"generate has no {', '.join(unknown)}; there are {', '.join(sorted(GENERATE_KEYS))}"
        )
    count, platform = order.get("count", 1), order.get("platform")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_POSTS:
        raise ValueError(f"count must be a whole number from 1 to {MOST_POSTS}")
    if platform not in ("x", "reddit"):
        raise ValueError("platform must be x or reddit")
    if platform == "reddit" and not order.get("community"):
        raise ValueError("community must be named for reddit")
    every_s = float(order.get("every_s", 0))
    if not 0 <= every_s <= 86_400:
        raise ValueError("every_s must be between 0 and 86400")
    words = {name: read_word(order, name) for name in ("community", "author", "mention", "parent_id")}
    return Many(platform=platform, count=count, texts=read_texts(order), every_s=every_s, **words)


def read_word(order: Mapping[str, Any], name: str) -> str | None:
    """A value that is text, or None."""
    value = order.get(name)
    if value is not None and not isinstance(value, str):
        raise ValueError(f"{name} must be text")
    return value


def read_texts(order: Mapping[str, Any]) -> Sequence[str]:
    """The texts that take turns; our own where none are given."""
    texts = order.get("texts") or TEXTS
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) and text for text in texts):
        raise ValueError("texts must be a list of texts")
    return texts


def add_many(db: sqlite3.Connection, many: Many, now: float) -> list[str]:
    """Add the posts; their ids, oldest first. Texts and authors take turns."""
    first = int(db.execute("SELECT count(*) FROM post").fetchone()[0])
    return [add_record(db, one_of(many, number, first + number, now), now) for number in range(many.count)]


def one_of(many: Many, number: int, turn: int, now: float) -> dict[str, Any]:
    """The post with this number from 0; turn chooses its text and its author."""
    text = many.texts[turn % len(many.texts)]
    at = now - (many.count - 1 - number) * many.every_s
    return {
        "platform": many.platform,
        "community": many.community,
        "author": many.author or PEOPLE[turn % len(PEOPLE)],
        "text": f"@{many.mention} {text}" if many.mention else text,
        "mentions": [many.mention] if many.mention else None,
        "parent_id": many.parent_id,
        "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "lang": "en" if many.texts is TEXTS else None,
    }
