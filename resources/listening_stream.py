"""Listening without end: the platform's stream where there is one, else a poll every so often; one thread a channel.

How a stream with blocks (X) is kept without gaps is in `resources.streaming`.
"""

import logging
import threading
import time
from dataclasses import dataclass, field

import psycopg

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.rules import ListeningRule
from resources.clients import OpenClient
from resources.listening import (
    HeardCounts,
    HeardReport,
    active_rules,
    hear_channel,
    open_listening,
    save_posts,
)
from resources.platforms.failures import AuthExpired, PlatformFailure, Refused, SpendStopped
from resources.platforms.port import PlatformClient
from resources.platforms.streaming import as_block_stream
from resources.postgres import Database
from resources.store.channel_states import State, set_state
from resources.store.channels import Channel
from resources.streaming.catch_up import Ground
from resources.streaming.ear import StreamEar
from resources.streaming.timing import Timing
from resources.tuning import Tuning
from resources.work.runner import Progress
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.listening")

POLL_S = 30.0
RULES_CHECK_S = 15.0
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 320.0  # X's own schedule for HTTP errors: 5 s, doubled, 320 s at most


def listen_stream(
    db: Database,
    *,
    open_client: OpenClient,
    tuning: Tuning,
    stop: StopSignal,
    progress: Progress | None = None,
    poll_s: float = POLL_S,
    timing: Timing | None = None,
) -> HeardReport:
    """Listen on every enabled channel until a stop is asked for.

    Each channel catches up by searches, since a stream does not tell what was said before it. A stream that breaks
    is opened again, and what was said meanwhile searched for.

    Args:
        db: as the application's login.
        open_client: makes or gives the client of a channel.
        tuning: of the whole installation.
        stop: ends all channels.
        progress: told how many posts came in; called from several threads.
        poll_s: seconds between two polls of a channel without a stream, and for mentions beside a stream.
        timing: of streams; a rehearsal may be less patient.
    """
    report = HeardReport()
    started = time.monotonic()
    times = timing or Timing(poll_s=poll_s)
    threads = []
    for channel, client in open_listening(db, open_client, report, tuning):
        ear = _ear(db, channel, client, stop, report.counts(channel), progress, times)
        threads.append(threading.Thread(target=ear.run, name=f"listen-{channel.name}"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    report.seconds = time.monotonic() - started
    report.is_stopped = stop.is_set()
    return report


def _ear(
    db: Database,
    channel: Channel,
    client: PlatformClient,
    stop: StopSignal,
    counts: HeardCounts,
    progress: Progress | None,
    timing: Timing,
) -> "StreamEar | _Ear":
    stream = as_block_stream(client) if "stream" in client.capabilities else None
    if stream is None:
        return _Ear(db, channel, client, stop, counts, progress, timing.poll_s)
    return StreamEar(Ground(db, channel, client, stream, counts, timing, progress), stop, stop.wait)


@dataclass(slots=True)
class RulesWatch:
    """A stop for one stream: set when everything stops, or when the channel's rules have changed."""

    db: Database
    channel: Channel
    stop: StopSignal
    rules: list[ListeningRule] = field(init=False)
    looked_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.rules = self._read()
        self.looked_s = time.monotonic()

    def is_set(self) -> bool:
        """Whether the stream should end; looks at the rules every 15 s at most."""
        if self.stop.is_set():
            return True
        if time.monotonic() - self.looked_s < RULES_CHECK_S:
            return False
        self.looked_s = time.monotonic()
        return self._read() != self.rules

    def _read(self) -> list[ListeningRule]:
        with self.db.transaction() as tx:
            return active_rules(tx, self.channel.id)


@dataclass(slots=True)
class _Ear:
    """One channel being listened to by polls, or by a stream that has only the port's `stream`."""

    db: Database
    channel: Channel
    client: PlatformClient
    stop: StopSignal
    counts: HeardCounts
    progress: Progress | None
    poll_s: float

    def run(self) -> None:
        """Listen until stopped, waiting longer after each failure in a row."""
        wait_s = FIRST_WAIT_S
        while not self.stop.is_set():
            try:
                self._listen()
                wait_s = FIRST_WAIT_S
            except (PlatformFailure, ServiceUnavailable, psycopg.OperationalError) as error:
                log.warning("channel %s: %s; listening again in %g s", self.channel.name, error, wait_s)
                self._tell(_state_of(error), f"{error}; listening again in {wait_s:g} s")
                self.stop.wait(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
            except Exception:
                log.exception("channel %s: listening again in %g s", self.channel.name, wait_s)
                self.stop.wait(wait_s)
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
        self._tell("stopped", "not listening")

    def _listen(self) -> None:
        hear_channel(
            self.db, self.channel, self.client, stop=self.stop, counts=self.counts, progress=self.progress
        )
        if "stream" in self.client.capabilities:
            self._stream()
        else:
            self._tell("polling", f"every {self.poll_s:g} s")
            self.stop.wait(self.poll_s)

    def _tell(self, state: State, detail: str) -> None:
        try:
            with self.db.transaction() as tx:
                set_state(tx, self.channel.id, "listen", state, detail)
        except (ServiceUnavailable, psycopg.Error) as error:
            log.warning("channel %s: its state cannot be written: %s", self.channel.name, error)

    def _stream(self) -> None:
        watch = RulesWatch(self.db, self.channel, self.stop)
        if not watch.rules:
            self.stop.wait(self.poll_s)
            return
        self._tell("streaming", "")
        for post in self.client.stream(watch.rules, watch):
            with self.db.transaction() as tx:
                save_posts(tx, self.channel, (post,), self.counts)
            if self.progress:
                self.progress(1)


def _state_of(error: Exception) -> State:
    if isinstance(error, SpendStopped):
        return "stopped"
    return "refused" if isinstance(error, Refused | AuthExpired) else "waiting"
