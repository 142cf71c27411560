"""A publisher of a fault campaign, in a process of its own: the loop of `rejoinder publish --loop`.

It goes by the campaign's time, which the database tells, on a machine whose own clock is wrong.
"""

import ctypes
import json
import os
import signal
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

BACKOFF_S = 30.0
LEASE_S = 60.0
POLL_S = 0.05
LOOK_AT_CLOCK_S = 0.2
PR_SET_PDEATHSIG = 1
# What is imported once, in the process that publishers are forked off, so that one that was killed is back at once.
PRELOADED = (
    "bench.publish_clocks",
    "resources.clients",
    "resources.platforms.reddit",
    "resources.platforms.x",
    "resources.publishing.run",
    "time_machine",
)


def publish_until_stopped(order: str) -> None:
    """Publish until SIGTERM.

    Args:
        order: a JSON file with ``home``, ``url`` (of the database, as the publisher's login), ``clock`` (a
            file that says how far this machine's clock is ahead of real time) and ``log``, a file for what it says.
    """
    from bench.publish_clocks import campaign_time
    from resources.clients import metered
    from resources.postgres import Database
    from resources.publishing.run import publish_loop
    from resources.settings import use_home
    from resources.tuning import PublishTuning, Stages, Tuning
    from resources.work.stopping import stop_on_signals

    given = json.loads(Path(order).read_text("utf-8"))
    _settle_in(Path(given["log"]))
    _go_wrong_by(Path(given["clock"]))
    use_home(Path(given["home"]))
    stage = PublishTuning(timeout_s=LEASE_S, backoff_s=BACKOFF_S, max_attempts=5)
    db = Database(given["url"]).open()
    with stop_on_signals() as stop, metered(db) as open_client:
        publish_loop(
            db,
            open_client=open_client,
            tuning=Tuning(stages=Stages(publish=stage)),
            stop=stop,
            poll_s=POLL_S,
            read_time=campaign_time,
        )
    db.close()


def _settle_in(log: Path) -> None:
    """Write to the log, and go when the process goes that this one was forked off."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    os.close(out)


def _go_wrong_by(file: Path) -> None:
    """Let every clock of this process but the monotonic one show what the file says, whenever that changes."""
    import time_machine

    ahead_s = float(file.read_text("utf-8"))
    travel = time_machine.travel(datetime.now(UTC) + timedelta(seconds=ahead_s), tick=True)
    threading.Thread(target=_follow, args=(file, travel.start(), ahead_s), daemon=True).start()


def _follow(file: Path, traveller: Any, ahead_s: float) -> None:
    while not threading.Event().wait(LOOK_AT_CLOCK_S):
        said_s = float(file.read_text("utf-8"))
        traveller.shift(said_s - ahead_s)
        ahead_s = said_s
