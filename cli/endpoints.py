"""`rejoinder endpoints`: models that can be called, how they are, what they cost, switching them on and off."""

import dataclasses
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, printable, reporting, say, shortened

if TYPE_CHECKING:
    from resources.llm.gateway.checking import Checked
    from resources.llm.gateway.registry import EndpointStatus, Spending
    from resources.tuning_models import ModelBudget

endpoints = typer.Typer(
    invoke_without_command=True,
    help="Models that can be called: health, costs, on and off.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The endpoint, as in rejoinder.toml.")]
HEADS = ("name", "model", "can", "in use", "health", "$ per Mtok in / out", "$ today")
# It takes no places and cannot fail.
LOCAL = "local"
ONLY_LOCAL = """
There is no model yet: every task is answered by what it can quote. To add one, put it into rejoinder.toml:

  [endpoints.small]
  uri = "openai::gpt-4.1-mini"    # or ollama::NAME, llamacpp::NAME, ...
  price_in = 0.40                 # US dollars for a million tokens
  price_out = 1.60

  [models]
  default = ["small", "local"]

Its key belongs into the environment or the file .env: REJOINDER_KEY_SMALL=...
Then: rejoinder endpoints check small (docs/models.md)."""


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(endpoints, name="endpoints")


@endpoints.callback()
def by_default(context: typer.Context, as_json: AsJson = False) -> None:
    """Models that can be called: how they are, what they cost, switching them on and off."""
    if context.invoked_subcommand is None:
        list_all(as_json)


@endpoints.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the endpoints with health, price and last failure.

    Beside them the places in use and what each cost today (UTC). They come from rejoinder.toml: docs/models.md.
    """
    with reporting(as_json):
        rows = _statuses()
    if as_json:
        print_json({"endpoints": rows})
        return
    shown = [row for row in rows if row.is_configured or row.load]
    print_table("Endpoints", HEADS, map(_cells, shown))
    for trouble in filter(None, (trouble_of(row, datetime.now(UTC)) for row in shown)):
        say(printable(trouble))
    for row in shown:
        if row.price_in is None:
            say(printable(unpriced(row)))
    if len(shown) == 1:
        say(ONLY_LOCAL)


def _statuses() -> "list[EndpointStatus]":
    from resources.llm.gateway.registry import endpoint_statuses, register_endpoints
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    tuning = load_tuning(load_settings())
    with open_database() as database, database.transaction() as tx:
        register_endpoints(tx, tuning)
        return endpoint_statuses(tx, datetime.now(UTC).date())


def _cells(row: "EndpointStatus") -> tuple[object, ...]:
    price = "unknown" if row.price_in is None else f"{row.price_in:g} / {row.price_out:g}"
    return (
        row.name,
        row.uri,
        ", ".join(row.capabilities),
        f"{row.load} of {row.max_concurrent}" if row.name != LOCAL else "",
        health_in_a_word(row),
        price + (f" ({row.price_as_of})" if row.price_as_of else ""),
        usd(row.spent_usd) + (f" + {usd(row.reserved_usd)} reserved" if row.reserved_usd else ""),
    )


def health_in_a_word(row: "EndpointStatus") -> str:
    """How an endpoint is, for a table."""
    if row.name == LOCAL or not row.is_enabled:
        return "always there" if row.name == LOCAL else "switched off"
    if row.breaker != "closed":
        return "left alone" if row.breaker == "open" else "being tried"
    from resources.llm.gateway.registry import is_refused

    if row.failures:
        return "failing"
    if is_refused(row):
        return "refuses"
    return "well" if row.last_ok_at else "not called yet"


def trouble_of(row: "EndpointStatus", now: datetime) -> str | None:
    """What is wrong with an endpoint, since when, and what was said; None where its last call was answered."""
    from resources.llm.gateway.registry import is_refused

    error = shortened(row.last_error or "", 160)
    if row.last_failed_at is not None and is_refused(row):
        return f"{row.name} refused a call at {_utc(row.last_failed_at)}: {error}"
    if row.last_failed_at is None or not row.failures:
        return None
    said = f"{row.failures} failures in a row, the last at {_utc(row.last_failed_at)}: {error}"
    if row.opened_until is None:
        return f"{row.name}: {said}"
    ends = f"until {_utc(row.opened_until)}" if row.opened_until > now else "until the next call tries it"
    return f"{row.name} is left alone {ends}; {said}\n  `rejoinder endpoints check {row.name}` tries it now."


def unpriced(row: "EndpointStatus") -> str:
    """What to do about an endpoint that cannot be called because its price is not known."""
    from rejoinder.llm.endpoints import parse_uri
    from resources.llm.providers.known_prices import price_hint

    needed = (
        f"{row.name} is not called before it has price_in and price_out in rejoinder.toml; 0 is a price too."
    )
    return needed + price_hint(parse_uri(row.uri))


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def usd(value: float) -> str:
    """US dollars with as many places as matter.

    >>> usd(0), usd(0.00042), usd(1.5), usd(12.345)
    ('0', '0.00042', '1.50', '12.35')
    """
    if value == 0:
        return "0"
    return f"{value:.2f}" if value >= 1 else f"{value:.2g}"


@endpoints.command()
def check(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="Only this endpoint.")] = None,
    as_json: AsJson = False,
) -> None:
    """Call each endpoint once, for real and at its price.

    Exit code 1 if one does not answer. Those that are switched off or left alone after failures are called, too; an
    answer closes the circuit breaker.
    """
    with reporting(as_json):
        found = _check(name)
    if as_json:
        print_json({"ok": all(one.is_ok for one in found), "checks": found})
    else:
        print_table(
            "Checks", ("name", "model", "answers", "ms", "$", "error", "what to do"), map(_checked, found)
        )
    raise typer.Exit(0 if all(one.is_ok for one in found) else 1)


def _check(name: str | None) -> "list[Checked]":
    from resources.llm.gateway.checking import check_endpoints
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    tuning = load_tuning(load_settings())
    with open_database() as database:
        return check_endpoints(database.url, tuning, name)


def _checked(one: "Checked") -> tuple[object, ...]:
    latency = None if one.latency_ms is None else round(one.latency_ms)
    return (one.name, one.model, one.is_ok, latency, usd(one.cost_usd), one.error, one.fix)


@endpoints.command()
def enable(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Switch an endpoint on that was switched off."""
    _switch(name, who, as_json, is_enabled=True)
    answer({"name": name, "is_enabled": True}, as_json, f"The endpoint {name} is called from now on.")


@endpoints.command()
def disable(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Switch an endpoint off for all processes.

    Calls under way go on, others go to the next endpoint of their chain.
    """
    _switch(name, who, as_json, is_enabled=False)
    answer({"name": name, "is_enabled": False}, as_json, f"The endpoint {name} is switched off.")


def _switch(name: str, who: str | None, as_json: bool, *, is_enabled: bool) -> None:
    with deciding(who, as_json) as (database, actor):
        from resources.commands.endpoints import switch_endpoint

        switch_endpoint(database, actor, name, is_enabled=is_enabled)


@endpoints.command()
def reset(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Call an endpoint again that was left alone.

    One that failed `models.open_after` times in a row is left alone for a while; this ends that at once.
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.endpoints import reset_endpoint

        reset_endpoint(database, actor, name)
    answer({"name": name}, as_json, f"The endpoint {name} is called again.")


@endpoints.command()
def spend(
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many UTC days, today included.")] = 7,
    as_json: AsJson = False,
) -> None:
    """Show what models cost, beside the budgets.

    Per day (UTC), task, creator and endpoint.
    """
    with reporting(as_json):
        rows, budget = _spending(days)
    shown = [_spent(row, budget) for row in rows]
    if as_json:
        print_json({"spending": shown})
        return
    heads = ("day (UTC)", "of", "name", "$ spent", "$ reserved", "$ budget", "used %")
    empty = f"No model that costs was called in the last {days} days."
    print_table("Spending", heads, (_amounts(row) for row in shown), empty=empty)


def _spending(days: int) -> "tuple[list[Spending], ModelBudget]":
    from resources.llm.gateway.registry import spending
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    budget = load_tuning(load_settings()).budget
    with open_database() as database, database.transaction() as tx:
        return spending(tx, datetime.now(UTC).date(), days), budget


def _spent(row: "Spending", budget: "ModelBudget") -> dict[str, Any]:
    limits = {"total": budget.total_usd, "task": budget.tasks.get(row.key), "creator": budget.creator_usd}
    limit = limits.get(row.scope)
    used = None if not limit else round(100 * (row.spent_usd + row.reserved_usd) / limit, 1)
    return {**dataclasses.asdict(row), "budget_usd": limit, "used_pct": used}


def _amounts(row: dict[str, Any]) -> tuple[object, ...]:
    limit = row["budget_usd"]
    return (
        row["day"],
        "all" if row["scope"] == "total" else row["scope"],
        row["creator"] or row["key"],
        usd(row["spent_usd"]),
        usd(row["reserved_usd"]),
        "" if limit is None else usd(limit),
        row["used_pct"],
    )
