"""Listening to X's stream at its full rate: how late posts are stored, and whether any is lost.

The sandbox runs in a process of its own and makes posts at a steady rate, each with the moment it was made. The
listener runs in another, on one core, and stores them. A third process, this one, watches the table and notes when
each post becomes visible; that minus the moment it was made is its lag, found late by one look (20 ms) at most.
Beside it: a bare tweepy consumer on the same flow afterwards, which only reads and notes when a post was parsed.

With faults, the connection is broken, silenced, refused, its items doubled and disordered, and the listener killed,
at random moments, each kind in turn; then it is counted what of all that was made is stored. The sandbox's clock is
moved on from time to time, so that X's limits on connects do not end the run.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from bench.own_home import own_home

if TYPE_CHECKING:
    from resources.workbench import Workbench

RULE = "asyncio"
TEXTS = ["asyncio in post number {n}", "why asyncio needs care, part {n}", "reading about asyncio again, {n}"]
LOOK_S = 0.02
LONGEST_DRAIN_S = 180.0
BASELINE_S = 60.0
FAULT_EVERY_S = (2.0, 6.0)
FAULTS = (
    *("disconnect", "cut", "silent", "duplicate", "disorder", "no_tag", "torn", "unknown", "503", "drop"),
    "kill",
)
FAULTS_PER_WINDOW = 15
WINDOW_S = 16 * 60
LISTEN = "import sys; from bench.stream_consumers import listen_and_tell; listen_and_tell(sys.argv[1], sys.argv[2])"
READ = "import sys; from bench.stream_consumers import read_and_tell; read_and_tell(sys.argv[1])"


@dataclass(slots=True)
class Watched:
    """What was seen in the table: lags in seconds by the sandbox's clock, ids as often as they stand there."""

    lags_s: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    last_id: int = 0


def measure_listen_stream(
    *, seconds: float, rate_per_s: float, has_faults: bool, seed: int = 0, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Run the benchmark in a home of its own that is removed afterwards.

    Args:
        seconds: how long posts are made, > 0.
        rate_per_s: posts per second, X's own cap is 250.
        has_faults: whether something breaks every few seconds; lags are not judged then.
        seed: of the faults.
        advance: told of each second.

    Returns:
        value is the 99th percentile of lag in seconds, baseline that of the bare consumer; with faults value is the
        share of posts that is stored once, of 1. lost and twice count posts.
    """
    from resources.settings import use_home
    from resources.workbench import open_workbench

    with own_home() as home:
        bench = open_workbench(use_home(home))
        with _sandbox(home) as control:
            _connect(bench, control)
            run = _Run(bench, control, home, Random(seed), advance)
            measured = run.listen(seconds, rate_per_s, has_faults=has_faults)
            if not has_faults:
                measured |= run.baseline(min(seconds, BASELINE_S), rate_per_s)
    return {"name": "listen-stream", **measured}


@contextmanager
def _sandbox(home: Path) -> Iterator[httpx.Client]:
    command = [
        sys.executable,
        "-m",
        "resources.sandbox",
        "--state",
        str(home / "sandbox.db"),
        "--account",
        "bench_x",
    ]
    running = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
    try:
        if running.stdout is None:
            raise RuntimeError("the sandbox has no output")
        with httpx.Client(base_url=json.loads(running.stdout.readline())["url"], timeout=60) as control:
            yield control
    finally:
        running.terminate()
        running.wait(20)
        if running.stdout is not None:
            running.stdout.close()


def _connect(bench: "Workbench", control: httpx.Client) -> None:
    from resources.demo.channels import connect_channels
    from resources.demo.sandbox_process import Sandbox

    posts = Path(bench.settings.home_dir) / "posts.jsonl"
    posts.write_text('{"platform": "x"}\n', encoding="utf-8")
    connect_channels(bench, Sandbox(str(control.base_url).rstrip("/")), posts)
    with bench.db.transaction() as tx:
        from resources.store.channels import enabled_channels

        for channel in enabled_channels(tx):
            tx.execute("upsert_listening_rule", channel_id=channel.id, tag="keywords:bench", query=RULE)


@dataclass(slots=True)
class _Run:
    """One run: processes, what is seen, what is broken."""

    bench: "Workbench"
    control: httpx.Client
    home: Path
    chance: Random
    advance: Callable[[int], None]
    seen: Watched = field(default_factory=Watched)
    offset_s: float = 0.0
    listener: "subprocess.Popen[str] | None" = None
    broken: dict[str, int] = field(default_factory=dict)
    told: list[dict[str, float]] = field(default_factory=list)
    due: list[str] = field(default_factory=list)

    def listen(self, seconds: float, rate_per_s: float, *, has_faults: bool) -> dict[str, Any]:
        self._start(has_faults)
        self._until(lambda: self._get("health")["open_streams"] == 1)
        self._note_clock()
        self._flow(seconds, rate_per_s)
        self._watch(seconds, has_faults=has_faults)
        self._drain()
        self._stop()
        told = self._told(seconds)
        if has_faults:
            # The sandbox's own figure is by its clock, which was moved on.
            told["rate_per_s"] = round(told["posts_sent"] / seconds, 1)
            share = 1 - (told["lost"] + told["twice"]) / max(told["posts_sent"], 1)
            figures = {"value": round(share, 6), "unit": "share stored once", "baseline": 1.0}
            return {**figures, "ratio": round(share, 6), **told}
        lags = np.array(self.seen.lags_s or [0.0])
        return {
            "value": round(float(np.percentile(lags, 99)), 3),
            "unit": "s of lag, 99th percentile",
            "lag_p50_s": round(float(np.percentile(lags, 50)), 3),
            "lag_max_s": round(float(lags.max()), 3),
            "limit_s": 1.0,
            **told,
        }

    def _told(self, seconds: float) -> dict[str, Any]:
        """What was made, stored, broken, and what it took."""
        made, seen = self._get("flow/ids"), set(self.seen.ids)
        cpu_s, wall_s = (sum(one[name] for one in self.told) for name in ("cpu_s", "wall_s"))
        return {
            "posts_sent": len(made),
            "posts_stored": len(set(made) & seen),
            "lost": len(set(made) - seen),
            "twice": len(self.seen.ids) - len(seen),
            "rate_per_s": self._get("flow")["made_per_s"],
            "seconds": seconds,
            "faults": self.broken,
            "n_faults": sum(self.broken.values()),
            "processor_share": round(cpu_s / max(wall_s, 0.001), 3),
            "peak_memory_mib": max((one["peak_mib"] for one in self.told), default=0),
        }

    def baseline(self, seconds: float, rate_per_s: float) -> dict[str, Any]:
        """A bare tweepy consumer on a flow of its own."""
        self._until(lambda: self._get("health")["open_streams"] == 0)
        credentials = json.dumps({"url": str(self.control.base_url), **self._get("credentials")["x"]})
        reader = subprocess.Popen(
            [sys.executable, "-c", READ, credentials], text=True, stdout=subprocess.PIPE, cwd=_root()
        )
        self._until(lambda: self._get("health")["open_streams"] == 1)
        self._note_clock()
        self._flow(seconds, rate_per_s)
        self._until(lambda: not self._get("flow")["running"], seconds + 60)
        time.sleep(1.0)
        reader.terminate()
        out = reader.communicate(timeout=30)[0]
        lags = np.array([lag + self.offset_s for lag in json.loads(out.splitlines()[-1])["lags_s"]] or [0.0])
        p99 = float(np.percentile(lags, 99))
        ours = float(np.percentile(np.array(self.seen.lags_s or [0.0]), 99))
        return {
            "baseline": round(p99, 3),
            "baseline_is": "a bare tweepy consumer that only reads, on the same flow afterwards",
            "baseline_p50_s": round(float(np.percentile(lags, 50)), 3),
            "ratio": round(ours / p99, 2) if p99 > 0 else None,
        }

    def _start(self, has_faults: bool) -> None:
        mode = "impatient" if has_faults else "as it is"
        command = [sys.executable, "-c", LISTEN, str(self.home), mode]
        self.listener = subprocess.Popen(command, text=True, stdout=subprocess.PIPE, cwd=_root())

    def _stop(self) -> None:
        if self.listener is not None:
            self.listener.terminate()
            out = self.listener.communicate(timeout=60)[0]
            self.told.append(json.loads(out.splitlines()[-1]))

    def _watch(self, seconds: float, *, has_faults: bool) -> None:
        began = time.monotonic()
        fault_at, told_s = began + 3.0, 0
        while time.monotonic() - began < seconds:
            self._look()
            if has_faults and time.monotonic() >= fault_at:
                self._break()
                fault_at = time.monotonic() + self.chance.uniform(*FAULT_EVERY_S)
            if int(time.monotonic() - began) > told_s:
                told_s += 1
                self.advance(1)
            time.sleep(LOOK_S)

    def _look(self) -> None:
        with self.bench.db.transaction() as tx:
            rows = tx.rows("posts_stored_after", after_id=self.seen.last_id)
        now = datetime.now(UTC).timestamp() + self.offset_s
        for row in rows:
            self.seen.lags_s.append(now - row["created_at"].timestamp())
            self.seen.ids.append(row["platform_post_id"])
        self.seen.last_id = rows[-1]["id"] if rows else self.seen.last_id

    def _drain(self) -> None:
        """Look until everything that was made is stored, or it takes too long."""
        until = time.monotonic() + LONGEST_DRAIN_S
        self._until(lambda: not self._get("flow")["running"])
        made = set(self._get("flow/ids"))
        while not made <= set(self.seen.ids) and time.monotonic() < until:
            self._look()
            time.sleep(0.1)

    def next_fault(self) -> str:
        """Every kind once in a random order, then again in another."""
        if not self.due:
            self.due = self.chance.sample(FAULTS, len(FAULTS))
        return self.due.pop()

    def _break(self) -> None:
        kind = self.next_fault()
        self.broken[kind] = self.broken.get(kind, 0) + 1
        if kind == "kill" and self.listener is not None:
            self.listener.send_signal(signal.SIGKILL)
            self.listener.communicate()
            self._start(has_faults=True)
        else:
            delay_s = {"silent": 5.0, "torn": 0.2}.get(kind, 0.0)
            fault = {"endpoint": "stream", "kind": kind, "times": 1, "delay_s": delay_s}
            self.control.post("/sandbox/faults", json=fault).raise_for_status()
        if sum(self.broken.values()) % FAULTS_PER_WINDOW == 0:
            self.control.post("/sandbox/clock", json={"advance_s": WINDOW_S}).raise_for_status()

    def _flow(self, seconds: float, rate_per_s: float) -> None:
        order = {"rate_per_s": rate_per_s, "count": int(seconds * rate_per_s), "texts": TEXTS}
        self.control.post("/sandbox/flow", json=order).raise_for_status()

    def _note_clock(self) -> None:
        before = time.time()
        told = float(self._get("clock")["unix_s"])
        self.offset_s = told - (before + time.time()) / 2

    def _get(self, path: str) -> Any:
        return self.control.get(f"/sandbox/{path}").raise_for_status().json()

    def _until(self, condition: Callable[[], bool], seconds: float = 120.0) -> None:
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until:
                raise RuntimeError("the sandbox and the listener did not get together in time")
            time.sleep(0.1)


def _root() -> Path:
    return Path(__file__).resolve().parents[1]
