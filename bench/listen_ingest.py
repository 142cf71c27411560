"""Archived posts per second into PostgreSQL, beside a plain COPY of the same rows that keeps nothing apart.

The import reads and checks each line, knows what it has, leaves out who opted out, and fills the table of posts with
all its indexes; the baseline copies rows that are in memory already into a temporary table without any.
"""

import json
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.own_home import own_workbench

if TYPE_CHECKING:
    from resources.importing import ImportReport
    from resources.workbench import Workbench

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"
PASSES = ("new", "again", "copied")
# Every so many lines one comes a second time, as archives overlap.
REPEATED_EVERY = 20
COLUMNS = "platform text, id text, author text, body text, metrics jsonb, created_at timestamptz"


def measure_listen_ingest(n_posts: int, *, advance: Callable[[int], None]) -> dict[str, Any]:
    """Run the benchmark in a home of its own that is removed afterwards.

    Args:
        n_posts: how many lines the archive has.
        advance: told of each of the PASSES as it is done.

    Returns:
        value in posts per second into an empty table; again_per_s the same file once more, all known; ratio is
        value / baseline; peak_memory_mib is this process's, PostgreSQL's left out.
    """
    with own_workbench() as bench:
        path = bench.settings.home_dir / "archive.jsonl"
        lines = write_archive(path, n_posts)
        _make_channel(bench)
        new = _import(bench, path)
        advance(1)
        again = _import(bench, path)
        advance(1)
        baseline = round(n_posts / _copy(bench, lines))
        advance(1)
        value = round(new.records / new.seconds)
        return {
            "name": "listen-ingest",
            "value": value,
            "unit": "posts/s",
            "posts": n_posts,
            "new": new.counts.new,
            "again_per_s": round(again.records / again.seconds),
            "again_new": again.counts.new,
            "baseline": baseline,
            "baseline_is": "COPY of the same rows from memory into a temporary table without an index",
            "ratio": round(value / baseline, 3),
            "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }


def write_archive(path: Path, n_posts: int) -> list[dict[str, Any]]:
    """An archive of so many lines in the sandbox's form, the samples' texts again and again; some lines twice."""
    samples = [json.loads(line) for line in (SAMPLES / "posts.jsonl").read_text("utf-8").splitlines()]
    texts = [row["text"] for row in samples if row["platform"] == "x"]
    started = datetime(2020, 1, 1, tzinfo=UTC)
    lines: list[dict[str, Any]] = []
    for number in range(n_posts):
        n = number - 1 if number % REPEATED_EVERY == REPEATED_EVERY - 1 else number
        lines.append({
            "platform": "x", "platform_post_id": str(10**18 + n), "author": f"sample_{n % 9973}", "community": None,
            "author_followers": n % 5000, "text": f"{texts[n % len(texts)]} ({n})", "url": None,
            "created_at": (started + timedelta(seconds=n)).isoformat(), "mentions": [], "quotes": None,
            "metrics": {"like_count": n % 50, "reply_count": n % 7, "retweet_count": 0, "impression_count": n % 999},
        })  # fmt: skip
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    return lines


def _make_channel(bench: "Workbench") -> None:
    from rejoinder.listening.policy import default_policy
    from resources.store.channels import save_channel

    with bench.db.transaction() as tx:
        save_channel(
            tx, project_id=bench.project_id, name="bench", platform="x", account="bench", base_url=None,
            is_sandbox=True, policy=default_policy("sandbox/x/self_serve"),
        )  # fmt: skip


def _import(bench: "Workbench", path: Path) -> "ImportReport":
    from resources.importing import import_posts
    from resources.work.stopping import StopSignal

    return import_posts(bench.db, "bench", path, stop=StopSignal(), from_start=True)


def _copy(bench: "Workbench", lines: list[dict[str, Any]]) -> float:
    from resources.postgres import connect

    names = ("platform", "platform_post_id", "author", "text", "metrics", "created_at")
    rows = [
        [*(line[n] for n in names[:4]), json.dumps(line["metrics"]), line["created_at"]] for line in lines
    ]
    with connect(bench.addresses.owner) as connection, connection.cursor() as cursor:
        cursor.execute(f"create temporary table plain_post ({COLUMNS})")
        started = time.perf_counter()
        with cursor.copy("copy plain_post from stdin") as copy:
            for row in rows:
                copy.write_row(row)
        connection.commit()
        return time.perf_counter() - started
