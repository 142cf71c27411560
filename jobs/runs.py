"""Runs without a daemon: the same assets on the same Dagster instance, so that they show in its pages too."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from assets.catalog import ASSETS
from assets.checks import all_checks
from rejoinder.errors import StopAsked
from resources.dagster_home import open_instance
from resources.outages import outages_in_words
from resources.work.stopping import PROCESS_STOP
from resources.workbench import Workbench

# What Dagster would print is in its pages; a command's stderr is for its own lines.
QUIET = {"console": {"config": {"log_level": "ERROR"}}}


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What one run did: metadata and seconds by asset, names of checks that failed, overhead of Dagster.

    overhead_s is the run's wall time less the time inside the assets' own steps.
    """

    run_id: str
    metadata: Mapping[str, Mapping[str, Any]]
    seconds: Mapping[str, float]
    failed_checks: tuple[str, ...]
    overhead_s: float


def asset_names(stage: str | None = None) -> tuple[str, ...]:
    """Assets of a group, or the one asset of that name; None gives all, in the order of the walk.

    Raises:
        KeyError: there is no such group or asset.
    """
    by_name = {asset.key.to_user_string(): asset for asset in ASSETS}
    if stage is None:
        return tuple(by_name)
    if stage in by_name:
        return (stage,)
    members = tuple(n for n, asset in by_name.items() if asset.group_names_by_key[asset.key] == stage)
    if not members:
        raise KeyError(stage)
    return members


def materialize(
    bench: Workbench,
    names: Sequence[str],
    *,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    with_checks: bool = True,
) -> RunOutcome:
    """Materialize assets in this process; their work is committed item by item whatever becomes of the run.

    Raises:
        StopAsked: SIGTERM or SIGINT came; the item in hand was finished, the rest is free.
        ServiceUnavailable: PostgreSQL went away.
    """
    wanted = set(names)
    chosen = [asset for asset in ASSETS if asset.key.to_user_string() in wanted]
    checks = [c for c in all_checks() if with_checks and _asset_of(c) in wanted]
    run_config = {
        "ops": {name: {"config": dict(values)} for name, values in (config or {}).items()},
        "loggers": QUIET,
    }
    started = time.monotonic()
    try:
        with outages_in_words(), open_instance(bench.settings, bench.addresses) as instance:
            result = dg.materialize(
                [*chosen, *checks],
                instance=instance,
                resources={"bench": bench},
                run_config=run_config,
                raise_on_error=True,
            )
    except dg.DagsterExecutionInterruptedError:  # the signal came between two steps
        PROCESS_STOP.set()
    if PROCESS_STOP.is_set():
        raise StopAsked("Stopped as asked; the next run goes on from here.")
    return _outcome(result, time.monotonic() - started)


def _asset_of(check: dg.AssetChecksDefinition) -> str:
    return next(iter(check.check_keys)).asset_key.to_user_string()


def _outcome(result: dg.ExecuteInProcessResult, wall_s: float) -> RunOutcome:
    metadata = {}
    for event in result.get_asset_materialization_events():
        key = event.asset_key
        if key is not None:
            values = event.step_materialization_data.materialization.metadata
            metadata[key.to_user_string()] = {name: value.value for name, value in values.items()}
    seconds: dict[str, float] = {}
    for event in result.all_events:
        if event.is_step_success and event.step_key is not None:
            seconds[event.step_key] = event.step_success_data.duration_ms / 1000
    checks = [e for e in result.get_asset_check_evaluations() if not e.passed]
    return RunOutcome(
        run_id=result.run_id,
        metadata=metadata,
        seconds=seconds,
        failed_checks=tuple(f"{c.asset_key.to_user_string()}: {c.check_name}" for c in checks),
        overhead_s=max(0.0, wall_s - sum(seconds.values())),
    )
