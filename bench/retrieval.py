"""Milliseconds of a search over many chunks, beside the same search with an exact scan of the vectors.

Also measured in the run: how much of the exact result is found (recall@10) and how long it takes, with and without
filters, how much of the exact BM25 ranking the bounded one keeps, and what a re-scorer costs on top.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from bench.own_home import own_workbench
from bench.retrieval_vectors import KeptVectors

if TYPE_CHECKING:
    from rejoinder.corpus.values import Passage
    from resources.retrieval import Retriever
    from resources.search import SearchQuery
    from resources.workbench import Workbench

SAMPLES = Path(__file__).resolve().parents[1] / "resources" / "samples" / "episodes"
SHARES_PCT = (0.3, 5, 20)
N_QUERIES = 200
QUERY_WORDS = (6, 16)
CHUNKS_AT_ONCE = 200
NO_LIMIT = 2_000_000_000
MODEL = "bench"
TIMED_ONLY = "a linear re-scorer with equal weights, for the time it takes"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is searched: queries out of the corpus' own texts, and the sources with their numbers of chunks."""

    queries: tuple["SearchQuery", ...]
    sources: tuple[tuple[int, int], ...]
    n_chunks: int
    figures: dict[str, Any]


def measure_retrieval(
    n_chunks: int,
    *,
    data: Path | None,
    n_embedded: int,
    vectors: Path | None,
    advance: Callable[[int], None],
) -> dict[str, Any]:
    """Run the benchmark in a home of its own that is removed afterwards.

    Args:
        n_chunks: how many chunks are searched.
        data: a folder of texts; the samples where not given.
        n_embedded: how many chunks the model embeds; the vectors of the others are mixed of these.
        vectors: where vectors are kept from run to run; None keeps none.
        advance: told of chunks as they are embedded, then stored, then of queries as they are done: see `n_steps`.

    Returns:
        value and baseline are the 95th percentiles in ms; recall is of the ten nearest by an exact scan. Figures
        "of P pct" are of searches in sources that hold that share of the chunks.
    """
    with own_workbench() as bench:
        kept = KeptVectors(bench.embedder, vectors)
        loaded = _load(bench, n_chunks, data or SAMPLES, n_embedded, kept, advance)
        return {
            **_speed(bench, loaded, advance),
            **_filtered(bench, loaded, advance),
            **_quality(bench, loaded),
            **loaded.figures,
        }


def n_steps(n_chunks: int, n_embedded: int) -> int:
    """How far a run advances: chunks embedded, chunks stored, and the searches that are timed."""
    return min(n_embedded, n_chunks) + n_chunks + (3 + len(SHARES_PCT)) * (N_QUERIES + 1)


def _load(
    bench: "Workbench",
    n: int,
    data: Path,
    n_embedded: int,
    kept: KeptVectors,
    advance: Callable[[int], None],
) -> Loaded:
    import numpy as np

    from bench.retrieval_corpus import cut_windows, fill_vectors, read_documents
    from resources.postgres import connect, run_script

    windows = cut_windows(read_documents(data), n)
    # One order for every number of real vectors: those of a smaller run are among those of a larger one.
    shuffled = Random(0).sample(windows.texts, len(windows.texts))
    real = kept.embed([text for _, text in shuffled[:n_embedded]], advance)
    vectors = fill_vectors(real, n, np.random.default_rng(0))
    with bench.db.transaction() as tx:
        index_id = int(tx.value("ensure_embedding_index", model=MODEL, dim=bench.embedder.dim))
    started = time.monotonic()
    sources = _store(bench, index_id, shuffled, vectors, advance)
    stored_s = time.monotonic() - started
    with bench.db.transaction() as tx:
        tx.execute("lift_statement_timeout")
        tx.execute("build_embedding_graph", index_id=index_id)
    run_script(connect(bench.addresses.owner, autocommit=True), "vacuum analyze")
    figures = {
        "chunks": n,
        "real_vectors": min(n_embedded, n),
        "text_used_times": windows.copies,
        "store_s": round(stored_s, 1),
        "graph_s": round(time.monotonic() - started - stored_s, 1),
    }
    return Loaded(_queries(bench, index_id, windows.texts, Random(1)), tuple(sources.items()), n, figures)


def _store(
    bench: "Workbench",
    index_id: int,
    windows: Sequence[tuple[int, str]],
    vectors: Any,
    advance: Callable[[int], None],
) -> dict[int, int]:
    """Store chunks as the product does; number of chunks by source id."""
    by_document: dict[int, list[int]] = {}
    for at, (document, _) in enumerate(windows):
        by_document.setdefault(document, []).append(at)
    sizes = {}
    for document, places in by_document.items():
        with bench.db.transaction() as tx:
            source_id = _store_source(tx, bench.project_id, document)
            sizes[source_id] = len(places)
            _store_chunks(tx, source_id, index_id, [(windows[at][1], vectors[at]) for at in places])
        advance(len(places))
    return sizes


def _store_source(tx: Any, project_id: int, document: int) -> int:
    from rejoinder.corpus.values import Cue, Transcript
    from resources.store.sources import NewSource, save_source

    read = Transcript(f"document {document}", "text", (Cue("-"),), language="en")
    new = NewSource(project_id, f"bench-{document}", read, content_hash=str(document), raw_key="-")
    return save_source(tx, new).id


def _store_chunks(tx: Any, source_id: int, index_id: int, chunks: Sequence[tuple[str, Any]]) -> None:
    from rejoinder.corpus.chunks import content_hash
    from rejoinder.corpus.values import Chunk
    from resources.steps.chunking import save_chunks
    from resources.store.embedding_indexes import keep_vectors

    values = [Chunk(i, text, content_hash(text), len(text.split())) for i, (text, _) in enumerate(chunks)]
    ids = save_chunks(tx, source_id, values, "en")
    stored = [{"id": i, "indexed_text": text} for i, (text, _) in zip(ids, chunks, strict=True)]
    keep_vectors(tx, index_id, stored, [vector for _, vector in chunks])


def _queries(
    bench: "Workbench", index_id: int, windows: Sequence[tuple[int, str]], rng: Random
) -> tuple["SearchQuery", ...]:
    """Stretches of some words out of the texts, as a post quotes what was said."""
    from resources.search import SearchQuery

    texts = []
    for _, text in rng.choices(windows, k=N_QUERIES):
        words, length = text.split(), rng.randint(*QUERY_WORDS)
        start = rng.randrange(max(1, len(words) - length))
        texts.append(" ".join(words[start : start + length]))
    vectors = bench.embedder.embed(texts)
    return tuple(
        SearchQuery(text, vector, index_id=index_id, project_id=bench.project_id)
        for text, vector in zip(texts, vectors, strict=True)
    )


def _speed(bench: "Workbench", loaded: Loaded, advance: Callable[[int], None]) -> dict[str, Any]:
    retriever = _rescoring(bench)
    fast = _milliseconds(loaded.queries, lambda asked: _search(bench, asked), advance)
    exact = _milliseconds(loaded.queries, lambda asked: _search(bench, asked, is_exact=True), advance)
    rescored = _milliseconds(loaded.queries, retriever.find, advance)
    p95, baseline = _percentile(fast, 95), _percentile(exact, 95)
    return {
        "name": "retrieval",
        "value": p95,
        "unit": "ms",
        "baseline": baseline,
        "baseline_is": "p95 of the same search with an exact scan of the vectors",
        "ratio": round(p95 / baseline, 3),
        "p50_ms": _percentile(fast, 50),
        "exact_p50_ms": _percentile(exact, 50),
        "rescored_p50_ms": _percentile(rescored, 50),
        "rescored_p95_ms": _percentile(rescored, 95),
        "rescored_by": bench.reranker.name if bench.reranker else TIMED_ONLY,
        "queries": len(loaded.queries),
    }


def _rescoring(bench: "Workbench") -> "Retriever":
    """Both stages as the product runs them: its re-scorer, or one whose weights are made up but cost the same."""
    from rejoinder.corpus.retrieval.features import FEATURES
    from rejoinder.corpus.retrieval.rescorer import LearnedReranker, Rescorer
    from resources.retrieval import Retriever

    made_up = Rescorer(FEATURES, (1.0,) * len(FEATURES), 0, 0, TIMED_ONLY, "", bench.embedder.model)
    retrieval = bench.tuning.retrieval.model_copy(update={"passages": 10})
    return Retriever(bench.db, retrieval, bench.reranker or LearnedReranker(made_up))


def _milliseconds(
    queries: Sequence["SearchQuery"],
    search: Callable[["SearchQuery"], object],
    advance: Callable[[int], None],
) -> list[float]:
    taken = []
    for asked in [queries[0], *queries]:
        started = time.perf_counter()
        search(asked)
        taken.append((time.perf_counter() - started) * 1_000)
        advance(1)
    return taken[1:]


def _search(
    bench: "Workbench", asked: "SearchQuery", *, is_exact: bool = False, **changes: Any
) -> list["Passage"]:
    from resources.search import search

    retrieval = bench.tuning.retrieval.model_copy(update={"passages": 10, **changes})
    with bench.db.transaction() as tx:
        if is_exact:
            tx.execute("scan_exactly")
        return search(tx, asked, retrieval)


def _filtered(bench: "Workbench", loaded: Loaded, advance: Callable[[int], None]) -> dict[str, Any]:
    """The same searches in sources that hold a share of the chunks."""
    figures: dict[str, Any] = {}
    for share in SHARES_PCT:
        taken = _milliseconds(_narrowed(loaded, share), lambda asked: _search(bench, asked), advance)
        figures |= {f"p{p}_ms_of_{share}_pct": _percentile(taken, p) for p in (50, 95)}
    return figures


def _narrowed(loaded: Loaded, share_pct: float) -> list["SearchQuery"]:
    ids = _sources_of(loaded, share_pct, Random(str(share_pct)))
    return [replace(asked, source_ids=ids) for asked in loaded.queries]


def _quality(bench: "Workbench", loaded: Loaded) -> dict[str, Any]:
    """Recall@10 of the vector leg, whole and filtered by sources, and what the bound on postings costs."""
    by_meaning = [replace(asked, text="") for asked in loaded.queries]
    figures: dict[str, Any] = {"recall_at_10": _recall(bench, by_meaning)}
    for share in SHARES_PCT:
        narrowed = [replace(asked, text="") for asked in _narrowed(loaded, share)]
        figures[f"recall_at_10_of_{share}_pct"] = _recall(bench, narrowed)
    kept = [
        _overlap(
            _search(bench, asked, dense_weight=0.0, max_postings=NO_LIMIT),
            _search(bench, asked, dense_weight=0.0),
        )
        for asked in loaded.queries
    ]
    return {**figures, "bm25_overlap_at_10": round(sum(kept) / len(kept), 4)}


def _recall(bench: "Workbench", queries: Sequence["SearchQuery"]) -> float:
    shares = [_overlap(_search(bench, q, is_exact=True), _search(bench, q)) for q in queries]
    return round(sum(shares) / len(shares), 4)


def _overlap(wanted: Sequence["Passage"], found: Sequence["Passage"]) -> float:
    """Share of the wanted ones that were found; equally good ones count as found."""
    if not wanted:
        return 1.0
    least = min(p.score if p.dense is None else p.dense for p in wanted)
    ids = {p.chunk_id for p in wanted}
    good = [p for p in found if p.chunk_id in ids or (p.dense or p.score) >= least - 1e-6]
    return min(1.0, len(good) / len(wanted))


def _sources_of(loaded: Loaded, share_pct: float, rng: Random) -> tuple[int, ...]:
    """Sources drawn until they hold this share of the chunks; at least one."""
    chosen: list[int] = []
    total = 0
    for source_id, size in rng.sample(loaded.sources, len(loaded.sources)):
        if chosen and total + size > loaded.n_chunks * share_pct / 100:
            continue
        chosen.append(source_id)
        total += size
    return tuple(chosen)


def _percentile(values: Sequence[float], share: float) -> float:
    import numpy as np

    return round(float(np.percentile(values, share)), 2)
