"""The sandbox's own paths, under /sandbox: clock, faults, posts, tokens, accounts, witness, credentials."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resources.sandbox.clock import iso
from resources.sandbox.control_paths import read_route, refuse_strangers, write_route
from resources.sandbox.control_posts import apply_change
from resources.sandbox.credentials import ensure_credentials, known_account, read_handle
from resources.sandbox.events import events_json
from resources.sandbox.exchange import World
from resources.sandbox.faults import count_struck, order_fault, waiting_faults
from resources.sandbox.made_posts import add_many, add_record, read_many
from resources.sandbox.page import page_response, parts_response
from resources.sandbox.scenario_form import FAULTY
from resources.sandbox.scenario_start import current_scenario
from resources.sandbox.tokens import set_token_life, set_tokens
from resources.sandbox.witness import read_log, read_replies, summarize
from resources.sandbox.write_limits import read_write_limits


def control_routes(world: World) -> list[Route]:
    """Every route of the sandbox itself."""
    state = world.state
    return [
        read_route("/sandbox/health", lambda: health(world)),
        read_route("/sandbox/clock", lambda: clock_json(world)),
        read_route("/sandbox/log", lambda: read_log(state)),
        read_route("/sandbox/replies", lambda: read_replies(state)),
        read_route("/sandbox/summary", lambda: summarize(state)),
        read_route("/sandbox/limits", lambda: read_write_limits(state)),
        read_route("/sandbox/scenario", lambda: scenario_json(world)),
        read_route("/sandbox/faults", lambda: waiting_faults(state)),
        read_route("/sandbox/faults/struck", lambda: count_struck(state)),
        write_route("/sandbox/clock", lambda body, _: set_clock(world, body)),
        write_route("/sandbox/faults", lambda body, _: add_fault(world, body)),
        write_route("/sandbox/tokens", lambda body, _: change_tokens(world, body)),
        write_route("/sandbox/accounts", lambda body, request: add_account(world, body, request)),
        write_route("/sandbox/posts", lambda body, _: add_posts(world, body)),
        write_route("/sandbox/posts/{id}", lambda body, request: change_post(world, body, request)),
        Route("/sandbox/credentials", credentials_of(world)),
        Route("/sandbox/page", page_of(world, parts_response)),
        Route("/", page_of(world, page_response)),
    ]


def health(world: World) -> dict[str, Any]:
    """That it answers, its simulated time, clients on X's stream now, writes that a slow fault holds."""
    return {
        "status": "ok",
        "now": iso(world.clock.now()),
        "open_streams": world.open_streams,
        "writes_in_hand": world.writes_in_hand,
    }


def scenario_json(world: World) -> dict[str, Any]:
    """The scenario in the state, if any, and all its events with what came of them."""
    known = current_scenario(world.state) or {}
    events = [
        {**event, "at": iso(event["at"]), "done_at": event["done_at"] and iso(event["done_at"])}
        for event in events_json(world)
    ]
    shown = {key: known.get(key) for key in ("name", "description")}
    started = iso(known["started_at"]) if known else None
    return {**shown, "started_at": started, "events": events}


def clock_json(world: World) -> dict[str, Any]:
    """The simulated time, twice, and how fast it runs."""
    now = world.clock.now()
    return {"now": iso(now), "unix_s": now, "speed": world.clock.speed().factor}


def set_clock(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Move the clock by ``advance_s`` seconds, let it run at ``speed``, or both."""
    if not body.keys() & {"advance_s", "speed"}:
        raise ValueError("give advance_s, speed, or both")
    if "advance_s" in body:
        world.clock.advance(float(body["advance_s"]))
    if "speed" in body:
        world.clock.run_at(float(body["speed"]))
    return clock_json(world)


def change_tokens(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Let tokens end or be good again (``platform``, ``state``, ``account``), or set ``life_s`` of Reddit's."""
    if "life_s" in body:
        return set_token_life(world.state, float(body["life_s"]))
    platform, wanted = str(body.get("platform")), str(body.get("state", "expired"))
    return set_tokens(world.state, platform, known_account(world.credentials, body.get("account")), wanted)


def add_account(world: World, body: dict[str, Any], request: Request) -> dict[str, Any]:
    """Add an account with an app of its own, or find it; its keys, shown to this machine only."""
    refuse_strangers(request)
    handle = read_handle(body.get("account"))
    world.credentials = ensure_credentials(world.state, None, [handle])
    return next(
        asdict(each) for each in world.credentials.accounts() if each.account.lower() == handle.lower()
    )


def add_posts(world: World, body: dict[str, Any]) -> dict[str, Any]:
    """Add posts now: a list of them in ``posts``, or many that are made up with ``generate``."""
    records, order, now = body.get("posts", []), body.get("generate"), world.clock.now()
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise ValueError("posts must be a list of objects")
    if order is not None and not isinstance(order, dict):
        raise ValueError("generate must be an object")
    if not records and order is None:
        raise ValueError("give posts or generate")
    with world.state.transaction() as db:
        ids = [add_record(db, record, now) for record in records]
        ids += add_many(db, read_many(order), now) if order is not None else []
    return {"ids": ids}


def add_fault(world: World, body: dict[str, Any]) -> list[dict[str, object]]:
    """Order a fault; all that are waiting, in order."""
    endpoint, kind = str(body.get("endpoint", "")), str(body.get("kind", ""))
    if endpoint not in FAULTY:
        raise ValueError(f"no endpoint {endpoint!r}; there are {', '.join(sorted(FAULTY))}")
    order_fault(world.state, endpoint, kind, int(body.get("times", 1)), float(body.get("delay_s", 3)))
    return waiting_faults(world.state)


def change_post(world: World, body: dict[str, Any], request: Request) -> dict[str, Any]:
    """What happens to a post: see `resources.sandbox.control_posts`."""
    return apply_change(world.state, request.path_params["id"], body, world.clock.now())


def credentials_of(world: World) -> Callable[[Request], Any]:
    """The keys, shown to this machine only."""

    async def serve(request: Request) -> Response:
        try:
            refuse_strangers(request)
        except PermissionError as error:
            return JSONResponse({"error": str(error)}, 403)
        return JSONResponse(world.credentials.as_json())

    return serve


def page_of(world: World, make: Callable[[World], Response]) -> Callable[[Request], Any]:
    """The page for people, or a part of it."""

    async def serve(request: Request) -> Response:
        return make(world)

    return serve
