"""What was read on X: posts per day, each counted once a day, against the cap of the month.

Source: docs.x.com, pricing (de-duplication within a UTC day) and usage (`GET /2/usage/tweets`).
"""

from collections.abc import Iterable
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.exchange import Answer, Call, Refused
from resources.sandbox.limits import DAY_S
from resources.sandbox.posts import SandboxPost
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import invalid, problem, refuse_unknown

MOST_DAYS = 90
PROJECT_ID = "1700000000000000001"


def charge_posts(call: Call, posts: Iterable[SandboxPost]) -> None:
    """Count posts that an answer shows.

    Raises:
        Refused: the cap of the month is used up; nothing is shown.
    """
    if is_used_up(call):
        raise capped()
    call.world.usage.add(call.world.state, call.now, (int(post.id) for post in posts))


def is_used_up(call: Call) -> bool:
    """Whether the month's posts are read."""
    cap = read_settings(call.world.state).posts_per_month
    return call.world.usage.month(call.world.state, call.now) >= cap


def capped() -> Refused:
    """The 429 that no waiting for the next window lifts."""
    detail = "Usage cap exceeded: Monthly product cap"
    return problem(429, "UsageCapExceeded", detail, "usage-capped", period="Monthly", scope="Product")


def show_usage(call: Call) -> Answer:
    """``GET /2/usage/tweets``: what was read this month, and by day."""
    refuse_unknown(call, frozenset({"days", "usage.fields"}))
    given = call.query.get("days", "7")
    if not given.isdecimal() or len(given) > 3 or not 1 <= int(given) <= MOST_DAYS:
        raise invalid("days", given, f"days must be between 1 and {MOST_DAYS}")
    usage, today = call.world.usage, int(call.now // DAY_S)
    days = [
        {"date": iso(day * DAY_S), "usage": str(usage.day(call.world.state, day))}
        for day in range(today, today - int(given), -1)
    ]
    data: dict[str, Any] = {
        "project_id": PROJECT_ID,
        "project_cap": str(read_settings(call.world.state).posts_per_month),
        "project_usage": str(usage.month(call.world.state, call.now)),
        "cap_reset_day": 1,
        "daily_project_usage": {"project_id": PROJECT_ID, "usage": days},
    }
    return Answer(200, {"data": data})
