"""The form of the sandbox's own paths: JSON out, JSON objects in, wrong values answered with 400."""

import ipaddress
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


def refuse_strangers(request: Request) -> None:
    """Keys are for this machine only.

    Raises:
        PermissionError: the request comes from another one.
    """
    if not is_this_machine("" if request.client is None else request.client.host):
        raise PermissionError("only on this machine")


def is_this_machine(address: str) -> bool:
    """Whether a client's address is this machine's own, in IPv4, IPv6, or the first inside of the second.

    >>> is_this_machine("::ffff:127.0.0.1"), is_this_machine("192.0.2.7")
    (True, False)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address == "testclient"
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


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
        except PermissionError as error:
            return JSONResponse({"error": str(error)}, 403)
        except RecursionError:
            return JSONResponse({"error": "the JSON is nested too deep"}, 400)
        except LookupError as error:
            return JSONResponse({"error": str(error.args[0])}, 404)
        except (ValueError, TypeError, OverflowError) as error:
            return JSONResponse({"error": str(error)}, 400)

    return Route(path, serve, methods=["POST"])
