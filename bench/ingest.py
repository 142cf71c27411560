"""Embedding through the pipeline beside the bare model, and the memory that a recording of five hours takes.

Throughput: in each round the same new texts go through the pipeline's step (claimed, embedded, kept in PostgreSQL,
committed) and through the bare ONNX session (tokenizer and session, the same threads, results thrown away). Which of
the two goes first alternates, so that what else the machine does hits both alike. Memory: the recording is ingested
by a process of its own, which knows its own largest size.
"""

import itertools
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from resources.workbench import Workbench

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples" / "episodes"
THREADS = 2
ROUND_S = 3600
RECORDING_S = 5 * 3600
LIMIT_MIB = 1024
INGEST = "import sys; from bench.ingest import ingest_and_tell; ingest_and_tell(sys.argv[1], sys.argv[2])"


class Pair(NamedTuple):
    """One round: how many texts, and the seconds of either side."""

    texts: int
    step_s: float
    bare_s: float


def measure_ingest(
    *, rounds: int, recording: Path | None = None, advance: Callable[[int], None]
) -> dict[str, Any]:
    """Run the benchmark in homes of its own that are removed afterwards.

    Args:
        rounds: how often both sides embed texts of their own, at least 2; the first is thrown away.
        recording: the transcript to ingest; None makes one of five hours out of the sample episodes.
        advance: told of each round, and of the recording.

    Returns:
        value and baseline in texts/s (medians of rounds); ratio is the median of the rounds' ratios;
        ratio_low and ratio_high are the least and the largest; peak_memory_mib is the ingesting process's,
        PostgreSQL's left out.
    """
    with _home() as home:
        pairs = _throughput(home, rounds, advance)
    with _home() as home:
        ingested = _ingest_recording(home, recording or _recording(home, "five-hours", RECORDING_S))
        advance(1)
    ratios = [pair.bare_s / pair.step_s for pair in pairs]
    return {
        "name": "ingest",
        "value": round(statistics.median(pair.texts / pair.step_s for pair in pairs), 2),
        "unit": "texts/s",
        "baseline": round(statistics.median(pair.texts / pair.bare_s for pair in pairs), 2),
        "baseline_is": "the bare ONNX session on the same texts, nothing stored",
        "ratio": round(statistics.median(ratios), 3),
        "ratio_low": round(min(ratios), 3),
        "ratio_high": round(max(ratios), 3),
        "rounds": len(ratios),
        "texts": sum(pair.texts for pair in pairs),
        **ingested,
        "memory_limit_mib": LIMIT_MIB,
    }


@contextmanager
def _home() -> Iterator[Path]:
    from resources.embedded.cluster import stop_cluster
    from resources.settings import load_settings

    home = Path(tempfile.mkdtemp(prefix="rejoinder-bench-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        stop_cluster(home, load_settings().system_data)
        shutil.rmtree(home, ignore_errors=True)


def _throughput(home: Path, rounds: int, advance: Callable[[int], None]) -> "list[Pair]":
    """Seconds of the pipeline and of the bare session, round by round."""
    from resources.settings import use_home
    from resources.workbench import open_workbench

    bench = open_workbench(use_home(home))
    bare, pairs = _BareSession(), []
    for number in range(rounds):
        texts = _chunked(bench, _recording(home, f"round-{number}", ROUND_S))
        order = (True, False) if number % 2 else (False, True)
        seconds = {is_ours: _step_seconds(bench) if is_ours else bare.seconds(texts) for is_ours in order}
        pairs.append(Pair(len(texts), seconds[True], seconds[False]))
        advance(1)
    return pairs[1:]


def _chunked(bench: "Workbench", recording: Path) -> list[str]:
    """The texts of a recording that wait for their vectors."""
    from resources.inbox import ingest_paths
    from resources.queries import vectors_of
    from resources.wiring import run_step

    ingest_paths(bench, [recording])
    run_step(bench, "chunk")
    with bench.db.transaction() as tx:
        rows = tx.rows(
            "any_chunks_without_embedding", vectors=vectors_of(bench.index_id), after_id=0, top=10_000
        )
    return [row["indexed_text"] for row in rows]


def _step_seconds(bench: "Workbench") -> float:
    from resources.wiring import run_step

    report = run_step(bench, "embed_chunks")
    if report.outcomes != {"embedded": 1}:
        raise RuntimeError(f"the step did not embed the recording: {report.outcomes} {report.errors}")
    return report.seconds


class _BareSession:
    """The model without anything around it."""

    def __init__(self) -> None:
        import onnxruntime

        from resources.llm.bert_graph import int8_graph
        from resources.llm.minilm import MINILM

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        weights, self._words = MINILM.load_parts()
        self._session = onnxruntime.InferenceSession(int8_graph(weights), options)
        self._tokenizer = MINILM.load_tokenizer()
        self._most = MINILM.max_tokens
        self._pool = ThreadPoolExecutor(THREADS)

    def seconds(self, texts: Sequence[str]) -> float:
        """How long it takes for the texts."""
        started = time.monotonic()
        list(self._pool.map(self._embed, texts))
        return time.monotonic() - started

    def _embed(self, text: str) -> None:
        ids = self._tokenizer.ids(text, most=self._most)
        self._session.run(None, {"words": self._words.rows(ids)[None]})


def _recording(folder: Path, name: str, length_s: float) -> Path:
    """A transcript of that length: the words of the sample episodes, sentence by sentence in another order.

    In their own order they would be the same episode given twice, which is searched once.
    """
    from rejoinder.corpus.reading import read_source

    cues = [
        cue for path in sorted(SAMPLES.iterdir()) for cue in read_source(path.name, path.read_bytes()).cues
    ]
    segments: list[dict[str, Any]] = []
    shuffle, at = Random(name), 0.0
    for cue in itertools.cycle(cues):
        if at >= length_s:
            break
        end = at + float(cue.end_s or 0) - float(cue.start_s or 0)
        words = cue.text.rstrip(".").split()
        text = f"At second {at:.0f} {' '.join(shuffle.sample(words, len(words)))}."
        segments.append({"start": at, "end": end, "text": text, "speaker": cue.speaker})
        at = end
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"segments": segments}), encoding="utf-8")
    return path


def _ingest_recording(home: Path, recording: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", INGEST, str(home / "home"), str(recording)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def ingest_and_tell(home: str, recording: str) -> None:
    """Ingest a recording to the last step, in this process, and print what it took as JSON."""
    from resources.inbox import ingest_paths
    from resources.settings import use_home
    from resources.wiring import run_step
    from resources.workbench import open_workbench

    folder = Path(home)
    folder.mkdir(mode=0o755, exist_ok=True)
    started = time.monotonic()
    bench = open_workbench(use_home(folder))
    ingest_paths(bench, [Path(recording)])
    run_step(bench, "chunk")
    chunks = run_step(bench, "embed_chunks")
    run_step(bench, "keywords")
    with bench.db.transaction() as tx:
        n_chunks = tx.value("count_current_chunks")
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = {
        "recording": Path(recording).name,
        "recording_chunks": n_chunks,
        "recording_wall_s": round(time.monotonic() - started, 1),
        "recording_embed_s": round(chunks.seconds, 1),
        "peak_memory_mib": round(peak_kib / 1024),
    }
    sys.stdout.write(json.dumps(told) + "\n")
