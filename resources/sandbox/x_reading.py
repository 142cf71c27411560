"""One open stream: how far it has read, and the items that its rules make of new posts."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from resources.sandbox.connections import Connection
from resources.sandbox.exchange import Call, World
from resources.sandbox.posts import find_post, from_row
from resources.sandbox.x_match import Matchable, matchable
from resources.sandbox.x_rule_index import RuleIndex, read_index
from resources.sandbox.x_rules import rules_version
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import posts_answer

Item = dict[str, Any]
KEEP_ALIVE_S = 20.0
HELD_S = 1.0
BATCH = 500


@dataclass(slots=True)
class Reading:
    """One open stream: how far it has read, with which rules, what is to be sent now, what is held back.

    keep_alive_s is the longest silence; drop ends the connection without a word.
    """

    call: Call
    connection: Connection
    drop: Callable[[], Awaitable[None]]
    seq: int
    keep_alive_s: float = KEEP_ALIVE_S
    version: str = ""
    index: RuleIndex = field(default_factory=lambda: RuleIndex(()))
    items: list[Item] = field(default_factory=list)
    held: list[Item] = field(default_factory=list)
    held_at: float = 0.0
    changed_at: float | None = None
    is_over: bool = False

    @property
    def world(self) -> World:
        """The world that is read."""
        return self.call.world

    def call_now(self) -> Call:
        """The request as if it came at this moment; a stream may be open for months of simulated time."""
        return replace(self.call, now=self.world.clock.now())


def with_held(reading: Reading, items: list[Item]) -> list[Item]:
    """New items with the one that was held back behind the first of them."""
    is_due = asyncio.get_running_loop().time() >= reading.held_at + HELD_S
    if not reading.held or not (items or is_due):
        return items
    held, reading.held = reading.held, []
    return [*items[:1], *held, *items[1:]]


def newest_seq(world: World) -> int:
    """The place of the newest post in the state."""
    return int(world.state.db.execute("SELECT coalesce(max(seq), 0) FROM post").fetchone()[0])


def new_items(reading: Reading) -> list[Item]:
    """The matching posts behind the position, which moves on; at most ``BATCH`` posts are looked at."""
    newest = newest_seq(reading.world)
    if newest <= reading.seq:
        return []
    rows = reading.world.state.db.execute(
        "SELECT * FROM post WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (reading.seq, newest, BATCH)
    ).fetchall()
    reading.seq = rows[-1]["seq"] if len(rows) == BATCH else newest
    index = current_index(reading)
    call = reading.call_now()
    items = []
    for post in map(from_row, rows):
        if post.platform != "x" or post.is_protected or post.is_deleted:
            continue
        matching = index.matching(with_quoted_text(reading.world, matchable(post)))
        if matching:
            body: dict[str, Any] = posts_answer(call, [post])
            items.append({**body, "data": body["data"][0], "matching_rules": matching})
    reading.world.usage.add(reading.world.state, call.now, (int(item["data"]["id"]) for item in items))
    return items


def current_index(reading: Reading) -> RuleIndex:
    """The rules that count now, read again only when they were changed, and after X's delay."""
    version, now = rules_version(reading.world.state), asyncio.get_running_loop().time()
    if version == reading.version:
        reading.changed_at = None
        return reading.index
    if reading.changed_at is None:
        reading.changed_at = now
    delay_s = read_settings(reading.world.state).rule_delay_s if reading.version else 0.0
    if now >= reading.changed_at + delay_s:
        reading.version, reading.index = version, read_index(reading.world.state.db)
    return reading.index


def with_quoted_text(world: World, post: Matchable) -> Matchable:
    """A post with the text that it quotes: the stream matches that too, search does not."""
    quoted = find_post(world.state, "x", post.quoted_id) if post.quoted_id else None
    return post if quoted is None else post._replace(text=f"{post.text}\n{quoted.text}")
