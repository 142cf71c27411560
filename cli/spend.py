"""`rejoinder spend`: what platforms charge, beside the budgets of each channel."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.spending.report import ActionSpend, ChannelSpend, SpanSpend

EMPTY = "There is no channel yet: `rejoinder channel add`."
BUDGETS = "Another budget: rejoinder policy set CHANNEL spend_cap_usd_per_day=20 spend_cap_usd_per_month=300"
SPANS = ("span", "$ spent", "$ held", "$ budget", "used %", "$ left")
ACTIONS = ("day (UTC)", "for", "came", "charged", "$ spent")


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="What platforms charge, beside each channel's budgets.", no_args_is_help=True)
    group.command()(show)
    app.add_typer(group, name="spend")


def show(
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3_650, help="How many UTC days, today included.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Show what each channel spent today and this month, of what, and what is left.

    A resource is charged once a day (UTC), however often it came. Held is what calls under way may cost, and what a
    process that died may have spent. `rejoinder policy set CHANNEL spend_cap_usd_per_day=20
    spend_cap_usd_per_month=300` changes a budget; `rejoinder endpoints spend` shows what models cost.
    """
    with reporting(as_json):
        found = _read(channel, days)
        if as_json:
            print_json({"spending": found})
            return
        for spend in found:
            _print(spend)
        say(BUDGETS if found else EMPTY)


def _read(channel: str | None, days: int) -> "list[ChannelSpend]":
    from rejoinder.errors import ConfigInvalid
    from resources.spending.report import read_spend

    with open_database() as database, database.transaction() as tx:
        found = read_spend(tx, datetime.now(UTC), n_days=days)
    chosen = [spend for spend in found if channel in (None, spend.channel)]
    if channel is not None and not chosen:
        there = ", ".join(spend.channel for spend in found) or "none"
        raise ConfigInvalid(f"There is no channel {channel!r} that is switched on; there are: {there}.")
    return chosen


def _print(spend: "ChannelSpend") -> None:
    state = f"{spend.state}: {spend.detail}" if spend.detail else spend.state
    spans = (_span_row(name, span) for name, span in (("today", spend.today), ("month", spend.month)))
    print_table(f"{spend.channel} ({state})", SPANS, spans)
    say(f"At the end of the month, if it goes on like this: ${spend.month_end_usd:,.2f}.")
    if spend.post_reads_per_month:
        say(
            f"Posts read this month: {spend.month_post_reads:,} of the {spend.post_reads_per_month:,}"
            " that the platform allows."
        )
    print_table("Of what", ACTIONS, map(_action_row, spend.by_action), empty="Nothing was read or sent.")


def _span_row(name: str, span: "SpanSpend") -> tuple[object, ...]:
    from rejoinder.listening.spending import money

    budget, left = (money(usd) if usd is not None else "none" for usd in (span.budget_usd, span.left_usd))
    used = f"{span.share:.1%}" if span.share is not None else ""
    return (
        name,
        money(span.spent_usd),
        money(span.held_usd),
        budget,
        used,
        left if span.budget_usd is not None else "",
    )


def _action_row(row: "ActionSpend") -> tuple[object, ...]:
    from rejoinder.listening.spending import money

    return row.day, row.action.replace("_", " "), row.n_resources, row.n_charged, money(row.spent_usd)
