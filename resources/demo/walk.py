"""The walk of the demo: which assets run when, what happens between them, and the counts at the end.

Running assets is passed in, because this layer knows nothing of Dagster.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from resources.demo.channels import choose_port, connect_channels, refuse_real_channels
from resources.demo.reviewer import review_waiting
from resources.demo.sandbox_process import Sandbox, running_sandbox
from resources.demo.witness import ask_witness
from resources.rounds import hear, publish
from resources.services import sandbox_arguments
from resources.work.runner import Progress
from resources.workbench import Workbench

ACCOUNT = "rejoinder_demo"
HOUR_S = 3600
# From one snapshot window to the next: 1 h, 24 h, 72 h, 168 h after the reply, and a minute over.
CLOCK_STEPS_S = (HOUR_S + 60, 23 * HOUR_S, 48 * HOUR_S, 96 * HOUR_S)

CORPUS = ("sources", "chunks", "chunk_embeddings", "keywords", "summaries", "listening_rules")
HEAR = ("posts",)
ANSWER = (
    "post_embeddings",
    "relevance_model",
    "relevance",
    "claims",
    "evidence",
    "decisions",
    "drafts",
    "checked_drafts",
)
MEASURE = ("engagement", "follow_ups", "rewards", "outcomes")
MARTS = ("marts",)


Result = TypeVar("Result")


class RunAssets(Protocol):
    """Materializes assets; gives seconds by asset, and Dagster's own overhead under the key ``dagster``."""

    def __call__(
        self, names: Sequence[str], config: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Mapping[str, float]:
        """Run them; raises what an asset raises."""
        ...


class Tell(Protocol):
    """Tells the person what is going on."""

    def phase(self, name: str) -> None:
        """A part of the walk begins."""

    def progress(self, total: int | None, label: str) -> Progress:
        """A counter of items within the part."""


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What the demo reads and whether it decides by itself."""

    transcripts: Path
    posts: Path
    is_auto_review: bool


@dataclass(slots=True)
class DemoReport:
    """Counts and seconds of one demo, for a table or JSON."""

    counts: dict[str, Any] = field(default_factory=dict)
    seconds_per_stage: dict[str, float] = field(default_factory=dict)

    def add_seconds(self, seconds: Mapping[str, float]) -> None:
        """Add up seconds by stage."""
        for name, value in seconds.items():
            self.seconds_per_stage[name] = self.seconds_per_stage.get(name, 0.0) + value

    def as_dict(self) -> dict[str, Any]:
        """One flat JSON object."""
        rounded = {name: round(value, 2) for name, value in self.seconds_per_stage.items()}
        return {**self.counts, "seconds_per_stage": rounded}


def walk(bench: Workbench, plan: DemoPlan, *, run: RunAssets, tell: Tell) -> DemoReport:
    """Walk the whole loop once; safe to run again on the same home.

    Raises:
        ConfigInvalid: the home has a channel that is not a sandbox channel.
        ServiceUnavailable: PostgreSQL or the sandbox went away; the next run completes the work.
    """
    refuse_real_channels(bench)
    started = time.monotonic()
    report = DemoReport()
    arguments = sandbox_arguments(bench.settings, choose_port(bench), posts=plan.posts, account=ACCOUNT)
    with running_sandbox(arguments, log=bench.settings.home_dir / "logs" / "sandbox.log") as sandbox:
        connect_channels(bench, sandbox, plan.posts)
        _prepare_drafts(bench, plan, run, tell, report)
        reviews = _close_the_loop(bench, sandbox, run, tell, report) if plan.is_auto_review else {}
        tell.phase("Writing the marts")
        report.add_seconds(run(MARTS))
        report.counts = {**_counts(bench, sandbox), "reviews": reviews}
    report.counts["seconds"] = round(time.monotonic() - started, 2)
    return report


def _prepare_drafts(bench: Workbench, plan: DemoPlan, run: RunAssets, tell: Tell, report: DemoReport) -> None:
    tell.phase("Reading the transcripts and making them searchable")
    report.add_seconds(run(CORPUS, {"sources": {"paths": [str(plan.transcripts)]}}))
    tell.phase("Listening on the sandbox")
    report.add_seconds(run(HEAR))
    tell.phase("Triage, evidence, drafts")
    report.add_seconds(run(ANSWER))


def _close_the_loop(
    bench: Workbench, sandbox: Sandbox, run: RunAssets, tell: Tell, report: DemoReport
) -> dict[str, int]:
    tell.phase("The simulated reviewer decides")
    reviews = _timed(
        report, "review", lambda: review_waiting(bench, progress=tell.progress(None, "decisions"))
    )
    tell.phase("Publishing on the sandbox")
    _timed(report, "publish", lambda: publish(bench, progress=tell.progress(None, "replies")))
    tell.phase("Seven days pass on the sandbox; engagement is measured")
    for seconds in CLOCK_STEPS_S:
        sandbox.advance(seconds)
        # Whoever listens all week has no gap behind him: X's search reaches back seven days, and the next poll may
        # come long after the demo.
        _timed(report, "posts", lambda: hear(bench))
        report.add_seconds(run(MEASURE))
    return reviews


def _timed(report: DemoReport, name: str, deed: Callable[[], Result]) -> Result:
    started = time.monotonic()
    result = deed()
    report.add_seconds({name: time.monotonic() - started})
    return result


def _counts(bench: Workbench, sandbox: Sandbox) -> dict[str, Any]:
    witness = ask_witness(bench, sandbox)
    with bench.db.transaction() as tx:
        ours = tx.row("count_everything") or {}
        places = tx.rows("count_posts_by_place")
        handed_off = tx.value("born_handed_off")
        reasons = tx.rows("rejection_reasons", top=12)
    return {
        **ours,
        "posts_on_sandbox": witness.posts,
        "published_by_our_tables": ours.get("published", 0),
        "published": witness.published,
        "duplicates": witness.duplicates,
        "unapproved_published": witness.unapproved,
        "handed_off": handed_off,
        "posts_by_place": {f"{row['stage']}/{row['status']}": row["n"] for row in places},
        "rejection_reasons": {row["reason"]: row["n"] for row in reasons},
    }
