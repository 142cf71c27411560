"""Faults on order: what a test or an operator wants to go wrong, kept in the state, used up in order."""

from dataclasses import dataclass

from resources.sandbox.state import State

KINDS = (
    "commit_then_503",
    "commit_then_drop",
    "503",
    "drop",
    "429",
    "429_no_headers",
    "usage_capped",
    "401",
    "ratelimit",
    "slow",
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong once; delay_s counts for ``slow``."""

    kind: str
    delay_s: float


def order_fault(state: State, endpoint: str, kind: str, times: int, delay_s: float) -> None:
    """Let the next ``times`` calls of an endpoint go wrong.

    Raises:
        ValueError: the kind is not one of ``KINDS``, or times is below 1.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    if times < 1 or not 0 <= delay_s <= 3600:
        raise ValueError("times must be 1 or more, delay_s between 0 and 3600")
    state.db.execute(
        "INSERT INTO fault (endpoint, kind, times, delay_s) VALUES (?, ?, ?, ?)",
        (endpoint, kind, times, delay_s),
    )


def take_fault(state: State, endpoint: str) -> Fault | None:
    """The next fault of an endpoint, used up by being taken."""
    row = state.db.execute(
        "SELECT * FROM fault WHERE endpoint = ? ORDER BY id LIMIT 1", (endpoint,)
    ).fetchone()
    if row is None:
        return None
    if row["times"] > 1:
        state.db.execute("UPDATE fault SET times = times - 1 WHERE id = ?", (row["id"],))
    else:
        state.db.execute("DELETE FROM fault WHERE id = ?", (row["id"],))
    return Fault(row["kind"], row["delay_s"])


def waiting_faults(state: State) -> list[dict[str, object]]:
    """Faults that were ordered and not used up yet, in order."""
    rows = state.db.execute("SELECT endpoint, kind, times, delay_s FROM fault ORDER BY id")
    return [dict(row) for row in rows]
