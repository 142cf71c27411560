"""One round of each deed that is no step of a post: hear, publish, measure, reward, train.

Thin: each joins the workbench with the module that does the deed, for assets, jobs and commands alike.
"""

from typing import Any

from rejoinder.engagement.rewards import RewardWeights
from resources.clients import open_client
from resources.listening import HeardReport, hear_all
from resources.measuring import count_measurements_due, measure_due, refresh_rewards
from resources.publishing.report import PublishReport
from resources.publishing.run import publish_due
from resources.wiring import Workbench
from resources.work.runner import Progress, Report
from resources.work.stopping import StopSignal


def hear(
    bench: Workbench, *, stop: StopSignal | None = None, progress: Progress | None = None
) -> HeardReport:
    """Hear what is new on every enabled channel."""
    return hear_all(
        bench.db, open_client=open_client, tuning=bench.tuning, stop=stop or StopSignal(), progress=progress
    )


def publish(
    bench: Workbench, *, stop: StopSignal | None = None, progress: Progress | None = None
) -> PublishReport:
    """Send what is due, as the publisher's login."""
    return publish_due(
        bench.publisher_db(),
        open_client=open_client,
        tuning=bench.tuning,
        stop=stop or StopSignal(),
        progress=progress,
    )


def measure(bench: Workbench, *, stop: StopSignal | None = None) -> Report:
    """Take the snapshots that are due."""
    return measure_due(bench.db, open_client=open_client, tuning=bench.tuning, stop=stop or StopSignal())


def measurements_due(bench: Workbench) -> int:
    """How many snapshots are due by their channel's clock."""
    return count_measurements_due(bench.db, open_client=open_client)


def reward(bench: Workbench) -> int:
    """Write the rewards anew from the latest snapshots; how many."""
    return refresh_rewards(bench.db, weights=RewardWeights(**bench.tuning.rewards.model_dump()))


def train(bench: Workbench) -> dict[str, Any]:
    """Train the relevance classifier where there are new examples; what came of it, for people."""
    from resources.training import train_on_bench

    return train_on_bench(bench)


def follow_champions(bench: Workbench) -> dict[str, int]:
    """Register prompt files in MLflow and copy the champions named there."""
    from resources.training import follow_mlflow

    return follow_mlflow(bench)
