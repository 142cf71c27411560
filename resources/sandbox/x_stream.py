"""X's filtered stream: posts that appear after connecting and match a rule, one JSON a line."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused, World
from resources.sandbox.faults import take_fault
from resources.sandbox.gate import read_call, to_response
from resources.sandbox.posts import from_row
from resources.sandbox.x_gate import enter, faulted
from resources.sandbox.x_match import matchable, matches
from resources.sandbox.x_rules import parsed_rules
from resources.sandbox.x_shapes import posts_answer, problem

POLL_S = 0.1
KEEP_ALIVE_S = 20.0
KEEP_ALIVE = b"\r\n"


def opened(call: Call) -> Answer:
    """What an open stream is answered with before its lines."""
    return Answer(200, "")


STREAM = Endpoint("stream", "GET", "/2/tweets/search/stream", opened, needs="app", app_limit=50)


@dataclass(slots=True)
class Position:
    """How far a stream has read; keep_alive_s is the longest silence."""

    seq: int
    keep_alive_s: float = KEEP_ALIVE_S


def stream_route(world: World, keep_alive_s: float = KEEP_ALIVE_S) -> Route:
    """The route of the stream."""

    async def serve(request: Request) -> Response:
        call = await read_call(world, request)
        try:
            headers = connect(call)
        except Refused as refusal:
            return to_response(call, refusal.answer)
        position = Position(newest_seq(world), keep_alive_s)
        lines = stream_lines(call, position)
        return StreamingResponse(lines, headers=headers, media_type="application/json")

    return Route(STREAM.path, serve, methods=["GET"])


def connect(call: Call) -> dict[str, str]:
    """Check token, limits, rules and that no other stream is open; the headers to send."""
    fault = take_fault(call.world.state, STREAM.name)
    if fault is not None:
        raise Refused(fault.kind, faulted(call, fault.kind))
    headers = enter(call, STREAM)
    if not parsed_rules(call.world.state.db):
        raise problem(
            409, "RuleConfigurationIssue", "You must define rules before connecting.", "rule-configuration"
        )
    if call.world.open_streams:
        detail = "This stream is currently at the maximum allowed connection limit."
        issue = "TooManyConnections"
        raise problem(429, "ConnectionException", detail, "streaming-connection", connection_issue=issue)
    return headers


async def stream_lines(call: Call, position: Position) -> AsyncIterator[bytes]:
    """Matching posts as they appear, and a keep-alive after every silence."""
    call.world.open_streams += 1
    silent_s = 0.0
    try:
        yield KEEP_ALIVE
        while True:
            found = new_lines(call, position)
            for line in found:
                yield line
            silent_s = 0.0 if found else silent_s + POLL_S
            if silent_s >= position.keep_alive_s:
                silent_s = 0.0
                yield KEEP_ALIVE
            await asyncio.sleep(POLL_S)
    finally:
        call.world.open_streams -= 1


def newest_seq(world: World) -> int:
    """The place of the newest post in the state."""
    return int(world.state.db.execute("SELECT coalesce(max(seq), 0) FROM post").fetchone()[0])


def new_lines(call: Call, position: Position) -> list[bytes]:
    """The matching posts behind a position, which moves on."""
    newest = newest_seq(call.world)
    if newest == position.seq:
        return []
    rows = call.world.state.db.execute(
        "SELECT * FROM post WHERE seq > ? AND seq <= ? AND platform = 'x' AND is_protected = 0 ORDER BY seq",
        (position.seq, newest),
    ).fetchall()
    position.seq = newest
    rules = parsed_rules(call.world.state.db)
    lines = []
    for post in map(from_row, rows):
        seen = matchable(post)
        matching = [shown for shown, node in rules if matches(node, seen, fold_accents=False)]
        if matching:
            body: dict[str, Any] = posts_answer(call, [post])
            lines.append(as_line({**body, "data": body["data"][0], "matching_rules": matching}))
    return lines


def as_line(body: dict[str, Any]) -> bytes:
    """One stream item."""
    return json.dumps(body).encode("ascii") + b"\r\n"
