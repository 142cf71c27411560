"""`rejoinder rules`: what is listened for, whether it is well formed, and what it costs."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import AsJson, print_json, print_table, reporting, say, shortened

if TYPE_CHECKING:
    from resources.commands.rules import ChannelRules
    from resources.platforms.streaming import RuleChanges

rules = typer.Typer(
    no_args_is_help=True,
    help="Listening rules: list, check, send to X, forecast costs.",
)

ChannelName = Annotated[
    str | None,
    typer.Option("--channel", metavar="NAME", help="Only this channel; all enabled ones without it."),
]


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(rules, name="rules")


@rules.command("list")
def list_rules(channel: ChannelName = None, as_json: AsJson = False) -> None:
    """What each enabled channel listens for.

    Rules are made of the corpus's keywords by the asset listening_rules (`rejoinder run corpus`). A rule that the
    platform does not take is put aside with its reason until its text changes; `rejoinder rules sync` tries it again.
    """
    from cli.context import open_database

    with reporting(as_json), open_database() as db:
        from resources.commands.rules import rules_of_channels

        rows = [
            {"channel": one.channel.name, "tag": rule.tag, "query": rule.x_query, "refusal": refusal}
            for one in rules_of_channels(db, channel)
            for rule, refusal in (*((rule, None) for rule in one.rules), *one.aside)
        ]
    if as_json:
        print_json({"rules": rows})
        return
    cells = ((row["channel"], row["tag"], row["query"], row["refusal"] or "") for row in rows)
    empty = "There are no rules yet: add sources, then `rejoinder run corpus` makes them."
    print_table("Listening rules", ("channel", "tag", "query", "not taken, because"), cells, empty=empty)


@rules.command()
def check(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="A query of X, in quotation marks.")],
    as_json: AsJson = False,
) -> None:
    """Say what is wrong with a query before X does; exit code 1 if anything is.

    A blank means AND and binds before OR, parentheses group, - leaves out. Each branch of an OR needs a word, a
    phrase, a mention or another operator that may stand alone. A rule is used in the stream and in search, so it has
    512 characters at most and only operators that both know.
    """
    from rejoinder.listening.rules import query_problems

    problems = query_problems(query)
    if as_json:
        print_json({"query": query, "problems": problems})
    elif problems:
        for problem in problems:
            say(f"- {problem}")
    else:
        say("The query is well formed.")
    raise typer.Exit(1 if problems else 0)


@rules.command()
def forecast(channel: ChannelName = None, as_json: AsJson = False) -> None:
    """Posts a day of each rule, by the platform's counts of the last days, and what they cost by the policy's prices.

    Each rule is one counting call, which X charges. Bounds hold 95 of 100 days if things go on as they went. A new rule
    reads back listening.first_look_back_h hours once, beside that.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.clients import metered
        from resources.commands.rules import client_of, forecast_row, rules_of_channels
        from resources.rule_forecasts import forecasts

        with metered(bench.db) as open_client:
            rows = [
                forecast_row(one)
                for each in rules_of_channels(bench.db, channel)
                for one in forecasts(client_of(bench.db, each.channel, open_client), each.channel, each.rules)
            ]
    back_h = bench.tuning.listening.first_look_back_h
    if as_json:
        usd_per_day = round(sum(row["usd_per_day"] or 0 for row in rows), 2)
        print_json({"rules": rows, "usd_per_day": usd_per_day, "first_look_back_h": back_h})
    else:
        _show_forecast(rows)
        say(f"A rule that is new reads {back_h:g} h back once beside that (listening.first_look_back_h).")


def _show_forecast(rows: list[dict[str, Any]]) -> None:
    plain = ("channel", "tag", "posts_per_day", "usd_per_day", "usd_per_month")
    shares = ("share_of_day_budget", "share_of_month_budget")
    cells = ([*(row[name] for name in plain), *(_percent(row[name]) for name in shares)] for row in rows)
    columns = (
        "channel",
        "tag",
        "posts a day",
        "USD a day",
        "USD a month",
        "of the day's budget",
        "of the month's",
    )
    print_table(
        "What listening would cost", columns, cells, empty="No enabled channel has rules that can be counted."
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


@rules.command()
def sync(
    channel: ChannelName = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, change nothing.")
    ] = False,
    is_agreed: Annotated[
        bool, typer.Option("--yes", help="Also where the forecast is beyond the channel's daily budget.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the rules at X equal to ours, by difference; a stream that stands follows within some 20 seconds.

    Rules of other programs, known by their tags, are left alone.

    Before rules are added their cost is forecast; beyond the channel's daily budget they are refused without --yes.
    `rejoinder listen` does the same by itself, tells of rules beyond the budget and goes on until that is spent.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.clients import metered
        from resources.commands.rules import rules_of_channels

        done = []
        with metered(bench.db) as open_client:
            for one in rules_of_channels(bench.db, channel):
                changes = _sync_one(bench.db, one, open_client, dry_run=dry_run, is_agreed=is_agreed)
                if changes is not None:
                    done.append((one.channel.name, changes))
    if as_json:
        print_json({"is_dry_run": dry_run, "channels": [_as_row(name, changes) for name, changes in done]})
    else:
        _show_changes(done, dry_run=dry_run)


def _sync_one(
    db: Any, one: "ChannelRules", open_client: Any, *, dry_run: bool, is_agreed: bool
) -> "RuleChanges | None":
    from resources.commands import rules as deeds

    client = deeds.client_of(db, one.channel, open_client)
    changes = deeds.planned(client, one.wanted)
    if changes is None or dry_run or (changes.is_empty and not one.aside):
        return changes
    if changes.added and not is_agreed:
        found = deeds.forecasts_of_wanted(client, one)
        deeds.refuse_beyond_budget(one.channel, found, is_agreed=is_agreed)
    return deeds.try_again(db, one, client)


def _as_row(name: str, changes: "RuleChanges") -> dict[str, Any]:
    parts = {"added": changes.added, "removed": changes.removed, "kept": changes.kept}
    return {
        "channel": name,
        **{part: [{"tag": r.tag, "query": r.x_query} for r in found] for part, found in parts.items()},
        "foreign": [{"tag": r.tag, "query": r.x_query} for r in changes.foreign],
        "refused": [{"tag": r.tag, "query": r.x_query, "reason": reason} for r, reason in changes.refused],
    }


def _show_changes(done: "list[tuple[str, RuleChanges]]", *, dry_run: bool) -> None:
    if not done:
        say("No enabled channel keeps rules at its platform.")
    words = ("would be added", "would be removed") if dry_run else ("added", "removed")
    for name, changes in done:
        rows = [(words[0], rule.tag, shortened(rule.x_query, 80)) for rule in changes.added]
        rows += [(words[1], rule.tag or "no tag", shortened(rule.x_query, 80)) for rule in changes.removed]
        rows += [("not taken", r.tag, f"{shortened(r.x_query, 80)}: {why}") for r, why in changes.refused]
        rows += [("left alone", r.tag or "no tag", shortened(r.x_query, 80)) for r in changes.foreign]
        title = f"Rules of {name} at the platform; {len(changes.kept)} stay as they are"
        print_table(title, ("change", "tag", "query"), rows, empty=f"{title}, none changes.")
