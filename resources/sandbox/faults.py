"""Faults on order: what a test or an operator wants to go wrong, kept in the state, used up in order."""

from collections.abc import Collection
from dataclasses import dataclass

from resources.sandbox.clock import Clock
from resources.sandbox.state import State

KINDS = (
    "commit_then_503",
    "commit_then_drop",
    "500",
    "502",
    "503",
    "504",
    "drop",
    "429",
    "429_no_headers",
    "usage_capped",
    "401",
    "403",
    "slow",
    "slow_body",
)
# What a connected stream of X meets; 429, 503 and the like refuse the connection instead.
STREAM_KINDS = (
    "disconnect",
    "cut",
    "silent",
    "duplicate",
    "disorder",
    "no_tag",
    "torn",
    "unknown",
    "too_many",
    "too_many_in_band",
    "409",
)
# Refusals that only X has.
X_KINDS = (
    "429_problem",
    "429_app_day",
    "429_user_day",
    "client_forbidden",
    "resource_unavailable",
    "disallowed_resource",
)
# Refusals of a comment in Reddit's envelope, by the code that it carries.
COMMENT_KINDS = (
    "ratelimit",
    "ratelimit_ru",
    "ratelimit_nl",
    "too_long",
    "too_old",
    "thread_locked",
    "deleted_comment",
    "user_blocked",
    "user_muted",
    "muted_from_subreddit",
    "too_many_comments",
)
ALL_KINDS = (*KINDS, *STREAM_KINDS, *X_KINDS, *COMMENT_KINDS)
DELAY_S = 3.0
MOST_STRUCK = 200


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong once; delay_s is how long it lasts."""

    kind: str
    delay_s: float


def order_fault(state: State, endpoint: str, kind: str, times: int, delay_s: float = DELAY_S) -> None:
    """Let the next ``times`` calls of an endpoint go wrong.

    Raises:
        ValueError: the endpoint has no such fault, times is below 1, or delay_s outside of 0 to 3,600.
    """
    refuse_kind(endpoint, kind)
    if not 1 <= times <= 1_000_000 or not 0 <= delay_s <= 3600:
        raise ValueError("times must be 1 or more, delay_s between 0 and 3600")
    state.db.execute(
        "INSERT INTO fault (endpoint, kind, times, delay_s) VALUES (?, ?, ?, ?)",
        (endpoint, kind, times, delay_s),
    )


def refuse_kind(endpoint: str, kind: str) -> None:
    """Raise ValueError for a fault that an endpoint cannot have."""
    if kind not in ALL_KINDS:
        raise ValueError(f"kind must be one of {', '.join(ALL_KINDS)}")
    if kind in STREAM_KINDS and endpoint != "stream":
        raise ValueError(f"{kind} is a fault of the endpoint stream only")
    if kind in COMMENT_KINDS and kind != "ratelimit" and endpoint != "comment":
        raise ValueError(f"{kind} is a fault of the endpoint comment only")


def take_fault(
    state: State, endpoint: str, kinds: Collection[str] | None = None, but: Collection[str] = ()
) -> Fault | None:
    """The next fault of an endpoint, used up by being taken; only of some kinds, or of all but some."""
    waiting = state.db.execute("SELECT * FROM fault WHERE endpoint = ? ORDER BY id", (endpoint,))
    row = next(
        (one for one in waiting if (kinds is None or one["kind"] in kinds) and one["kind"] not in but), None
    )
    if row is None:
        return None
    with state.transaction() as db:
        if row["times"] > 1:
            db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (row["id"],))
        else:
            db.execute("DELETE FROM fault WHERE id = ?", (row["id"],))
        db.execute(
            "INSERT INTO struck (at, endpoint, kind) VALUES (?, ?, ?)",
            (Clock(state).now(), endpoint, row["kind"]),
        )
    return Fault(row["kind"], row["delay_s"])


def waiting_faults(state: State) -> list[dict[str, object]]:
    """Faults that were ordered and not used up yet, in order."""
    rows = state.db.execute("SELECT endpoint, kind, times, delay_s FROM fault ORDER BY id")
    return [dict(row) for row in rows]


def struck_faults(state: State) -> list[dict[str, object]]:
    """The newest faults that happened, newest first, at most 200; times in Unix seconds."""
    rows = state.db.execute("SELECT at, endpoint, kind FROM struck ORDER BY id DESC LIMIT ?", (MOST_STRUCK,))
    return [dict(row) for row in rows]


def count_struck(state: State) -> dict[str, int]:
    """How many faults happened, by ``endpoint/kind``."""
    rows = state.db.execute(
        "SELECT endpoint || '/' || kind AS name, count(*) AS n FROM struck GROUP BY name ORDER BY name"
    )
    return {row["name"]: row["n"] for row in rows}


def forget_faults(state: State) -> int:
    """Take back every fault that waits; how many orders there were."""
    return state.db.execute("DELETE FROM fault").rowcount
