"""The way every request takes: read it, let an ordered fault strike, answer, name the time.

What differs between platforms (tokens, limits, refusals) comes in as a ``Gate``.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from resources.sandbox.exchange import Answer, Call, Endpoint, World
from resources.sandbox.faults import Fault, take_fault
from resources.sandbox.oauth import account_of
from resources.sandbox.trickle import trickled
from resources.sandbox.witness import Attempt, record_attempt

DROP = "sandbox.drop"
LARGEST_BODY = 1_000_000


@dataclass(frozen=True, slots=True)
class Gate:
    """How one platform answers.

    respond checks the caller and runs the handler; faulted is the platform's shape of an
    ordered fault; attempted reads (parent id, text) out of a write request, as far as it can.
    """

    platform: str
    respond: Callable[[Call, Endpoint], tuple[Answer, str | None]]
    faulted: Callable[[Call, str], Answer]
    attempted: Callable[[Call], tuple[str | None, str | None]]


def build_route(world: World, gate: Gate, endpoint: Endpoint) -> Route:
    """A route that serves an endpoint through its platform's gate."""

    async def serve(request: Request) -> Response:
        return await pass_through(world, gate, endpoint, request)

    return Route(endpoint.path, serve, methods=[endpoint.method])


async def pass_through(world: World, gate: Gate, endpoint: Endpoint, request: Request) -> Response:
    """Answer one request, with the next ordered fault of the endpoint if there is one."""
    call = await read_call(world, request)
    fault = take_fault(world.state, endpoint.name)
    if fault is None:
        return to_response(call, run(gate, endpoint, call))
    world.writes_in_hand += endpoint.is_write
    try:
        return await strike(gate, endpoint, call, fault, dropper(request))
    finally:
        world.writes_in_hand -= endpoint.is_write


async def strike(
    gate: Gate, endpoint: Endpoint, call: Call, fault: Fault, drop: Callable[[], Awaitable[None]]
) -> Response:
    """Let a fault happen to one call."""
    if fault.kind == "slow":
        await asyncio.sleep(fault.delay_s)
        return to_response(call, run(gate, endpoint, call))
    if fault.kind == "slow_body":
        return trickled(to_response(call, run(gate, endpoint, call)), fault.delay_s)
    if fault.kind.startswith("commit_then_"):
        run(gate, endpoint, call)
    elif endpoint.is_write:
        note_refusal(gate, endpoint, call, f"fault_{fault.kind}")
    if fault.kind.endswith("drop"):
        await drop()
        return Response()
    return to_response(call, gate.faulted(call, fault.kind.removeprefix("commit_then_")))


def run(gate: Gate, endpoint: Endpoint, call: Call) -> Answer:
    """The platform's answer; a refused write is noted in the witness log."""
    answer, code = gate.respond(call, endpoint)
    if code is not None and endpoint.is_write:
        note_refusal(gate, endpoint, call, code)
    return answer


def note_refusal(gate: Gate, endpoint: Endpoint, call: Call, code: str) -> None:
    """Write a refused request into the witness log."""
    parent_id, text = gate.attempted(call)
    account = account_of(call)
    attempt = Attempt(call.now, gate.platform, endpoint.name, account, parent_id, text, None, code)
    record_attempt(call.world.state.db, attempt)


def dropper(request: Request) -> Callable[[], Awaitable[None]]:
    """Closes the connection without an answer, as a network does."""

    async def drop() -> None:
        request.scope["extensions"][DROP]()
        await asyncio.sleep(0.05)  # lets the server notice, so that it does not try to answer

    return drop


async def read_call(world: World, request: Request) -> Call:
    """The request as handlers see it."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk[: LARGEST_BODY - len(body)]
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True) if is_form else []
    return Call(
        world=world,
        now=world.clock.now(),
        method=request.method,
        path=request.url.path,
        path_params={name: str(value) for name, value in request.path_params.items()},
        query=dict(request.query_params),
        headers=request.headers,
        body=bytes(body),
        form=dict(pairs),
        host=f"{request.url.scheme}://{request.url.netloc}",
    )


def to_response(call: Call, answer: Answer) -> Response:
    """An answer on the wire; the Date header carries simulated time."""
    if isinstance(answer.body, str):
        kind, content = "text/plain; charset=utf-8", answer.body.encode("utf-8")
    else:
        kind, content = "application/json; charset=utf-8", json.dumps(answer.body).encode("ascii")
    headers = {"date": formatdate(call.now, usegmt=True), **answer.headers}
    return Response(content, answer.status, headers, media_type=kind)
