"""A flow of new posts on X: so many a second, made on the sandbox's clock, and all of them on record.

What a listener has stored can be compared with the record, and its lag with created_at.
"""

import asyncio
import itertools
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.exchange import World
from resources.sandbox.flows import AUTHORS, Flow, Wanted
from resources.sandbox.posts import SandboxPost, insert_post
from resources.sandbox.state import State
from resources.sandbox.x_flow_texts import texts_for
from resources.sandbox.x_ids import new_ids
from resources.sandbox.x_rules import parsed_rules

TICK_S = 0.02
MOST_RATE = 2_000.0
MOST_COUNT = 10_000_000
LONGEST_BATCH = 500


def read_order(state: State, body: dict[str, Any]) -> Wanted:
    """An order for a flow.

    Raises:
        ValueError: a value cannot be used, or there are neither texts nor rules to make them from.
    """
    rate, count = float(body.get("rate_per_s", 10)), int(body.get("count", 100))
    if not 0 < rate <= MOST_RATE or not 1 <= count <= MOST_COUNT:
        raise ValueError(f"rate_per_s must be above 0 and at most {MOST_RATE:.0f}, count 1 to {MOST_COUNT}")
    texts = body.get("texts") or texts_for(node for _, node in parsed_rules(state.db))
    if not isinstance(texts, (list, tuple)) or not all(
        isinstance(text, str) and text.strip() for text in texts
    ):
        raise ValueError("texts must be a list of texts")
    if not texts:
        raise ValueError("give texts, or set a stream rule that they can be made from")
    author, authors = body.get("author"), int(body.get("authors", AUTHORS))
    if not 1 <= authors <= 1_000_000 or not (author is None or isinstance(author, str)):
        raise ValueError("author must be a handle, authors 1 or more")
    "".join((*texts, author or "")).encode("utf-8")  # half a surrogate pair cannot be stored
    return Wanted(rate, count, tuple(texts), authors, author)


def start_flow(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Begin a flow; the one that runs has to end first.

    Raises:
        ValueError: the order cannot be used, or a flow is running.
    """
    if world.flow.is_running:
        raise ValueError("a flow is running; DELETE /sandbox/flow ends it")
    wanted, now = read_order(world.state, body), world.clock.now()
    world.flow = Flow(wanted, started_at=now, ended_at=now)
    world.flow.task = asyncio.get_running_loop().create_task(make_posts(world, world.flow, wanted))
    return flow_json(world)


def stop_flow(world: World) -> dict[str, Any]:
    """End the flow; what was made stays."""
    if world.flow.task is not None:
        world.flow.task.cancel()
    return flow_json(world) | {"running": False}


async def make_posts(world: World, flow: Flow, wanted: Wanted) -> None:
    """Make the posts of an order at their rate; a late batch is as much bigger."""
    loop = asyncio.get_running_loop()
    began, before, numbers = loop.time(), world.clock.now(), itertools.count(1)
    try:
        while flow.made < wanted.count:
            due = min(wanted.count, int((loop.time() - began) * wanted.rate_per_s) + 1)
            size = min(due - flow.made, LONGEST_BATCH)
            if size > 0:
                now = world.clock.now()
                store_batch(world.state, wanted, itertools.islice(numbers, size), spread(before, now, size))
                flow.made, flow.ended_at, before = flow.made + size, now, now
            await asyncio.sleep(TICK_S)
    except sqlite3.Error as error:
        flow.failure = f"{type(error).__name__}: {error}"


def spread(after: float, until: float, count: int) -> list[float]:
    """So many moments between two, the last of them at the end.

    >>> spread(0.0, 1.0, 4)
    [0.25, 0.5, 0.75, 1.0]
    """
    return [after + (until - after) * place / count for place in range(1, count + 1)]


def store_batch(state: State, wanted: Wanted, numbers: Iterator[int], moments: Sequence[float]) -> None:
    """Write posts and their record, all or none."""
    with state.transaction() as db:
        ids = new_ids(db, moments[-1], len(moments))
        for number, post_id, at in zip(numbers, ids, moments, strict=True):
            insert_post(db, one_post(wanted, number, post_id, at))
        db.executemany("INSERT INTO flow_post (x_id) VALUES (?)", [(int(post_id),) for post_id in ids])


def one_post(wanted: Wanted, number: int, post_id: str, at: float) -> SandboxPost:
    """The post with a number."""
    author = wanted.author or f"flow_{number % wanted.authors}"
    return SandboxPost(
        platform="x",
        id=post_id,
        text=wanted.texts[number % len(wanted.texts)].replace("{n}", str(number)),
        created_at=at,
        conversation_id=post_id,
        author=author,
        author_followers=10 + number % 5000,
        url=f"https://x.com/{author}/status/{post_id}",
    )


def flow_json(world: World) -> dict[str, Any]:
    """How far the flow is, and what all flows have made: number, first and last id."""
    flow, row = world.flow, count_made(world.state)
    seconds = flow.ended_at - flow.started_at
    return {
        "running": flow.is_running,
        "wanted": flow.wanted.count if flow.wanted else 0,
        "made": flow.made,
        "rate_per_s": flow.wanted.rate_per_s if flow.wanted else 0.0,
        "made_per_s": round(flow.made / seconds, 1) if seconds > 0 else 0.0,
        "started_at": iso(flow.started_at) if flow.wanted else None,
        "failure": flow.failure,
        "all_made": row["made"],
        "first_id": None if row["first"] is None else str(row["first"]),
        "last_id": None if row["last"] is None else str(row["last"]),
    }


def count_made(state: State) -> sqlite3.Row:
    """Number, first and last id of what flows have made, restarts included."""
    row: sqlite3.Row = state.db.execute(
        "SELECT count(*) AS made, min(x_id) AS first, max(x_id) AS last FROM flow_post"
    ).fetchone()
    return row


def flow_ids(state: State, after: int = 0) -> list[str]:
    """The ids of all posts that flows have made, oldest first; only those above ``after``."""
    rows = state.db.execute("SELECT x_id FROM flow_post WHERE x_id > ? ORDER BY x_id", (after,))
    return [str(row["x_id"]) for row in rows]
