"""Why admission lets no call through, as errors in words.

What belongs here: what the database's verdict means to a person, and what helps.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.errors import BudgetSpent, ModelTrouble, PassingTrouble
from rejoinder.llm.endpoints import Endpoint

# Which key of rejoinder.toml sets a budget.
BUDGET_KEYS = {"total": "budget.total_usd", "task": "budget.tasks.{task}", "creator": "budget.creator_usd"}


def refusal(
    endpoint: Endpoint, asked: Mapping[str, Any], row: Mapping[str, Any], now: datetime
) -> PassingTrouble:
    """The error for a verdict of the function admit_call.

    Args:
        endpoint: that was to be called.
        asked: what the function was asked.
        row: what it said: "disabled", "open" or "budget", and the circumstances.
        now: the time it was asked for.
    """
    if row["verdict"] == "budget":
        return _budget_spent(asked, row, now)
    return _switched_off(endpoint) if row["verdict"] == "disabled" else _left_alone(endpoint, row, now)


def _switched_off(endpoint: Endpoint) -> ModelTrouble:
    trouble = ModelTrouble("open", f"The endpoint {endpoint.name} is switched off.")
    trouble.fix = f"rejoinder endpoints enable {endpoint.name}"
    return trouble


def _left_alone(endpoint: Endpoint, row: Mapping[str, Any], now: datetime) -> ModelTrouble:
    until = row["until"].astimezone(UTC)
    wait_s = (until - now).total_seconds()
    when = f"until {until:%H:%M:%S} UTC" if wait_s > 0 else "while one call tries it"
    trouble = ModelTrouble(
        "open",
        f"The endpoint {endpoint.name} failed too often in a row and is left alone {when};"
        f" the last failure: {str(row['reason']).rstrip('.')}.",
        retry_after_s=wait_s if wait_s > 0 else None,
    )
    trouble.fix = f"rejoinder endpoints check {endpoint.name}"
    return trouble


def _budget_spent(asked: Mapping[str, Any], row: Mapping[str, Any], now: datetime) -> BudgetSpent:
    key = BUDGET_KEYS[row["budget"]].format(task=asked["task"])
    whose = {
        "total": "",
        "task": f" of the task {asked['task']}",
        "creator": f" of creator {asked['creator_id']}",
    }
    price, limit = asked["price_usd"], row["limit_usd"]
    message = (
        f"The budget{whose[row['budget']]} does not suffice: of {limit:.4g} US dollars for this day"
        f" {row['spent_usd']:.4g} are spent or reserved, and this call may cost {price:.4g}."
    )
    if price > limit:
        return BudgetSpent(f"{message} No day's budget is that large.", fix=f"Raise {key} in rejoinder.toml.")
    midnight = (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return BudgetSpent(
        f"{message} There is money again at {midnight:%Y-%m-%d %H:%M} UTC.",
        fix=f"Wait until then, or raise {key} in rejoinder.toml.",
    )
