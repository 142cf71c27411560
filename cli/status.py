"""`rejoinder status`: what stands where, and what needs a person."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from cli.context import open_database
from cli.limits import CHANNELS, as_dict
from cli.output import AsJson, print_json, print_table, reporting, say
from cli.rounds import channel_advice, warn

if TYPE_CHECKING:
    from resources.postgres import Database

SHOWN = 20
QUARANTINED = "Quarantined (mend and give again, or read again with `rejoinder ingest --again NAME`)"


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(status)


def status(as_json: AsJson = False) -> None:
    """Show counts, the queue, what is quarantined or dead.

    Also why it is, and the unread notifications.
    """
    with reporting(as_json), open_database() as database:
        advice, _ = channel_advice(database)
        facts = {**read_status(database), "fix": advice}
        if as_json:
            print_json(facts)
            return
        print_table("Counts", ("what", "number"), _spelt(facts["counts"]))
        _show_places(
            "Sources", "step", facts["sources"], "No sources yet: `rejoinder ingest PATH` brings some in."
        )
        say(_coverage(facts["coverage"]))
        _show_places("Posts", "stage", facts["posts"], "No posts yet: `rejoinder listen` hears some.")
        _show_channels(facts["channels"])
        _show_publishing(facts["publishing"])
        _show_trouble(facts)
        warn(advice)


def read_status(database: "Database") -> dict[str, Any]:
    """Everything that status shows, as JSON-ready values."""
    from resources.publishing.outlook import outlook_now
    from resources.spending.report import live_states

    now = datetime.now(UTC)
    with database.transaction() as tx:
        return {
            "publishing": [as_dict(one) for one in outlook_now(tx)],
            "channels": [state._asdict() for state in live_states(tx, now)],
            "counts": tx.row("count_everything") or {},
            "coverage": tx.row("embedding_coverage") or {},
            "sources": tx.rows("count_by_step"),
            "posts": tx.rows("count_posts_by_place"),
            "publications": tx.rows("count_publications"),
            "quarantine": tx.rows("list_quarantine", top=SHOWN),
            "dead": tx.rows("list_dead_letters", top=SHOWN),
            "notifications": tx.rows("unread_notifications", top=SHOWN),
        }


def _spelt(counts: dict[str, Any]) -> list[tuple[str, object]]:
    return [(name.replace("_", " "), number) for name, number in counts.items()]


def _show_places(title: str, place: str, rows: list[dict[str, Any]], empty: str) -> None:
    print_table(title, (place, "status", "number"), [tuple(row.values()) for row in rows], empty=empty)


def _show_channels(states: list[dict[str, Any]]) -> None:
    rows = [(s["channel"], s["part"], s["state"].replace("_", " "), s["since"], s["detail"]) for s in states]
    if rows:
        print_table("Channels", ("channel", "part", "state", "since (UTC)", "detail"), rows)


def _show_publishing(found: list[dict[str, Any]]) -> None:
    waits = [one for one in found if one["because"] or one["planned"] or one["in_hand"]]
    keys = ("channel", "may_send", "because", "due", "planned", "in_hand")
    if waits:
        print_table("Publishing", CHANNELS[:1] + CHANNELS[2:], ([one[key] for key in keys] for one in waits))


def _coverage(found: dict[str, Any]) -> str:
    """How much of the corpus searches by meaning can find.

    >>> _coverage({"n_chunks": 200, "n_embedded": 50, "covered_pct": 25.0})
    '50 of 200 chunks (25.0 %) have a vector in the index that searches read.'
    """
    covered, chunks = found.get("n_embedded", 0), found.get("n_chunks", 0)
    share = f" ({found['covered_pct']} %)" if chunks else ""
    return f"{covered} of {chunks} chunks{share} have a vector in the index that searches read."


def _show_trouble(facts: dict[str, Any]) -> None:
    tables = (
        ("publications", "Publications", ("state", "number")),
        ("quarantine", QUARANTINED, ("kind", "name", "reason", "since")),
        ("dead", "Dead (revive them with `rejoinder retry`)", ("table", "id", "step", "reason", "since")),
    )
    for key, title, columns in tables:
        if facts[key]:
            print_table(title, columns, [tuple(row.values()) for row in facts[key]])
    for notice in facts["notifications"]:
        say(f"! {notice['message']}")
