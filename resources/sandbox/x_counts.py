"""How many posts match a query on X, by stretches of time, without reading one."""

from collections import Counter
from itertools import pairwise
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.exchange import Answer, Call
from resources.sandbox.limits import DAY_S
from resources.sandbox.x_search import matching_rows, read_query
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import invalid, refuse_unknown
from resources.sandbox.x_window import recent_stretch

PARAMETERS = frozenset(
    {
        "query", "start_time", "end_time", "since_id", "until_id", "granularity", "next_token",
        "pagination_token", "search_count.fields",
    }
)  # fmt: skip
GRANULARITY_S = {"minute": 60.0, "hour": 3600.0, "day": DAY_S}
MOST_BUCKETS = 20_000


def counts_recent(call: Call) -> Answer:
    """``GET /2/tweets/counts/recent``: every stretch of the window, oldest first, empty ones too.

    Stretches begin at full minutes, hours or days in UTC; the first and the last are parts of one.
    """
    refuse_unknown(call, PARAMETERS)
    granularity = call.query.get("granularity", "hour")
    if granularity not in GRANULARITY_S:
        raise invalid("granularity", granularity, f"granularity must be one of {', '.join(GRANULARITY_S)}")
    node, stretch, step = read_query(call), recent_stretch(call), GRANULARITY_S[granularity]
    end = min(stretch.until_time, call.now)
    found = Counter(int(at // step) for _, at in matching_rows(call, node, stretch) if at < end)
    name = f"{read_settings(call.world.state).naming}_count"
    edges = bucket_edges(stretch.from_time, end, step)
    data = [
        {"start": iso(start), "end": iso(stop), name: found[int(start // step)]}
        for start, stop in pairwise(edges)
    ]
    meta: dict[str, Any] = {f"total_{name}": sum(found.values())}
    return Answer(200, {"data": data, "meta": meta})


def bucket_edges(start: float, end: float, step: float) -> list[float]:
    """Where stretches begin, and where the last one ends.

    >>> bucket_edges(30.0, 200.0, 60.0)
    [30.0, 60.0, 120.0, 180.0, 200.0]
    """
    edges = [start]
    while edges[-1] < end and len(edges) <= MOST_BUCKETS:
        edges.append(min((edges[-1] // step + 1) * step, end))
    return edges
