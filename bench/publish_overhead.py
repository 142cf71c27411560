"""What the publisher adds to a reply beside its platform's own time, and its memory over thousands that are due.

Overhead: replies go to a platform in this process that answers at once, so the time from one request to the next is
the publisher's: settle, take a turn, claim. Inside each request, and not counted, stand two plain commits with psycopg,
the least that "commit before send, commit after" can cost; the ratio is that of the medians.

Drain: as many due replies as asked for, on one account with X's own limits. The publisher's clock is put forward to the
next moment at which it may send, and resident memory is looked at on the way. Every reply is claimed, sent and settled
as ever; only the approvals are written many at once, since nothing of them is measured.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psutil

from bench.own_home import own_workbench
from bench.publish_desk import Desk, approve_many, open_desk
from bench.publish_plan import Account, Wanted
from rejoinder.listening.post import Platform
from resources.platforms.port import Capability, PlatformClient, ReadBack, Sent
from resources.postgres import Database, connect
from resources.publishing.clock import Clock
from resources.publishing.outlook import read_outlook
from resources.publishing.run import publish_due
from resources.store.channels import Channel
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

TIMED = 1000
QUARTER_CALLS, QUARTER_S = 100, 900
LIMIT_CALLS, LIMIT_S = 300, 3 * 3600
FAST, SLOW = Account("fast", "x"), Account("slow", "x")
KEYS = dict.fromkeys(
    ("consumer_key", "consumer_secret", "access_token", "access_token_secret", "bearer_token"), "1-bench"
)
PLAIN = """
create table plain_reply (id bigint primary key, state text not null);
insert into plain_reply select n, 'queued' from generate_series(1, 100000) n;
"""


@dataclass(slots=True)
class InstantPlatform:
    """A platform in this process that takes every reply at once and remembers when.

    between is called inside each request; its time counts as the platform's.
    """

    now_at: Callable[[], datetime]
    between: Callable[[], None] = lambda: None
    platform: Platform = "x"
    text_limit: int = 280
    capabilities: frozenset[Capability] = frozenset({"publish"})
    account: str = "bench"
    began_s: list[float] = field(default_factory=list)
    ended_s: list[float] = field(default_factory=list)
    sent_at: list[datetime] = field(default_factory=list)

    def now(self) -> datetime:
        """The publisher's own time."""
        return self.now_at()

    def publish(self, parent_id: str, text: str) -> Sent:
        """Take a reply."""
        self.began_s.append(time.perf_counter())
        self.between()
        self.sent_at.append(self.now_at())
        sent = Sent(str(10**9 + len(self.sent_at)), self.sent_at[-1])
        self.ended_s.append(time.perf_counter())
        return sent

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Nothing is ever looked for, as every answer arrives: the figures would be of something else."""
        raise RuntimeError(f"an answer to {parent_id} was not seen, though the platform gave one")


@dataclass(slots=True)
class _Clock:
    """A time that is put forward by hand."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def measure_publish_overhead(publications: int, *, advance: Callable[[int], None]) -> dict[str, Any]:
    """Overhead per reply over a thousand, then the drain of so many that are due.

    Args:
        publications: due replies of the drain, at least 10.
        advance: told of each approval and each reply.

    Returns:
        Milliseconds, ratios, simulated hours and MiB by name. ``pace_of_limit`` is the time that X's limits alone
        ask for, as a share of what it took: 1 is as fast as they allow. ``is_clean`` says whether each went out once
        and no stretch of a quarter of an hour or of three hours had more than its limit.
    """
    with own_workbench() as bench:
        wanted = [*_wanted(FAST, min(TIMED, publications)), *_wanted(SLOW, publications)]
        keys = {account.name: {"x": KEYS} for account in (FAST, SLOW)}
        desk = open_desk(bench.addresses, "http://127.0.0.1:9", keys, wanted)
        approve_many(desk, wanted, advance)
        _only(desk, FAST)
        overhead = _overhead(bench, desk, advance)
        _only(desk, SLOW)
        return {**overhead, **_drain(bench, publications, advance)}


def _wanted(account: Account, count: int) -> list[Wanted]:
    base = 10**6 if account is FAST else 10**7
    return [Wanted(base + n, account, str(base + n), (f"At 12:04, reply {n}.",)) for n in range(count)]


def _only(desk: Desk, account: Account) -> None:
    with desk.owner.transaction() as tx:
        tx.connection.execute("update channel set is_enabled = name = %s", (account.name,))


def _overhead(bench: Workbench, desk: Desk, advance: Callable[[int], None]) -> dict[str, Any]:
    plain_ms: list[float] = []
    with connect(bench.addresses.owner, autocommit=True) as connection:
        connection.execute(PLAIN)

        def commit_twice() -> None:
            started = time.perf_counter()
            for state in ("sending", "sent"):
                with connection.transaction():
                    connection.execute(
                        "update plain_reply set state = %s where id = %s", (state, len(plain_ms) + 1)
                    )
            plain_ms.append((time.perf_counter() - started) * 1000)

        platform = InstantPlatform(lambda: datetime.now(UTC), commit_twice)
        _publish_unlimited(bench, desk, platform, advance)
    gaps = zip(platform.ended_s, platform.began_s[1:], strict=False)
    ours_ms = sorted((later - earlier) * 1000 for earlier, later in gaps)
    plain_ms.sort()
    return {
        "replies_timed": len(ours_ms),
        "overhead_ms_p50": round(_share(ours_ms, 0.5), 2),
        "overhead_ms_p95": round(_share(ours_ms, 0.95), 2),
        "plain_commits_ms_p50": round(_share(plain_ms, 0.5), 2),
        "plain_commits_ms_p95": round(_share(plain_ms, 0.95), 2),
        "ratio_p50": round(_share(ours_ms, 0.5) / _share(plain_ms, 0.5), 1),
    }


def _publish_unlimited(
    bench: Workbench, desk: Desk, platform: InstantPlatform, advance: Callable[[int], None]
) -> None:
    """The first pass opens the account's windows and stops at their limit; then they are no hindrance."""
    while True:
        report = _pass(bench, platform, lambda: datetime.now(UTC), advance)
        with desk.owner.transaction() as tx:
            opened = tx.connection.execute("update rate_window set limit_count = 1000000").rowcount
        if not report and opened:
            return


def _pass(
    bench: Workbench,
    platform: InstantPlatform,
    now: Callable[[], datetime],
    advance: Callable[[int], None],
) -> int:
    def open_client(channel: Channel, credential: Mapping[str, str]) -> PlatformClient:
        return platform  # type: ignore[return-value] # the publisher calls no more of it

    return publish_due(
        bench.publisher_db(),
        open_client=open_client,
        tuning=bench.tuning,
        stop=StopSignal(),
        progress=advance,
        clock=Clock(lambda tx: now()),
    ).sent


def _drain(bench: Workbench, publications: int, advance: Callable[[int], None]) -> dict[str, Any]:
    process = psutil.Process()
    clock = _Clock(datetime.now(UTC) + timedelta(days=2))
    platform = InstantPlatform(clock.now)
    memory_mib: list[float] = []
    began_s = time.perf_counter()
    while next_at := _next_moment(bench.publisher_db(), clock.moment):
        clock.moment = max(clock.moment, next_at)
        _pass(bench, platform, clock.now, advance)
        memory_mib.append(process.memory_info().rss / 2**20)
    seconds = time.perf_counter() - began_s
    return {
        **_paced(platform.sent_at, publications),
        "drain_seconds": round(seconds, 1),
        "passes": len(memory_mib),
        "memory_mib_after_a_fifth": round(_share(memory_mib, 0.2), 1),
        "memory_mib_after_half": round(_share(memory_mib, 0.5), 1),
        "memory_mib_at_the_end": round(memory_mib[-1], 1),
    }


def _paced(sent_at: list[datetime], publications: int) -> dict[str, Any]:
    """How fast the replies went out beside what X's limits allow."""
    hours = (sent_at[-1] - sent_at[0]).total_seconds() / 3600
    least_hours = _least_s(publications) / 3600
    in_a_quarter, in_three_hours = _most_within(sent_at, QUARTER_S), _most_within(sent_at, LIMIT_S)
    is_within = in_a_quarter <= QUARTER_CALLS and in_three_hours <= LIMIT_CALLS
    return {
        "drained": len(sent_at),
        "simulated_hours": round(hours, 2),
        "hours_at_the_limit": round(least_hours, 2),
        "pace_of_limit": round(least_hours / hours, 4) if hours else 1.0,
        "most_in_15_minutes": in_a_quarter,
        "most_in_3_hours": in_three_hours,
        "is_clean": len(sent_at) == publications and is_within,
    }


def _least_s(calls: int) -> int:
    """Seconds from the first of so many calls to the last, where each comes as early as X's limits allow.

    >>> _least_s(100), _least_s(101), _least_s(300), _least_s(301)
    (0, 900, 1800, 10800)
    """
    full, rest = divmod(max(calls - 1, 0), LIMIT_CALLS)
    return full * LIMIT_S + rest // QUARTER_CALLS * QUARTER_S


def _next_moment(db: Database, now: datetime) -> datetime | None:
    with db.transaction() as tx:
        moments = [one.next_at for one in read_outlook(tx, now) if one.next_at]
    return min(moments, default=None)


def _most_within(moments: list[datetime], length_s: int) -> int:
    """Most requests in any stretch of so many seconds."""
    most, first = 0, 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - timedelta(seconds=length_s):
            first += 1
        most = max(most, last - first + 1)
    return most


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
