"""The two consumers of X's stream that `listen_stream` compares, each in its own process: ours, and bare tweepy."""

import json
import os
import resource
import signal
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any


def listen_and_tell(home: str, mode: str) -> None:
    """Listen in this process, on one core, until SIGTERM; then print what it took as JSON."""
    from resources.clients import metered
    from resources.listening_stream import listen_stream
    from resources.settings import use_home
    from resources.streaming.timing import Timing
    from resources.work.stopping import stop_on_signals
    from resources.workbench import open_workbench

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    bench, is_impatient = open_workbench(use_home(Path(home))), mode == "impatient"
    times = Timing(poll_s=5.0, settle_s=3.0, proof_s=1.0) if is_impatient else Timing()
    began, cpu_s = time.monotonic(), time.process_time()
    with stop_on_signals() as stop, metered(bench.db) as open_client:

        def opened(channel: Any, credential: Any) -> Any:
            client = open_client(channel, credential)
            return _impatient(client) if is_impatient else client

        listen_stream(bench.db, open_client=opened, tuning=bench.tuning, stop=stop, timing=times)
    told = {
        "cpu_s": time.process_time() - cpu_s,
        "wall_s": time.monotonic() - began,
        "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _impatient(client: Any) -> Any:
    """A client of X for a rehearsal whose search shows posts at once, and that takes silence for an end sooner."""
    client.search_lag, client.silence_s = timedelta(seconds=2), 3.0
    return client


def read_and_tell(credentials: str) -> None:
    """Read the stream with tweepy alone until SIGTERM; then print when each post came, less when it was made."""
    import tweepy

    from resources.platforms.wire import Rebase

    given, lags = json.loads(credentials), []

    class Reader(tweepy.StreamingClient):  # type: ignore[misc]
        """Notes the lag of every post."""

        def on_data(self, raw_data: bytes) -> None:
            """One line."""
            post = json.loads(raw_data).get("data")
            if post:
                lags.append(time.time() - datetime.fromisoformat(post["created_at"]).timestamp())

    reader = Reader(given["bearer_token"], daemon=True)
    reader.session.mount("https://api.twitter.com", Rebase(given["url"]))
    ended: list[int] = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(1))
    reader.filter(threaded=True, tweet_fields="created_at,author_id,entities", expansions="author_id")
    while not ended:
        time.sleep(0.05)
    sys.stdout.write(json.dumps({"lags_s": lags}) + "\n")
