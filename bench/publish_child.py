"""A publisher of a fault campaign, in a process of its own: the loop of `rejoinder publish --loop` on a given clock.

It waits for a line on its input before it begins, so that one can stand by, imported, for the one that is killed.
"""

import json
import sys
from pathlib import Path

BACKOFF_S = 30.0
LEASE_S = 60.0
POLL_S = 0.05


def publish_until_stopped(order: str) -> None:
    """Publish until SIGTERM.

    Args:
        order: a JSON file with ``url`` (of the database, as the publisher's login) and ``clock`` (see
            `bench.publish_clocks.clock_of`).
    """
    import resources.platforms.reddit
    import resources.platforms.x  # noqa: F401 - all that the first reply would wait for
    from bench.publish_clocks import clock_of
    from resources.clients import metered
    from resources.postgres import Database
    from resources.publishing.run import publish_loop
    from resources.tuning import PublishTuning, Stages, Tuning
    from resources.work.stopping import stop_on_signals

    if not sys.stdin.readline():
        return
    given = json.loads(Path(order).read_text("utf-8"))
    stage = PublishTuning(timeout_s=LEASE_S, backoff_s=BACKOFF_S, max_attempts=5)
    db = Database(given["url"]).open()
    with stop_on_signals() as stop, metered(db) as open_client:
        publish_loop(
            db,
            open_client=open_client,
            tuning=Tuning(stages=Stages(publish=stage)),
            stop=stop,
            poll_s=POLL_S,
            now=clock_of(Path(given["clock"])),
        )
    db.close()


if __name__ == "__main__":
    publish_until_stopped(sys.argv[1])
