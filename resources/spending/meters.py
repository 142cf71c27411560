"""The meters of this process: one per database and channel, written every second while a block is open."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID, uuid4

from rejoinder.ids import ChannelId
from rejoinder.listening.spending import Order, Stop, budget_of
from resources.platforms.clocks import Clock, system_clock
from resources.postgres import Database
from resources.spending.books import Counts, open_books
from resources.spending.meter import SpendMeter, Synced, Terms
from resources.store.channels import Channel, load_channel

TICK_S = 1.0


@dataclass(slots=True)
class PostgresLedger:
    """`resources.spending.meter.Ledger` over a channel's rows."""

    db: Database
    channel_id: ChannelId
    clock: Clock = system_clock
    holder: UUID = field(default_factory=uuid4)
    _tidied_on: date | None = None

    def terms(self) -> Terms:
        """What the channel pays and may pay now."""
        with self.db.transaction() as tx:
            return _terms(load_channel(tx, self.channel_id))

    def sync(self, counts: Counts, order: Order) -> Synced:
        """Count and hold in one short transaction; others of the channel wait for it.

        Raises:
            ServiceUnavailable: PostgreSQL cannot be reached.
        """
        now = self.clock()
        with self.db.transaction() as tx:
            books = open_books(tx, self.channel_id, now, self.holder)
            books.count(counts)
            grant = books.grant(order)
            is_tidy = self._tidied_on == now.date() or books.tidy()
        if is_tidy:
            self._tidied_on = now.date()
        return Synced(grant, _terms(books.channel))

    def stop(self, stop: Stop) -> None:
        """Tell people that a call had no room; to be seen until there is room for it.

        Raises:
            ServiceUnavailable: PostgreSQL cannot be reached.
        """
        with self.db.transaction() as tx:
            open_books(tx, self.channel_id, self.clock()).stop(stop)


def _terms(channel: Channel) -> Terms:
    return Terms(channel.policy, budget_of(channel.policy, channel.platform))


@dataclass(slots=True)
class Meters:
    """The meters over one database; a thread writes what they counted while anybody has them open."""

    db: Database
    clock: Clock = system_clock
    _meters: dict[ChannelId, SpendMeter] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _openers: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)

    def of(self, channel_id: ChannelId) -> SpendMeter:
        """The meter of a channel; made once."""
        with self._lock:
            if channel_id not in self._meters:
                ledger = PostgresLedger(self.db, channel_id, self.clock)
                self._meters[channel_id] = SpendMeter(ledger, self.clock)
            return self._meters[channel_id]

    @contextmanager
    def open(self) -> Iterator[None]:
        """Write every second what was counted, and at the end give back what was not used."""
        with self._lock:
            self._openers += 1
            if self._openers == 1:
                self._ended = threading.Event()
                threading.Thread(
                    target=self._tick, args=(self._ended,), name="spend-meter", daemon=True
                ).start()
        try:
            yield
        finally:
            self._close()

    def _close(self) -> None:
        with self._lock:
            self._openers -= 1
            is_last = self._openers == 0
            if is_last:
                self._ended.set()
        for meter in self._all():
            (meter.rest if is_last else meter.tick)()

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(TICK_S):
            for meter in self._all():
                meter.tick()

    def _all(self) -> list[SpendMeter]:
        with self._lock:
            return list(self._meters.values())


_all_meters: dict[Database, Meters] = {}
_meters_lock = threading.Lock()


def meters_of(db: Database, make: Callable[[Database], Meters] = Meters) -> Meters:
    """The meters of this process over a database."""
    with _meters_lock:
        if db not in _all_meters:
            _all_meters[db] = make(db)
        return _all_meters[db]
