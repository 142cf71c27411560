"""One round of each deed that is no step of a post: hear, publish, measure, reward, train; and the two loops.

Thin: each joins the workbench with the module that does the deed, for assets, jobs and commands alike.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from resources.clients import metered
from resources.clients import open_client as unmetered
from resources.compliance import StandingReport, count_to_recheck, recheck_posts
from resources.conversation_context import ThreadReport
from resources.conversation_context import read_threads as read_context
from resources.link_visits import count_visits_to_fold, fold_link_visits
from resources.listening import HeardReport, hear_all
from resources.listening_stream import POLL_S, listen_stream
from resources.measuring import count_measurements_due, measure_due
from resources.postgres import outage
from resources.publishing.outlook import count_due
from resources.publishing.report import PublishReport
from resources.publishing.run import publish_due, publish_loop
from resources.rewarding import count_rewards_due, refresh_rewards, weights_of
from resources.settings import load_settings
from resources.work.runner import Progress, Report
from resources.work.stopping import PROCESS_STOP, StopSignal, stop_on_signals
from resources.workbench import Workbench, open_workbench


@contextmanager
def open_bench() -> Iterator[Workbench]:
    """The workbench of the settings in force, for a command.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached, or went away while the block ran.
        ConfigInvalid: the settings are wrong.
    """
    try:
        yield open_workbench(load_settings())
    except psycopg.OperationalError as error:
        raise outage(error) from None


def hear(
    bench: Workbench, *, stop: StopSignal | None = None, progress: Progress | None = None
) -> HeardReport:
    """Hear what is new on every enabled channel; SIGTERM and SIGINT finish the poll in hand."""
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(bench.db) as open_client:
        return hear_all(bench.db, open_client=open_client, tuning=bench.tuning, stop=asked, progress=progress)


def recheck(
    bench: Workbench, *, stop: StopSignal | None = None, progress: Progress | None = None
) -> StandingReport:
    """Look up the heard posts that are due, and fold old visits of links.

    SIGTERM and SIGINT finish the lookup in hand.
    """
    fold_link_visits(bench.db, bench.tuning.links.keep_visits_days)
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(bench.db) as open_client:
        return recheck_posts(
            bench.db, open_client=open_client, tuning=bench.tuning, stop=asked, progress=progress
        )


def standings_due(bench: Workbench) -> int:
    """How many posts are to be looked up, and how many counts of link visits to be folded."""
    to_fold = count_visits_to_fold(bench.db, bench.tuning.links.keep_visits_days)
    return count_to_recheck(bench.db) + to_fold


def listen(
    bench: Workbench,
    *,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
    poll_s: float = POLL_S,
) -> HeardReport:
    """Listen on every enabled channel until SIGTERM or SIGINT, polling every poll_s seconds where need be."""
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(bench.db) as open_client:
        return listen_stream(
            bench.db,
            open_client=open_client,
            tuning=bench.tuning,
            stop=asked,
            progress=progress,
            poll_s=poll_s,
        )


def read_threads(bench: Workbench, *, stop: StopSignal | None = None) -> ThreadReport:
    """Read what stands above accepted posts, within their channels' policies and budgets."""
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(bench.db) as open_client:
        return read_context(bench.db, open_client=open_client, stop=asked)


def publish(
    bench: Workbench, *, stop: StopSignal | None = None, progress: Progress | None = None
) -> PublishReport:
    """Send what is due, as the publisher's login; SIGTERM and SIGINT finish the reply in hand."""
    db = bench.publisher_db()
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(db) as open_client:
        return publish_due(
            db,
            open_client=open_client,
            tuning=bench.tuning,
            stop=asked,
            progress=progress,
        )


def keep_publishing(
    bench: Workbench,
    *,
    stop: StopSignal | None = None,
    on_pass: Callable[[PublishReport], None] | None = None,
) -> PublishReport:
    """Send whatever becomes due until SIGTERM or SIGINT; on_pass is told of each pass."""
    db = bench.publisher_db()
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(db) as open_client:
        return publish_loop(db, open_client=open_client, tuning=bench.tuning, stop=asked, on_pass=on_pass)


def publications_due(bench: Workbench) -> int:
    """How many publications a round would look at."""
    return count_due(bench.publisher_db())


def measure(bench: Workbench, *, stop: StopSignal | None = None) -> Report:
    """Take the snapshots that are due; SIGTERM and SIGINT finish the batch in hand."""
    with stop_on_signals(stop or PROCESS_STOP) as asked, metered(bench.db) as open_client:
        return measure_due(bench.db, open_client=open_client, tuning=bench.tuning, stop=asked)


def engagement_due(bench: Workbench) -> int:
    """How many snapshots are due by their channel's clock, and how many replies wait for a reward."""
    return count_measurements_due(bench.db, open_client=unmetered) + count_rewards_due(bench.db)


def reward(bench: Workbench) -> int:
    """Write the rewards of replies with new snapshots or new weights; how many.

    Creators for whom nobody set weights have those of the tuning.
    """
    return refresh_rewards(bench.db, weights=weights_of(bench.tuning.rewards))


def train(bench: Workbench) -> dict[str, Any]:
    """Train the relevance classifier where there are new examples; what came of it, for people."""
    from resources.training import train_on_bench

    return train_on_bench(bench)


def follow_champions(bench: Workbench) -> dict[str, int]:
    """Register prompts in MLflow, agree with it on their aliases, copy the champions of models named there."""
    from resources.training import follow_mlflow

    return follow_mlflow(bench)
