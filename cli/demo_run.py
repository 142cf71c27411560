"""Runs the demo for the command line: joins the walk with Dagster's assets and a progress bar."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from resources.demo.walk import DemoReport
    from resources.work.runner import Progress
    from resources.workbench import Workbench


class PhaseLines:
    """Says each phase on stderr as it begins."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet

    def phase(self, name: str) -> None:
        """One line per phase."""
        if not self._quiet:
            typer.echo(f"· {name} …", err=True)

    def progress(self, total: int | None, label: str) -> "Progress":
        """A line every hundred items."""
        done = 0

        def advance(n: int) -> None:
            nonlocal done
            done += n
            if not self._quiet and done % 100 < n:
                typer.echo(f"  {label}: {done}", err=True)

        return advance


def run_demo(
    transcripts: Path | None, posts: Path | None, home: Path | None, *, is_auto_review: bool, quiet: bool
) -> "DemoReport":
    """Walk the demo in a home of the caller's choice.

    Raises:
        ConfigInvalid: the home has real channels, a demo or `up` runs for it, or a path is wrong.
        ServiceUnavailable: PostgreSQL or the sandbox went away; the next run completes the work.
    """
    from resources.demo.lock import only_demo
    from resources.demo.walk import DemoPlan, walk
    from resources.settings import load_settings, use_home
    from resources.workbench import open_workbench

    samples = Path(__file__).resolve().parents[1] / "resources" / "samples"
    plan = DemoPlan(
        (transcripts or samples / "episodes").resolve(),
        (posts or samples / "posts.jsonl").resolve(),
        is_auto_review,
    )
    settings = use_home(home) if home else load_settings()
    tell = PhaseLines(quiet)
    with only_demo(settings.home_dir):
        tell.phase("Starting PostgreSQL")
        bench = open_workbench(settings)
        return walk(bench, plan, run=_Runner(bench), tell=tell)


class _Runner:
    """Materializes assets and gives their seconds, with Dagster's own overhead apart."""

    def __init__(self, bench: "Workbench") -> None:
        self._bench = bench

    def __call__(
        self, names: Sequence[str], config: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Mapping[str, float]:
        from cli.assets import materialize_quietly

        outcome = materialize_quietly(self._bench, names, config)
        wanted = {name: outcome.seconds[name] for name in names if name in outcome.seconds}
        return {
            **wanted,
            "dagster": outcome.overhead_s + sum(outcome.seconds.values()) - sum(wanted.values()),
        }
