"""The sandbox's own paths for its models, under /sandbox/models: what is set up, what was counted, what was asked."""

import time
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from resources.sandbox.control_paths import read_route, write_route
from resources.sandbox.openai_rehearsal import Rehearsal

PARTS = ("models", "answers", "faults", "counts")


def openai_control_routes(rehearsal: Rehearsal) -> list[Route]:
    """Routes that show and change a rehearsal."""
    return [
        read_route("/sandbox/models", lambda: counts(rehearsal)),
        read_route("/sandbox/models/calls", lambda: list(rehearsal.recent)),
        *section_routes(rehearsal, "answers"),
        *section_routes(rehearsal, "faults"),
        read_route("/sandbox/models/script", rehearsal.document),
        write_route("/sandbox/models", lambda body, _: added(rehearsal, {"models": [body]})),
        write_route("/sandbox/models/script", lambda body, _: added(rehearsal, body)),
        write_route("/sandbox/models/release", lambda _, __: release(rehearsal)),
        write_route("/sandbox/models/reset", lambda body, _: reset(rehearsal, body)),
    ]


def section_routes(rehearsal: Rehearsal, name: str) -> list[Route]:
    """The two routes of scripts or of faults: all of them, and one more."""

    def add_one(body: dict[str, Any], _: Request) -> Any:
        rehearsal.add({name: [body]})
        return rehearsal.document()[name]

    path = f"/sandbox/models/{name}"
    return [read_route(path, lambda: rehearsal.document()[name]), write_route(path, add_one)]


def counts(rehearsal: Rehearsal) -> dict[str, Any]:
    """What was counted, in all and by model; processor_s is what the process used since its start."""
    models = [
        {**station.card.as_json(), **station.tally.as_json()} for station in rehearsal.stations.values()
    ]
    return {**rehearsal.total.as_json(), "processor_s": time.process_time(), "models": models}


def added(rehearsal: Rehearsal, body: dict[str, Any]) -> dict[str, Any]:
    """Add to what is set up; all of it."""
    rehearsal.add(body)
    return rehearsal.document()


def release(rehearsal: Rehearsal) -> dict[str, Any]:
    """Let held answers go; the counts at that moment."""
    told = counts(rehearsal)
    rehearsal.release()
    return told


def reset(rehearsal: Rehearsal, body: dict[str, Any]) -> dict[str, Any]:
    """Go back to the beginning, with everything or with the named parts.

    Raises:
        ValueError: a part is not known.
    """
    parts = body.get("parts", PARTS)
    if not isinstance(parts, list | tuple) or set(map(str, parts)) - set(PARTS):
        raise ValueError(f"parts must be a list of {', '.join(PARTS)}")
    rehearsal.reset(parts)
    return counts(rehearsal)
