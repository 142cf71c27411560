"""A listener to X's stream on the sandbox and a real database, impatient enough for a test."""

import contextlib
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import requests

from rejoinder.listening.policy import default_policy
from resources.listening import HeardCounts
from resources.platforms.adapters import open_platform
from resources.platforms.metering import FREE
from resources.platforms.port import Meter
from resources.postgres import Database
from resources.store.channels import Channel, load_channel, save_channel, store_credential
from resources.store.sources import default_project
from resources.streaming.catch_up import Ground
from resources.streaming.ear import StreamEar
from resources.streaming.timing import Timing
from resources.work.stopping import StopSignal

QUICK = Timing(poll_s=0.3, settle_s=0.3, disorder_s=2.0, rules_s=0.2, proof_s=0.3, block_s=0.05, stood_s=0.1)
ACCOUNT = "sample_account"


def bearer(sandbox: Any) -> dict[str, str]:
    """The header of the app's token."""
    return {"Authorization": f"Bearer {sandbox.get('credentials')['x']['bearer_token']}"}


def as_new(sandbox: Any) -> Any:
    """A sandbox that others have used: no flow, rules, connections or faults; what was said is beyond X's search."""
    headers, stream = bearer(sandbox), f"{sandbox.url}/2/tweets/search/stream"
    requests.delete(f"{sandbox.url}/sandbox/flow", timeout=30).raise_for_status()
    wait_for(lambda: not sandbox.get("flow")["running"])
    sandbox.advance(days=8)
    requests.delete(f"{sandbox.url}/2/connections/all", headers=headers, timeout=30)
    there = requests.get(f"{stream}/rules", headers=headers, timeout=30).json().get("data") or []
    if there:
        gone = {"delete": {"ids": [rule["id"] for rule in there]}}
        requests.post(f"{stream}/rules", json=gone, headers=headers, timeout=30).raise_for_status()
    with closing(sqlite3.connect(sandbox.folder / "state.db", timeout=30, isolation_level=None)) as state:
        state.execute("delete from fault")
    return sandbox


@dataclass
class XDesk:
    """A channel on the sandbox, with rules."""

    db: Database
    owner: Database
    sandbox: Any
    is_sandbox: bool = True
    channel: Channel = field(init=False)
    flowed_before: int = field(init=False)
    connected_before: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        credential = self.sandbox.get("credentials")["x"]
        self.flowed_before, self.connected_before = len(self.sandbox.get("flow/ids")), frozenset()
        self.connected_before = frozenset(one["id"] for one in self.connections("all"))
        with self.owner.transaction() as tx:
            channel_id = save_channel(
                tx,
                project_id=default_project(tx),
                name="x-rehearsal",
                platform="x",
                account=ACCOUNT,
                base_url=self.sandbox.url if self.is_sandbox else None,
                is_sandbox=self.is_sandbox,
                policy=default_policy("sandbox/x/enterprise"),
            )
            store_credential(tx, channel_id, "read", credential)
            self.channel = load_channel(tx, channel_id)

    def rule(self, query: str, tag: str | None = None) -> None:
        with self.db.transaction() as tx:
            tx.execute(
                "upsert_listening_rule",
                channel_id=self.channel.id,
                tag=tag or f"keywords:{query}",
                query=query,
            )

    def rows(self, statement: str, *values: Any) -> list[Any]:
        with self.owner.transaction() as tx:
            cursor = tx.connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def stored(self) -> list[str]:
        return [row["platform_post_id"] for row in self.rows("select platform_post_id from post order by id")]

    def state(self) -> str:
        rows = self.rows("select state from channel_state where part = 'listen'")
        return rows[0]["state"] if rows else ""

    def ear(self, *, meter: Meter = FREE, silence_s: float = 25.0) -> "Listener":
        client = open_platform("x", self.sandbox.url, self.sandbox.get("credentials")["x"], meter=meter)
        client.search_lag, client.silence_s = timedelta(seconds=0.1), silence_s  # type: ignore[attr-defined]
        listener = Listener(StopSignal())
        ground = Ground(self.db, self.channel, client, client, HeardCounts(), QUICK)  # type: ignore[arg-type]
        listener.ear = StreamEar(ground, listener.stop, listener.wait)
        return listener

    def flow(self, count: int, *, rate_per_s: float = 100.0, text: str = "asyncio number {n}") -> None:
        self.sandbox.post("flow", rate_per_s=rate_per_s, count=count, texts=[text])

    def flowed(self) -> list[str]:
        return list(self.sandbox.get("flow/ids"))[self.flowed_before :]

    def connections(self, status: str) -> list[dict[str, Any]]:
        """What the sandbox lists of the token's connections since this desk was made."""
        url, headers = f"{self.sandbox.url}/2/connections", bearer(self.sandbox)
        found = requests.get(url, params={"status": status}, headers=headers, timeout=30).json().get("data")
        return [one for one in found or [] if one["id"] not in self.connected_before]

    def wait_for_the_flow(self) -> None:
        """Until the flow has ended and all that it made is stored, nothing twice."""
        wait_for(lambda: not self.sandbox.get("flow")["running"])
        wait_for(lambda: set(self.flowed()) <= set(self.stored()), what=self.missing)
        assert len(self.stored()) == len(set(self.stored()))

    def missing(self) -> str:
        return f"not stored: {sorted(set(self.flowed()) - set(self.stored()))[:5]}"


@dataclass
class Listener:
    """An ear in a thread; waits are noted and cut short."""

    stop: StopSignal
    waits: list[float] = field(default_factory=list)
    ear: StreamEar = field(init=False)
    longest_s: float = 0.05

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.stop.wait(min(seconds, self.longest_s))

    @contextlib.contextmanager
    def listening(self) -> Iterator["Listener"]:
        thread = threading.Thread(target=self.ear.run, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop.set()
            thread.join(60)
            assert not thread.is_alive()


def wait_for(
    condition: Callable[[], Any], seconds: float = 60, what: Callable[[], str] = lambda: "waited in vain"
) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, what()
        time.sleep(0.05)
