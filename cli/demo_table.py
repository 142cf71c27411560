"""The end of the demo for people: what happened, in a table, and what to do next."""

import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from cli.output import print_table, say

if TYPE_CHECKING:
    from resources.demo.walk import DemoReport

LINES = (
    ("sources", "sources"),
    ("chunks", "chunks"),
    ("listening_rules", "listening rules"),
    ("posts_on_sandbox", "posts on the sandbox"),
    ("posts", "posts heard (on X: what a listening rule matches or what mentions us)"),
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
    command = command_as_called()
    yield f"Make an account:  {command} user add NAME --role admin"
    yield f"Start everything: {command} up      (review app on http://127.0.0.1:8501, Dagster on :3000)"
    yield f"Or decide here:   {command} review list"
    yield f"Then publish:     {command} publish      (while `up` or `sandbox` runs)"


def command_as_called() -> str:
    """The command of this very process for the next line in the same shell, with its home where it needs saying."""
    from resources.settings import Settings, load_settings

    home = load_settings().home_dir
    is_default = home == Path(Settings.model_fields["home"].default).resolve()
    program = program_as_called(sys.argv[0], Path.cwd())
    return program if is_default else f"REJOINDER_HOME={shlex.quote(_shorter(home, Path.cwd()))} {program}"


def program_as_called(called: str, folder: Path) -> str:
    """The program's path, relative to the folder where that is shorter.

    >>> program_as_called("/srv/rejoinder/.venv/bin/rejoinder", Path("/srv/rejoinder"))
    '.venv/bin/rejoinder'
    >>> program_as_called("-c", Path("/srv/rejoinder"))
    'rejoinder'
    """
    if not called or called.startswith("-") or called.endswith(".py"):
        return "rejoinder"
    found = shutil.which("rejoinder")
    if found and Path(found).resolve() == Path(called).resolve():
        return "rejoinder"
    return shlex.quote(_shorter(Path(called), folder))


def _shorter(path: Path, folder: Path) -> str:
    relative = os.path.relpath(path, folder)
    relative = relative if "/" in relative else f"./{relative}"
    return min(str(path), relative, key=len) if path.is_absolute() else str(path)
