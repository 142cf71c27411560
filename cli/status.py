"""`rejoinder status`: what stands where, and what needs a person."""

from typing import TYPE_CHECKING, Any

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, print_table, reporting, say
from cli.rounds import channel_advice, warn

if TYPE_CHECKING:
    from resources.postgres import Database

SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(status)


def status(as_json: AsJson = False) -> None:
    """Show counts, the queue, what is quarantined and why, what is dead, and unread notifications."""
    with reporting(as_json), open_database() as database:
        advice, _ = channel_advice(database)
        facts = {**read_status(database), "fix": advice}
        if as_json:
            print_json(facts)
            return
        print_table("Counts", ("what", "number"), facts["counts"].items())
        print_table("Sources", ("step", "status", "number"), [tuple(s.values()) for s in facts["sources"]])
        print_table("Vectors in the index that searches read", ("what", "number"), facts["coverage"].items())
        print_table("Posts", ("stage", "status", "number"), [tuple(p.values()) for p in facts["posts"]])
        _show_trouble(facts)
        warn(advice)


def read_status(database: "Database") -> dict[str, Any]:
    """Everything that status shows, as JSON-ready values."""
    with database.transaction() as tx:
        return {
            "counts": tx.row("count_everything") or {},
            "coverage": tx.row("embedding_coverage") or {},
            "sources": tx.rows("count_by_step"),
            "posts": tx.rows("count_posts_by_place"),
            "publications": tx.rows("count_publications"),
            "quarantine": tx.rows("list_quarantine", top=SHOWN),
            "dead": tx.rows("list_dead_letters", top=SHOWN),
            "notifications": tx.rows("unread_notifications", top=SHOWN),
        }


def _show_trouble(facts: dict[str, Any]) -> None:
    tables = (
        ("publications", "Publications", ("state", "number")),
        ("quarantine", "Quarantined", ("kind", "name", "reason", "since")),
        ("dead", "Dead (revive them with `rejoinder retry`)", ("table", "id", "step", "reason", "since")),
    )
    for key, title, columns in tables:
        if facts[key]:
            print_table(title, columns, [tuple(row.values()) for row in facts[key]])
    for notice in facts["notifications"]:
        say(f"! {notice['message']}")
