"""Posts per second from triage to draft, beside a plain loop over the same posts without database or Dagster.

The baseline calls the same domain functions and the same model in one process, batched alike, and writes
nothing: what it reaches is the ceiling that storage, claims and orchestration can only take from.
"""

import json
import resource
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.own_home import own_home

if TYPE_CHECKING:
    from rejoinder.listening.post import Post
    from resources.tuning import StepName
    from resources.workbench import Workbench

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples"
WALK = ("post_embeddings", "relevance", "claims", "evidence", "decisions", "drafts", "checked_drafts")
CORPUS_STEPS: tuple["StepName", ...] = ("chunk", "embed_chunks", "keywords")


def measure_pipeline(n_posts: int, *, advance: Callable[[int], None]) -> dict[str, Any]:
    """Run the benchmark in a home of its own that is removed afterwards.

    Args:
        n_posts: how many posts walk through.
        advance: told of each of the WALK's assets as it is done.

    Returns:
        value in posts per second; ratio is value / baseline; dagster_overhead_s is the runs' wall time outside
        their steps; peak_memory_mib is this process's, PostgreSQL's left out.
    """
    with own_home() as home:
        return _measure(home, n_posts, advance)


def _measure(home: Path, n_posts: int, advance: Callable[[int], None]) -> dict[str, Any]:
    from resources.settings import use_home
    from resources.wiring import run_step
    from resources.workbench import open_workbench

    bench = open_workbench(use_home(home))
    from resources.inbox import ingest_paths

    ingest_paths(bench, [SAMPLES / "episodes"])
    for step in CORPUS_STEPS:
        run_step(bench, step)
    posts = make_posts(n_posts)
    baseline_s = _plain_loop(bench, posts)
    _insert(bench, posts)
    result = _pipeline(bench, n_posts, advance)
    baseline = round(n_posts / baseline_s, 2)
    return {
        **result,
        "baseline": baseline,
        "baseline_is": "the same work in a plain loop, nothing stored",
        "ratio": round(result["value"] / baseline, 3),
        **_final(bench),
    }


def make_posts(n: int) -> list["Post"]:
    """The sample posts again and again, each time with other words around them so that none is the same text."""
    from rejoinder.listening.post import Post

    rows = [json.loads(line) for line in (SAMPLES / "posts.jsonl").read_text("utf-8").splitlines()]
    short = [row for row in rows if len(row["text"]) < 1_000]
    started = datetime(2026, 11, 1, tzinfo=UTC)
    return [
        Post(
            platform="reddit",
            platform_post_id=f"t3_bench{i}",
            text=f"{short[i % len(short)]['text']} (Asked in week {i // len(short) + 1}.)",
            created_at=started + timedelta(seconds=i),
            community="sample",
        )
        for i in range(n)
    ]


def _insert(bench: "Workbench", posts: Sequence["Post"]) -> None:
    from rejoinder.listening.policy import default_policy
    from resources.store.channels import save_channel
    from resources.store.posts import insert_post

    with bench.db.transaction() as tx:
        channel_id = save_channel(
            tx,
            project_id=bench.project_id,
            name="bench",
            platform="reddit",
            account="bench",
            base_url="http://127.0.0.1:9",
            is_sandbox=True,
            policy=default_policy("sandbox/reddit/approved_app"),
        )
        for post in posts:
            insert_post(tx, channel_id, post, is_summoned=False, priority=0)


def _pipeline(bench: "Workbench", n_posts: int, advance: Callable[[int], None]) -> dict[str, Any]:
    from jobs.runs import materialize

    started, seconds, overhead = time.monotonic(), {}, 0.0
    for name in WALK:
        outcome = materialize(bench, [name], with_checks=False)
        seconds[name] = round(outcome.seconds[name], 3)
        overhead += outcome.overhead_s
        advance(1)
    wall = time.monotonic() - started
    return {
        "name": "pipeline",
        "value": round(n_posts / wall, 2),
        "unit": "posts/s",
        "posts": n_posts,
        "wall_s": round(wall, 2),
        "seconds_per_stage": seconds,
        "dagster_overhead_s": round(overhead, 2),
        "dagster_share": round(overhead / wall, 4),
    }


def _final(bench: "Workbench") -> dict[str, Any]:
    with bench.db.transaction() as tx:
        counts = tx.row("count_everything") or {}
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {"drafts": counts["drafts"], "peak_memory_mib": round(peak_kib / 1024)}


def _plain_loop(bench: "Workbench", posts: Sequence["Post"]) -> float:
    """Seconds of the same model and domain calls without database writes, on an embedder that remembers nothing."""
    from bench.plain_loop import answer_all
    from resources.llm.onnx_embedder import OnnxEmbedder
    from resources.llm.recorded_embedder import RememberingEmbedder

    embedder = RememberingEmbedder(OnnxEmbedder())
    embedder.embed(["warm up"])
    started = time.monotonic()
    answer_all(bench, embedder, posts)
    return time.monotonic() - started
