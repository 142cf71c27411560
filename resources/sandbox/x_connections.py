"""The endpoints that tell of connections to X's stream and end them.

Source: docs.x.com, "Stream connections". A connection that was cut holds its place until that is
noticed; deleting it frees the place.
"""

from typing import Any

from resources.sandbox.connections import ENDPOINT_NAME
from resources.sandbox.exchange import Answer, Call, Endpoint
from resources.sandbox.x_shapes import invalid

STATUSES = ("active", "inactive", "all")


def list_connections(call: Call) -> Answer:
    """``GET /2/connections``: the active ones, or those of another status."""
    status = call.query.get("status", "active")
    if status not in STATUSES:
        raise invalid("status", status, f"status must be one of {', '.join(STATUSES)}")
    known = call.world.connections
    active = {one.id for one in known.places()}
    shown = [
        one.as_json()
        for one in reversed(known.all)
        if status == "all" or (one.id in active) == (status == "active")
    ]
    body: dict[str, Any] = {"meta": {"result_count": len(shown)}}
    return Answer(200, {"data": shown, **body} if shown else body)


def end_some(call: Call) -> Answer:
    """``DELETE /2/connections`` with ``uuids``."""
    try:
        body = call.json()
    except ValueError:
        body = None
    wanted = body.get("uuids") if isinstance(body, dict) else None
    if not isinstance(wanted, list) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise invalid("uuids", wanted, "uuids must be a list of ids of connections")
    return ended(call, wanted)


def end_all(call: Call) -> Answer:
    """``DELETE /2/connections/all``."""
    return ended(call, [one.id for one in call.world.connections.places()])


def end_endpoint(call: Call) -> Answer:
    """``DELETE /2/connections/:endpoint_id``: there is one endpoint here."""
    if call.path_params["endpoint_id"] != ENDPOINT_NAME:
        raise invalid("endpoint_id", call.path_params["endpoint_id"], f"endpoint_id must be {ENDPOINT_NAME}")
    return end_all(call)


def ended(call: Call, wanted: list[str]) -> Answer:
    """End connections and tell what became of each."""
    results = call.world.connections.end(wanted)
    successful = sum(result["success"] for result in results)
    data = {"successful_kills": successful, "failed_kills": len(results) - successful, "results": results}
    return Answer(200, {"data": data})


ENDPOINTS = (
    Endpoint("connections", "GET", "/2/connections", list_connections, needs="app", app_limit=25),
    Endpoint("end_connections", "DELETE", "/2/connections", end_some, needs="app", app_limit=25),
    Endpoint("end_connections", "DELETE", "/2/connections/all", end_all, needs="app", app_limit=25),
    Endpoint(
        "end_connections", "DELETE", "/2/connections/{endpoint_id}", end_endpoint, needs="app", app_limit=25
    ),
)
