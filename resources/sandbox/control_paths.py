"""The form of the sandbox's own paths: JSON out, JSON objects in, wrong values answered with 400."""

import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def read_route(path: str, read: Callable[[], Any]) -> Route:
    """A GET route that shows a value as JSON."""

    async def serve(request: Request) -> Response:
        return JSONResponse(read())

    return Route(path, serve, methods=["GET"])


def write_route(path: str, write: Callable[[dict[str, Any], Request], Any]) -> Route:
    """A POST route that takes a JSON object; a wrong value is answered with 400."""

    async def serve(request: Request) -> Response:
        try:
            body = json.loads(await request.body() or b"{}")
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            return JSONResponse(write(body, request))
        except LookupError as error:
            return JSONResponse({"error": str(error.args[0])}, 404)
        except (ValueError, TypeError, OverflowError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return Route(path, serve, methods=["POST"])
