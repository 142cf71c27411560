"""Listening on one channel with a stream: connect, store in blocks, connect again by X's schedule.

Only the holder of the token's slot connects; another listener polls meanwhile and says so. Received posts are
stored in blocks, one transaction for what came within `block_s`. Where storing falls behind, the reader's queue
fills, then the connection does: nothing is dropped. A stop, asked for at any time, stores what was received first.
"""

import logging
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, fields
from datetime import timedelta

import psycopg

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from rejoinder.listening.coverage import Watermark
from rejoinder.listening.reconnecting import Ladder, Trouble
from rejoinder.listening.rules import ListeningRule
from resources.listening import CURSOR, HeardCounts, active_rules, hear_channel, save_heard, save_posts
from resources.platforms.failures import (
    PlatformFailure,
    SpendStopped,
)
from resources.platforms.port import Heard
from resources.platforms.streaming import StreamEnded
from resources.postgres import COLLISIONS, Transaction
from resources.store.channels import load_cursor, save_cursor
from resources.store.publications import notify
from resources.streaming.catch_up import CONNECTION, CatchUp, Ground
from resources.streaming.rule_keeping import keep_rules
from resources.streaming.slot import StreamSlot, take_slot
from resources.streaming.troubles import a_day_ago, state_of, trouble_of
from resources.work.stopping import StopSignal

log = logging.getLogger("rejoinder.listening")

SAVE_TRIES = 3
NO_RULES = "X takes none of the listening rules, or there are none: see `rejoinder rules list`, `rejoinder run corpus`"
AFTER_A_CLEARING_S = 1.0
AFTER_A_BAD_RULE_S = 60.0
EXPECTED = (PlatformFailure, ServiceUnavailable, ConfigInvalid, psycopg.OperationalError)
# While the stream has to wait this long, recent search can be asked meanwhile.
MAY_POLL: frozenset[Trouble] = frozenset({"slot_taken", "rate_limited", "http"})


@dataclass(slots=True)
class StreamEar:
    """One channel being listened to by its stream; wait sleeps until a stop at most."""

    ground: Ground
    stop: StopSignal
    wait: Callable[[float], object]
    ladder: Ladder = field(default_factory=Ladder)
    slot: StreamSlot | None = None
    stood_since: float | None = None

    def run(self) -> None:
        """Listen until stopped."""
        try:
            while not self.stop.is_set():
                self._listen_once()
        finally:
            if self.slot is not None:
                self.slot.free()
            self.ground.tell("stopped", "not listening")

    def _listen_once(self) -> None:
        """One connection from its start to its end, and the wait after it."""
        self.stood_since = None
        trouble, error = self._try_to_listen()
        if self.stop.is_set() or trouble is None:
            return
        if self._has_stood():
            self.ladder = Ladder()
        told_s = self.ground.told_s(error) if error else None
        wait_s, self.ladder = self.ladder.climb(trouble, told_s=told_s)
        self._tell_of_wait(trouble, error, wait_s)
        self._wait_or_poll(trouble, error, wait_s)

    def _has_stood(self) -> bool:
        """Whether a connection lasted, rather than being another failed attempt."""
        since = self.stood_since
        return since is not None and time.monotonic() - since >= self.ground.timing.stood_s

    def _try_to_listen(self) -> tuple[Trouble | None, Exception | None]:
        try:
            return self._listen(), None
        except EXPECTED as error:
            return trouble_of(error), error
        except Exception as error:
            log.exception("channel %s: listening failed", self.ground.channel.name)
            return "http", error

    def _listen(self) -> Trouble | None:
        if not self._has_slot():
            every = f"{self.ground.timing.poll_s:g} s"
            self.ground.tell(
                "polling", f"another listener has the stream of this token; polled every {every}"
            )
            self._poll()
            return None
        with self.ground.db.transaction() as tx:
            rules = active_rules(tx, self.ground.channel.id)
        if not rules:
            self.ground.tell("polling", NO_RULES)
            self._poll()
            return None
        kept = keep_rules(self.ground, rules)
        if not kept.rules:
            self.ground.tell("refused", self.ground.remark)
            self._poll()
            return None
        Connection(self, kept.rules).run()
        return "closed"

    def _has_slot(self) -> bool:
        if self.slot is not None and not self.slot.is_held():
            self.slot.free()
            self.slot = None
        if self.slot is None:
            self.slot = take_slot(self.ground.db.url, self.ground.stream.stream_key)
        return self.slot is not None

    def _poll(self) -> None:
        ground = self.ground
        hear_channel(
            ground.db,
            ground.channel,
            ground.client,
            stop=self.stop,
            counts=ground.counts,
            progress=ground.progress,
        )
        self.wait(ground.timing.poll_s)

    def _tell_of_wait(self, trouble: Trouble, error: Exception | None, wait_s: float) -> None:
        name, said = self.ground.channel.name, str(error or "X closed the stream")
        log.warning("channel %s: %s; connecting again in %g s", name, said, wait_s)
        if wait_s >= 1:
            self.ground.tell(state_of(trouble, error), f"{said}; connecting again in {wait_s:.0f} s")
        if trouble != "closed" and not isinstance(error, SpendStopped) and self.ladder.is_at_top(trouble):
            self._notify(f"Channel {name} cannot be listened to by its stream: {said}")

    def _notify(self, message: str) -> None:
        try:
            with self.ground.db.transaction() as tx:
                notify(tx, "listen_trouble", message, "channel", self.ground.channel.id, since=a_day_ago())
        except (ServiceUnavailable, psycopg.Error) as error:
            log.warning("a notification cannot be written: %s", error)

    def _wait_or_poll(self, trouble: Trouble, error: Exception | None, wait_s: float) -> None:
        if trouble == "slot_taken" and self._clear_stale():
            self.wait(AFTER_A_CLEARING_S)
            return
        left_s = wait_s
        may_poll = trouble in MAY_POLL and not isinstance(error, SpendStopped)
        while may_poll and left_s > 2 * self.ground.timing.poll_s and not self.stop.is_set():
            left_s -= self.ground.timing.poll_s
            try:
                self._poll()
            except EXPECTED as failure:
                log.warning("channel %s: polling meanwhile: %s", self.ground.channel.name, failure)
                may_poll = False
        if not self.stop.is_set():
            self.wait(left_s)

    def _clear_stale(self) -> bool:
        """End a connection of ours that X still believes in: we hold the slot, so nobody reads it."""
        ground = self.ground
        try:
            with ground.db.transaction() as tx:
                known = load_cursor(tx, ground.channel.id, CONNECTION).get("connection")
                save_cursor(tx, ground.channel.id, CONNECTION, {})
            if known is None or not ground.stream.clear_connection(known):
                return False
        except EXPECTED as error:
            log.warning("channel %s: X's connections cannot be asked for: %s", ground.channel.name, error)
            return False
        log.warning(
            "channel %s: a connection of ours that had outlived its listener was ended", ground.channel.name
        )
        return True


class Connection:
    """One connection of a stream: its blocks are stored, its rules kept in step."""

    def __init__(self, ear: StreamEar, rules: tuple[ListeningRule, ...]) -> None:
        self.ear, self.ground, self.rules = ear, ear.ground, rules
        self.catch_up = CatchUp(self.ground, rules)
        self.mark = Watermark(timedelta(seconds=self.ground.timing.disorder_s))
        self.is_over = False
        self._stored_to: str | None = None
        self._next_look = time.monotonic() + min(self.ground.timing.rules_s, self.ground.timing.proof_s)
        self._next_proof = time.monotonic() + self.ground.timing.proof_s

    def is_set(self) -> bool:
        """Whether to end the connection: a stop, or no rules are left."""
        return self.is_over or self.ear.stop.is_set()

    def run(self) -> None:
        """Read until the connection ends; the first block says that it stands.

        Raises:
            PlatformFailure: how it ended, where X did not just close it.
        """
        timing, is_first = self.ground.timing, True
        blocks = self.ground.stream.stream_blocks(self, most=timing.block_posts, within_s=timing.block_s)
        try:
            # Closed where storing fails, too: the wait that follows would hold the token's only connection.
            with closing(blocks):
                for block in blocks:
                    if is_first:
                        self.ear.stood_since = time.monotonic()
                        self.catch_up.start()
                        is_first = False
                    if block.posts or block.unreadable:
                        self._store(block)
                    if time.monotonic() >= self._next_look:
                        self._look_around()
        finally:
            self.catch_up.end()

    def _store(self, block: Heard) -> None:
        in_order = Heard(
            tuple(sorted(block.posts, key=lambda p: int(p.platform_post_id))), {}, block.unreadable
        )
        with self.ground.lock:
            n_seen = self._commit(in_order)
        if self.ground.progress:
            self.ground.progress(n_seen)

    def _commit(self, block: Heard) -> int:
        """Store a block, again where another transaction met it; how many posts were in it."""
        for attempt in range(1, SAVE_TRIES + 1):
            counts = HeardCounts()
            try:
                with self.ground.db.transaction() as tx:
                    self._save(tx, block, counts)
                break
            except COLLISIONS:
                if attempt == SAVE_TRIES:
                    raise
        add_counts(self.ground.counts, counts)
        return counts.seen

    def _save(self, tx: Transaction, block: Heard, counts: HeardCounts) -> None:
        self._stored_to = self.mark.pass_by(block.posts)
        if not block.unreadable:
            save_posts(tx, self.ground.channel, block.posts, counts)
            return
        cursor = load_cursor(tx, self.ground.channel.id, CURSOR)
        save_heard(tx, self.ground.channel, Heard(block.posts, cursor, block.unreadable), counts)

    def _look_around(self) -> None:
        """Whether the slot is still ours, and the rules are as they were, here and at X."""
        now = time.monotonic()
        self._next_look = now + min(self.ground.timing.rules_s, self.ground.timing.proof_s)
        if self.ear.slot is None or not self.ear.slot.is_held():
            raise StreamEnded("http", "the lock on the token's stream was lost with its connection")
        with self.ground.db.transaction() as tx:
            rules = tuple(active_rules(tx, self.ground.channel.id))
        if not rules:
            self.is_over = True
        elif rules != self.rules or now >= self._next_proof:
            self._put_right(rules)

    def _put_right(self, rules: tuple[ListeningRule, ...]) -> None:
        """Make X's rules ours, whoever changed which; what was lost meanwhile is searched for."""
        stored_to, name = self._stored_to, self.ground.channel.name
        try:
            kept = keep_rules(self.ground, rules)
        except (PlatformFailure, ConfigInvalid) as error:
            log.warning("channel %s: the stream keeps the rules it has: %s", name, error)
            self._next_look = time.monotonic() + AFTER_A_BAD_RULE_S
            return
        self._next_proof = time.monotonic() + self.ground.timing.proof_s
        lost = [rule for rule in kept.added if rule in self.rules]
        if lost:
            log.warning("channel %s: %d of our rules were gone from X, and are back", name, len(lost))
        self.rules = kept.rules
        self.catch_up.change_rules(kept.rules, lost)
        self.catch_up.raise_cursor(stored_to)


def add_counts(into: HeardCounts, more: HeardCounts) -> None:
    """Add the counts of a block that is stored.

    >>> counts = HeardCounts(new=1)
    >>> add_counts(counts, HeardCounts(new=2, known=1))
    >>> counts
    HeardCounts(new=3, known=1, edited=0, quarantined=0, opted_out=0)
    """
    for one in fields(more):
        setattr(into, one.name, getattr(into, one.name) + getattr(more, one.name))
