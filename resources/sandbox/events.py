"""Letting a scenario's events happen when the simulated clock reaches them, each exactly once."""

import asyncio
import json
import logging
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from resources.sandbox.control_posts import apply_change
from resources.sandbox.credentials import known_account
from resources.sandbox.exchange import World
from resources.sandbox.faults import order_fault
from resources.sandbox.made_posts import add_many, add_record, read_many
from resources.sandbox.timeline import told
from resources.sandbox.tokens import set_tokens
from resources.sandbox.x_flow import start_flow
from resources.sandbox.x_settings import change_settings

log = logging.getLogger(__name__)
TICK_S = 0.1
Body = dict[str, Any]


def post(world: World, body: Body, at: float) -> str:
    """A new post."""
    return f"post {add_record(world.state.db, body, at)}"


def generate(world: World, body: Body, at: float) -> str:
    """Many new posts."""
    ids = add_many(world.state.db, read_many(body), at)
    return f"{len(ids)} posts, {ids[0]} to {ids[-1]}" if len(ids) > 1 else f"post {ids[0]}"


def change(world: World, body: Body, at: float) -> str:
    """Something happens to a post."""
    wanted = {key: value for key, value in body.items() if key != "id"}
    done = apply_change(world.state, body["id"], wanted, at)
    return ", ".join(f"{key} {value}" for key, value in done.items())


def fault(world: World, body: Body, at: float) -> str:
    """A fault waits for its calls."""
    order_fault(world.state, body["endpoint"], body["kind"], body["times"], body["delay_s"])
    return f"{body['kind']} on {body['endpoint']}, {body['times']} times"


def tokens(world: World, body: Body, at: float) -> str:
    """Tokens end, or are good again."""
    account = known_account(world.credentials, body.get("account"))
    done = set_tokens(world.state, body["platform"], account, body["state"])
    return f"tokens of @{account} on {done['platform']} are {done['state']}"


def flow(world: World, body: Body, at: float) -> str:
    """A flow of posts begins; its posts are made once this event is on disk."""
    started = start_flow(world, body)
    return f"{started['wanted']} posts at {started['rate_per_s']:g} a second"


def clock(world: World, body: Body, at: float) -> str:
    """The clock changes its speed."""
    world.clock.run_at(body["speed"])
    return f"clock at {body['speed']:g} times real speed"


def set_x(world: World, body: Body, at: float) -> str:
    """Settings of X change."""
    change_settings(world.state, body)
    return told(body)


DEEDS: Mapping[str, Callable[[World, Body, float], str]] = {
    "post": post,
    "generate": generate,
    "change": change,
    "fault": fault,
    "tokens": tokens,
    "flow": flow,
    "clock": clock,
    "x": set_x,
}


def fire_due(world: World) -> int:
    """Let every event happen whose time has come, in order; how many there were."""
    fired = 0
    while (row := next_event(world)) is not None and row["at"] <= world.clock.now():
        fire(world, row)
        fired += 1
    return fired


def next_event(world: World) -> sqlite3.Row | None:
    """The first event that is to come."""
    row: sqlite3.Row | None = world.state.db.execute(
        "SELECT * FROM event WHERE done_at IS NULL ORDER BY at, id LIMIT 1"
    ).fetchone()
    return row


def fire(world: World, row: sqlite3.Row) -> None:
    """Do what an event says and note it, in one transaction; what fails is noted with its reason."""
    try:
        with world.state.transaction():
            settle(world, row, DEEDS[row["kind"]](world, json.loads(row["body"]), row["at"]))
    except (ValueError, LookupError, TypeError, OverflowError) as error:
        settle(world, row, f"failed: {error}")


def settle(world: World, row: sqlite3.Row, outcome: str) -> None:
    """Note that an event has happened."""
    world.state.db.execute(
        "UPDATE event SET done_at = ?, outcome = ? WHERE id = ?", (world.clock.now(), outcome, row["id"])
    )


async def keep_firing(world: World) -> None:
    """Let events happen on time though nobody asks for anything."""
    while True:
        try:
            fire_due(world)
            world.usage.flush_due(world.state)
        except sqlite3.Error as error:
            log.warning("events wait: %s", error)
        await asyncio.sleep(TICK_S)


class EventsFirst:
    """Lets what is due happen before a request is answered, so that an answer never lags the clock."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self.app = app
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            fire_due(self.world)
        await self.app(scope, receive, send)


def events_json(world: World) -> list[dict[str, Any]]:
    """All events of the state in order of time; times in Unix seconds."""
    rows = world.state.db.execute("SELECT at, kind, body, done_at, outcome FROM event ORDER BY at, id")
    return [{**dict(row), "body": json.loads(row["body"])} for row in rows]
