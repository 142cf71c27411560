"""kill -9 of the run process at random moments: nothing lost, nothing done twice."""

import random
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
import pytest
from preloaded_commands import REPOSITORY, start_command

from resources.demo.channels import connect_channels
from resources.demo.reviewer import review_waiting
from resources.demo.sandbox_process import Sandbox
from resources.rounds import publish
from resources.settings import load_settings
from resources.workbench import Workbench, open_workbench

SAMPLES = REPOSITORY / "resources" / "samples"
KILLS = 20
# Rows that a run commits one by one or a few at a time.
PIECES = (
    "ingestion", "source", "chunk", "chunk_embedding", "keyword", "listening_rule", "post", "post_embedding",
    "stage_decision", "claim", "evidence", "draft",
)  # fmt: skip
MOST_OF_A_RUN = 12  # no killed run does much more than a twelfth of the work, so many kills meet work
LATER_S = (0.0, 0.03, 0.2)  # in the middle of a piece too
POLL_S = 0.01
COUNTED = (
    "sources_ready", "chunks", "chunk_embeddings", "keywords", "listening_rules", "posts", "claims", "evidence",
    "drafts", "dead", "quarantined",
)  # fmt: skip


def open_home(home: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Workbench:
    """A workbench on the home, with channels on the sandbox and the sample episodes in the inbox."""
    monkeypatch.setenv("REJOINDER_HOME", str(home))
    load_settings.cache_clear()
    bench = open_workbench(load_settings())
    connect_channels(bench, Sandbox(url), SAMPLES / "posts.jsonl")
    inbox = home / "inbox"
    inbox.mkdir(exist_ok=True)
    for episode in (SAMPLES / "episodes").iterdir():
        (inbox / episode.name).write_bytes(episode.read_bytes())
    return bench


def counts(bench: Workbench) -> dict[str, Any]:
    with bench.db.transaction() as tx:
        everything = tx.row("count_everything") or {}
        places = {f"{r['stage']}/{r['status']}": r["n"] for r in tx.rows("count_posts_by_place")}
        sources = tx.connection.execute(
            "select name, step, status, last_error from source order by name"
        ).fetchall()
    return {**{name: everything[name] for name in COUNTED}, "places": places, "sources": sources}


def fingerprint(bench: Workbench) -> list[tuple[str, str, str]]:
    """What every post came to: its place and the text of its draft, whatever ids the rows got."""
    with bench.db.transaction() as tx:
        rows = tx.connection.execute(
            "select p.platform_post_id k, p.stage || '/' || p.status s, coalesce(string_agg(d.text, '|'), '') t"
            " from post p left join draft d on d.post_id = p.id group by p.id order by 1"
        ).fetchall()
    return [(r["k"], r["s"], r["t"]) for r in rows]


def is_at_work(bench: Workbench) -> bool:
    """Whether a run in the home holds a worker's lock."""
    with bench.db.transaction() as tx:
        return bool(tx.connection.execute("select 1 from living_worker").fetchone())


def start_run(installation: Any) -> ForkServerProcess:
    """Start `rejoinder run` in the home; what it says is in the home's run.log."""
    log = installation.home / "run.log"
    return start_command("run", environment=installation.environment, log=log)


def progress(bench: Workbench) -> int:
    """How many pieces of work are committed; it only grows."""
    pieces = " + ".join(f"(select count(*) from {table})" for table in PIECES)
    with bench.db.transaction() as tx:
        return int((tx.connection.execute(f"select {pieces} as n").fetchone() or {})["n"])


def undisturbed_run(installation: Any, bench: Workbench) -> float:
    """Run to the end; the seconds until it was at work."""
    process, began = start_run(installation), time.monotonic()
    while process.is_alive() and not is_at_work(bench):
        time.sleep(POLL_S)
    start_s = time.monotonic() - began
    process.join(600)
    assert process.exitcode == 0, (installation.home / "run.log").read_text()
    return start_s


def wait_for_progress(process: ForkServerProcess, bench: Workbench, to: int) -> None:
    """Return as soon as so many pieces are committed, or the run has ended."""
    while process.is_alive() and progress(bench) < to:
        time.sleep(POLL_S)


def kill(installation: Any, bench: Workbench, process: ForkServerProcess) -> tuple[bool, bool]:
    """Kill a run; whether it ran, and was at work."""
    at_work = is_at_work(bench)
    was_running = process.is_alive()
    process.kill()
    process.join()
    assert was_running or process.exitcode == 0, (installation.home / "run.log").read_text()
    return was_running, was_running and at_work


def kill_many_times(installation: Any, bench: Workbench, pieces: int, start_s: float) -> int:
    """Kill KILLS living runs; how many of them were at work.

    Three in four get as far as a random number of pieces of work, and then no, some or many milliseconds more: how
    fast the machine is changes nothing. The others are killed at a random moment of their start, and so is every
    run that would find nothing left to do.
    """
    rng, met, met_at_work, all_pieces = random.Random(20), 0, 0, progress(bench) + pieces
    for _ in range(2 * KILLS):
        process, done = start_run(installation), progress(bench)
        if done < all_pieces and rng.random() < 0.75:
            wait_for_progress(process, bench, done + rng.randint(1, pieces // MOST_OF_A_RUN))
            process.join(rng.choice(LATER_S))
        else:
            process.join(rng.uniform(0, start_s))
        was_running, at_work = kill(installation, bench, process)
        met, met_at_work = met + was_running, met_at_work + at_work
        if met == KILLS:
            return met_at_work
    raise AssertionError(f"only {met} kills of {2 * KILLS} met a run")


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_twenty_kills_change_nothing(
    home_factory: Callable[[], Path],
    sandbox: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    installation: Any,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # for the process that runs are forked off
    # The first start waits for those imports, and is none of the runs whose start is timed.
    start_command("--help", environment=installation.environment, log=tmp_path / "help").join()
    undisturbed = type(installation)(home_factory())
    calm = open_home(undisturbed.home, monkeypatch, sandbox(state=tmp_path / "calm.sqlite"))
    before = progress(calm)
    start_s = undisturbed_run(undisturbed, calm)
    undisturbed_run(undisturbed, calm)
    pieces = progress(calm) - before
    expected, expected_posts = counts(calm), fingerprint(calm)
    assert expected["drafts"] > 5

    url = sandbox(state=tmp_path / "killed.sqlite")
    killed = open_home(installation.home, monkeypatch, url)
    at_work = kill_many_times(installation, killed, pieces, start_s)
    assert at_work >= 3, f"only {at_work} kills met work"
    installation.run("run")
    assert counts(killed) == expected
    assert fingerprint(killed) == expected_posts

    review_waiting(killed)
    publish(killed)
    publish(killed)
    log = httpx.get(f"{url}/sandbox/log", timeout=60).json()
    accepted = Counter((e["platform"], e["parent_id"]) for e in log if e["accepted"])
    assert accepted and max(accepted.values()) == 1
