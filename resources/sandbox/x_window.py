"""Which stretch of ids and of time a read of X asks for, with X's refusals of what it does not serve."""

import re
from datetime import datetime
from typing import NamedTuple

from resources.sandbox.clock import iso
from resources.sandbox.exchange import Call
from resources.sandbox.limits import DAY_S
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import invalid

DIGITS = re.compile(r"[0-9]{1,19}")
TOKEN = re.compile(r"b[0-9a-f]{1,16}")
LARGEST_ID = 2**63 - 1
NEWEST_END_S = 10.0
FOREVER = 1e12


class Stretch(NamedTuple):
    """Ids strictly between two, and times from one (inclusive) to another (exclusive), in Unix seconds."""

    after_id: int
    before_id: int
    from_time: float
    until_time: float


def any_stretch(call: Call) -> Stretch:
    """What a timeline may be asked for."""
    return Stretch(*id_range(call), read_time(call, "start_time", 0.0), read_time(call, "end_time", FOREVER))


def recent_stretch(call: Call) -> Stretch:
    """What recent search and counts may be asked for: the last seven days.

    Raises:
        Refused: a time or since_id lies outside.
    """
    settings = read_settings(call.world.state)
    oldest = call.now - settings.search_days * DAY_S
    newest = call.now - settings.search_lag_s if settings.search_lag_s else FOREVER
    start, end = read_time(call, "start_time", oldest), read_time(call, "end_time", newest)
    # A client that asks for exactly seven days is a moment late when its request arrives.
    if start < oldest - 60:
        raise outside(call, "start_time", f"must be on or after {iso(oldest)}")
    if "end_time" in call.query and end > call.now - NEWEST_END_S:
        raise outside(call, "end_time", "must be a minimum of 10 seconds prior to the request time")
    if start >= end:
        raise outside(call, "start_time", "must be before 'end_time'")
    ids = id_range(call)
    if "since_id" in call.query:
        refuse_old_id(call, ids[0], oldest)
    return Stretch(*ids, max(start, oldest), end)


def refuse_old_id(call: Call, since_id: int, oldest: float) -> None:
    """X answers 400 to a since_id from before its window; the time of an id is that of the posts here."""
    row = call.world.state.db.execute(
        "SELECT created_at FROM post WHERE platform = 'x' AND x_id <= ? ORDER BY x_id DESC LIMIT 1",
        (since_id,),
    ).fetchone()
    if row is not None and row["created_at"] >= oldest:
        return
    first = call.world.state.db.execute(
        "SELECT min(x_id) AS id FROM post WHERE platform = 'x' AND created_at >= ?", (oldest,)
    ).fetchone()["id"]
    if row is None and first is None:
        return
    wanted = f"must be a tweet id created after {iso(oldest)}."
    raise outside(
        call, "since_id", f"{wanted} Please use a 'since_id' that is larger than {first or since_id}"
    )


def outside(call: Call, name: str, wanted: str) -> Exception:
    """The refusal of a parameter whose value X does not serve."""
    return invalid(name, call.query.get(name, ""), f"'{name}' {wanted}")


def id_range(call: Call) -> tuple[int, int]:
    """Ids strictly between these two: since_id, and until_id or the page token."""
    since = read_id(call, "since_id", 0)
    until = read_id(call, "until_id", LARGEST_ID)
    token = call.query.get("next_token") or call.query.get("pagination_token")
    if token is None:
        return since, until
    if not TOKEN.fullmatch(token):
        raise invalid("next_token", token, "the token is not one of ours")
    return since, min(until, int(token[1:], 16), LARGEST_ID)


def read_id(call: Call, name: str, default: int) -> int:
    """An id parameter as a number."""
    given = call.query.get(name)
    if given is None:
        return default
    if not DIGITS.fullmatch(given) or int(given) > LARGEST_ID:
        raise invalid(name, given, f"{name} must be a number")
    return int(given)


def read_time(call: Call, name: str, default: float) -> float:
    """A time parameter as Unix seconds."""
    given = call.query.get(name)
    if given is None:
        return default
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise invalid(name, given, f"{name} must be an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise invalid(name, given, f"{name} must name its time zone")
    return moment.timestamp()
