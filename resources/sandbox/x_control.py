"""The sandbox's own paths that concern X alone, under /sandbox: the flow of new posts, and settings."""

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from resources.sandbox.control_paths import read_route, write_route
from resources.sandbox.exchange import World
from resources.sandbox.x_flow import flow_ids, flow_json, start_flow, stop_flow
from resources.sandbox.x_settings import change_settings, read_settings


def x_control_routes(world: World) -> list[Route]:
    """Every path of the sandbox's own that concerns X alone."""

    async def ids(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not after.isdecimal() or len(after) > 19:
            return JSONResponse({"error": "after must be an id"}, 400)
        return JSONResponse(flow_ids(world.state, int(after)))

    async def stop(request: Request) -> Response:
        return JSONResponse(stop_flow(world))

    def start(body: dict[str, Any], _: Request) -> dict[str, Any]:
        return start_flow(world, body)

    return [
        read_route("/sandbox/flow", lambda: flow_json(world)),
        write_route("/sandbox/flow", start),
        Route("/sandbox/flow", stop, methods=["DELETE"]),
        read_route("/sandbox/x", lambda: asdict(read_settings(world.state))),
        write_route("/sandbox/x", lambda body, _: change_settings(world.state, body)),
        Route("/sandbox/flow/ids", ids, methods=["GET"]),
    ]
