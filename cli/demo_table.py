"""The end of the demo for people: what happened, in a table, and what to do next."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.output import print_table, say

if TYPE_CHECKING:
    from resources.demo.walk import DemoReport

LINES = (
    ("sources", "sources"),
    ("chunks", "chunks"),
    ("listening_rules", "listening rules"),
    ("posts", "posts heard"),
    ("claims", "posts with a claim or question"),
    ("drafts", "drafts"),
    ("published", "replies published (counted by the sandbox)"),
    ("handed_off", "replies handed to a person"),
    ("unknown", "replies with unknown outcome"),
    ("duplicates", "replies published twice"),
    ("unapproved_published", "replies published without approval"),
    ("snapshots", "engagement snapshots"),
    ("quarantined", "inputs in quarantine"),
    ("model_calls", "model calls"),
    ("model_cost_usd", "cost in US dollars"),
)


def show_report(report: "DemoReport", *, is_auto_review: bool) -> None:
    """Print counts, posts by stage, reasons, seconds and the next steps."""
    counts = report.counts
    print_table("What happened", ("what", "number"), [(label, counts.get(key, 0)) for key, label in LINES])
    print_table("Where the posts stand", ("stage/status", "posts"), counts["posts_by_place"].items())
    seconds = [(name, f"{value:.2f}") for name, value in report.seconds_per_stage.items()]
    print_table("Seconds", ("stage", "seconds"), [*seconds, ("all", f"{counts['seconds']:.2f}")])
    for line in _next_steps(report, is_auto_review):
        say(line)


def _next_steps(report: "DemoReport", is_auto_review: bool) -> Iterator[str]:
    if is_auto_review:
        decided = report.counts["reviews"]
        yield (
            f"The simulated reviewer approved {decided['approved']}, edited {decided['edited']} and rejected "
            f"{decided['rejected']} drafts; its decisions are marked and never train anything."
        )
    else:
        waiting = report.counts["posts_by_place"].get("review/pending", 0)
        yield f"{waiting} drafts wait for you."
    yield "Make an account:  rejoinder user add NAME --role admin"
    yield "Start everything: rejoinder up      (review app on http://127.0.0.1:8501, Dagster on :3000)"
    yield "Or decide here:   rejoinder review list"
