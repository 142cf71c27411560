"""What a stream cannot tell: what was said before it stood, and who called us where no rule matches.

The promise: of each rule, everything up to the search cursor is stored, so a search from the cursor misses nothing.
Three writers move a cursor, and each only as far as that holds:

1. A search that came to its end: to the newest post that nothing older can join any more (`x_poll`, SEARCH_LAG).
2. The stream: to the mark of `rejoinder.listening.coverage` over posts that are stored, as it stood when the platform
   was last seen with our rules. Only for rules that are *covered*.
3. Nothing else. After a kill the cursor stands where it stood with the last commit.

A rule is covered by a connection once a search of it, begun `settle_s` after the connection stood and its rules were
sent, came to its end from a clean start. Before that moment the search has it; from the connection on the stream
does. So everything between the last commit before a gap and now is either found by the search from the cursor, or
delivered. A connection that breaks earlier has covered nothing, and the next one searches from the same place. Another
program may take a rule away meanwhile: every `proof_s` the platform's rules are read, what is missing is sent again and
covers nothing until it was searched again, from where the cursor stood when the rule was last seen.

What is read twice this way (at most the disorder and the lag) is known by its id, and X charges it once a day. A
search that stopped more than seven days ago cannot be taken up; that is told as a gap.

Searches run in a thread of their own: a stream at full rate is not held up by them. Both threads save under one
lock, so that two transactions of a channel never meet over the same posts.
"""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace

import psycopg

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.coverage import merged_cursor
from rejoinder.listening.reconnecting import Ladder
from rejoinder.listening.rules import ListeningRule
from resources.listening import CURSOR, HeardCounts, save_heard
from resources.platforms.failures import PlatformFailure, RateLimited, SpendStopped
from resources.platforms.port import Heard, PlatformClient
from resources.platforms.streaming import BlockStream
from resources.postgres import Database, Transaction
from resources.store.channel_states import State, set_state
from resources.store.channels import Channel, load_cursor, save_cursor
from resources.streaming.timing import Timing
from resources.work.runner import Progress

log = logging.getLogger("rejoinder.listening")

# The cursor's name of what is remembered of a connection.
CONNECTION = "stream"
# One poll of so many rules, so that a stop need not wait for hundreds of searches.
RULES_PER_POLL = 5
# X answers few questions about connections; one that breaks within a minute is not worth one.
ASK_EVERY_S = 60.0
# A budget that is spent may be raised at any time.
BUDGET_LOOK_S = 300.0


@dataclass(slots=True)
class Ground:
    """What all that listens on one channel shares; lock is held by whoever saves.

    remark is what people read beside a stream that stands: which of its rules do not.
    """

    db: Database
    channel: Channel
    client: PlatformClient
    stream: BlockStream
    counts: HeardCounts
    timing: Timing
    progress: Progress | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    asked_at: float = -ASK_EVERY_S
    remark: str = ""

    def tell(self, state: State, detail: str = "") -> None:
        """Say what listening does now, for people to see; a database that is away is no reason to fail."""
        try:
            with self.db.transaction() as tx:
                set_state(tx, self.channel.id, "listen", state, detail)
        except (ServiceUnavailable, psycopg.Error) as error:
            log.warning("channel %s: its state cannot be written: %s", self.channel.name, error)

    def told_s(self, failure: Exception) -> float | None:
        """How long a failure asks to wait, by the platform's clock; None where it does not say.

        A spent budget is asked about again before the day is over: a person may raise it.
        """
        if isinstance(failure, SpendStopped):
            return BUDGET_LOOK_S
        if not isinstance(failure, RateLimited) or failure.retry_at is None:
            return None
        try:
            return max((failure.retry_at - self.client.now()).total_seconds(), 0.0) + 1.0
        except (PlatformFailure, OSError):
            return None


@dataclass(slots=True)
class CatchUp:
    """The searches beside one connection; runs until `end`."""

    ground: Ground
    rules: Sequence[ListeningRule]
    over: threading.Event = field(default_factory=threading.Event)
    covered: frozenset[ListeningRule] = frozenset()
    _fresh: list[tuple[float, Sequence[ListeningRule]]] = field(default_factory=list)
    _thread: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        """Begin, in a thread."""
        name = f"catch-up-{self.ground.channel.name}"
        self._thread = threading.Thread(target=self._run, name=name)
        self._thread.start()

    def end(self) -> None:
        """Stop after the poll in hand."""
        self.over.set()
        if self._thread is not None:
            self._thread.join()

    def change_rules(self, rules: Sequence[ListeningRule], again: Collection[ListeningRule] = ()) -> None:
        """Other rules hold from now on; those that are new, or had been lost, are searched once they are live."""
        with self._lock:
            fresh = [rule for rule in rules if rule not in self.rules or rule in again]
            self.rules = tuple(rules)
            self.covered = (self.covered & frozenset(rules)) - frozenset(again)
            if fresh:
                self._fresh.append((time.monotonic() + self.ground.timing.settle_s, fresh))

    def raise_cursor(self, stored_to: str | None) -> None:
        """Searches of covered rules need not go back behind what was stored while X surely had them."""
        covered, ground = tuple(self.covered), self.ground
        if stored_to is None or not covered:
            return
        with ground.lock, ground.db.transaction() as tx:
            cursor = load_cursor(tx, ground.channel.id, CURSOR)
            save_cursor(tx, ground.channel.id, CURSOR, ground.stream.raise_cursor(cursor, covered, stored_to))

    def _run(self) -> None:
        try:
            self._keep_up()
        except Exception:
            # The cursor stays where it is: whatever connects next searches from there.
            log.exception("channel %s: catching up failed", self.ground.channel.name)

    def _keep_up(self) -> None:
        timing, rules = self.ground.timing, tuple(self.rules)
        settled_at = time.monotonic() + timing.settle_s
        self._remember_connection()
        self.ground.tell("catching_up", "reading what was said while the stream was away")
        self._search(rules)
        while not self.over.is_set() and time.monotonic() < settled_at:
            self.over.wait(min(timing.poll_s, max(0.0, settled_at - time.monotonic())))
            self._search(())
        self._cover(rules)
        told = None
        while not self.over.is_set():
            if told != self.ground.remark:
                told = self.ground.remark
                self.ground.tell("streaming", told)
            self.over.wait(timing.poll_s)
            self._search(())
            for fresh in self._ripe():
                self._cover(fresh)

    def _ripe(self) -> list[Sequence[ListeningRule]]:
        with self._lock:
            now = time.monotonic()
            ripe = [rules for at, rules in self._fresh if at <= now]
            self._fresh = [(at, rules) for at, rules in self._fresh if at > now]
        return ripe

    def _cover(self, rules: Sequence[ListeningRule]) -> None:
        """Search rules to the end; from then on the stream may move their cursors."""
        if self._search(rules):
            with self._lock:
                awaited = frozenset(rule for _, fresh in self._fresh for rule in fresh)
                self.covered = self.covered | ((frozenset(rules) & frozenset(self.rules)) - awaited)

    def _search(self, rules: Sequence[ListeningRule]) -> bool:
        """Read everything that these rules find, and the mentions; False where the end came first."""
        parts = [rules[at : at + RULES_PER_POLL] for at in range(0, len(rules), RULES_PER_POLL)] or [()]
        return all(self._search_part(part) for part in parts)

    def _search_part(self, rules: Sequence[ListeningRule]) -> bool:
        ladder = Ladder()
        while not self.over.is_set():
            try:
                if self._poll(rules):
                    return True
                ladder = Ladder()
            except (PlatformFailure, ServiceUnavailable, psycopg.OperationalError) as error:
                ladder = self._wait(error, ladder)
        return False

    def _poll(self, rules: Sequence[ListeningRule]) -> bool:
        """One poll; True where it began afresh and came to its end."""
        ground = self.ground
        with ground.db.transaction() as tx:
            before = load_cursor(tx, ground.channel.id, CURSOR)
        was_clean = not ground.stream.is_resuming(before, rules)
        heard = ground.client.hear(before, rules, ())
        with ground.lock:
            n_before = ground.counts.seen
            with ground.db.transaction() as tx:
                save_poll(tx, ground, before, heard)
            n_heard = ground.counts.seen - n_before
        if ground.progress and n_heard:
            ground.progress(n_heard)
        return heard.is_complete and was_clean

    def _wait(self, error: Exception, ladder: Ladder) -> Ladder:
        told_s = self.ground.told_s(error)
        is_limit = isinstance(error, RateLimited)
        wait_s, ladder = ladder.climb("rate_limited" if is_limit else "http", told_s=told_s)
        log.warning("channel %s: catching up: %s; going on in %g s", self.ground.channel.name, error, wait_s)
        state: State = "stopped" if isinstance(error, SpendStopped) else "catching_up"
        self.ground.tell(state, f"the stream stands, but search waits {wait_s:.0f} s: {error}")
        self.over.wait(wait_s)
        return ladder

    def _remember_connection(self) -> None:
        """Keep the connection's id, to clear it away if it outlives its listener."""
        ground, now = self.ground, time.monotonic()
        is_due = now - ground.asked_at >= ASK_EVERY_S
        try:
            connection_id = ground.stream.own_connection() if is_due else None
            ground.asked_at = now if is_due else ground.asked_at
            with ground.db.transaction() as tx:
                value = {} if connection_id is None else {"connection": connection_id}
                save_cursor(tx, ground.channel.id, CONNECTION, value)
        except (PlatformFailure, ServiceUnavailable, psycopg.Error) as error:
            log.info("channel %s: the connection's id is not known: %s", ground.channel.name, error)


def save_poll(tx: Transaction, ground: Ground, before: dict[str, str], heard: Heard) -> None:
    """Save a poll beside a stream: of the cursor only what the poll changed."""
    cursor = merged_cursor(load_cursor(tx, ground.channel.id, CURSOR), before, heard.cursor)
    save_heard(tx, ground.channel, replace(heard, cursor=cursor), ground.counts)
