"""The harness on a small corpus of our own: every system answers, the figures are those of the rankings."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.corpus.retrieval.features import FEATURES
from rejoinder.corpus.retrieval.metrics import ndcg
from rejoinder.corpus.retrieval.rescorer import LearnedReranker, Rescorer, load
from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Role, Vectors
from rejoinder.text.terms import index_terms
from resources.evaluation.beir import load_beir
from resources.evaluation.engine import store_task
from resources.evaluation.meetings import load_meetings
from resources.evaluation.peers import rank_densely, rank_with_bm25s
from resources.evaluation.retrieval import Systems, embed_passages, evaluate_retrieval
from resources.evaluation.task import Task, document_task, meeting_task
from resources.postgres import Database
from resources.tuning import Retrieval

SUBJECTS = ("compost heaps", "heat pumps", "bread ovens", "tide tables", "beehive boxes", "bicycle chains")
ASPECTS = (
    "need cleaning in spring",
    "last for twenty years",
    "cost more than they save",
    "are built of wood",
)


class WordEmbedder:
    """Texts with the same stems have near vectors; each stem points in a direction of its own."""

    model = "test::words"
    dim = 384

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def _vector(self, text: str) -> Vectors:
        seeds = (int(hashlib.sha256(t.encode()).hexdigest()[:8], 16) for t in index_terms(text) or ["none"])
        total = sum(np.random.default_rng(seed).normal(size=self.dim) for seed in seeds)
        return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty-four documents; each is asked for once in train and once, in other words, in test."""
    pairs = [(s, a) for s in SUBJECTS for a in ASPECTS]
    documents = [
        {"_id": f"d{i}", "title": s.title(), "text": f"Some say {s} {a}."} for i, (s, a) in enumerate(pairs)
    ]
    asked = [{"_id": f"tr{i}", "text": f"do {s} {a}?"} for i, (s, a) in enumerate(pairs)]
    asked += [{"_id": f"te{i}", "text": f"{a}: {s}"} for i, (s, a) in enumerate(pairs)]
    root = tmp_path / "tiny"
    (root / "qrels").mkdir(parents=True)
    (root / "corpus.jsonl").write_text("\n".join(map(json.dumps, documents)))
    (root / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)))
    for split, start in (("train", "tr"), ("test", "te")):
        rows = [f"{start}{i}\td{i}\t1" for i in range(len(pairs))]
        (root / "qrels" / f"{split}.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *rows]))
    return root


def task_of(folder: Path, split: str) -> Task:
    return document_task(load_beir(folder, split=split), count_tokens=WordEmbedder().count_tokens)


def test_every_system_answers_and_the_figures_are_those_of_the_rankings(db: Database, folder: Path) -> None:
    told: dict[str, int] = {}

    def progress(stage: str, n: int) -> None:
        told[stage] = told.get(stage, 0) + n

    systems = Systems(with_bm25s=True, train=task_of(folder, "train"))
    task = task_of(folder, "test")
    report = evaluate_retrieval(
        task, WordEmbedder(), Retrieval(candidates=20, rescored=10), systems, db=db, progress=progress
    )
    rows = {row.system: row for row in report.systems}
    assert list(rows) == [
        "bm25s", "exact dense", "engine: words", "engine: meaning", "engine: fused", "engine: re-scored",
    ]  # fmt: skip
    assert told == {"embed": 24, "store": 24, "learn": 24, "ask": 24}
    assert all(row.figures["ndcg@10"].mean > 0.9 for row in rows.values())
    assert set(rows["engine: re-scored"].gains) == {"engine: fused", "bm25s"}
    assert set(rows["engine: re-scored"].latency) == {"embed_ms", "search_ms", "rerank_ms", "total_ms"}
    assert report.settings["rescorer.trained_on"] == "tiny/train"
    assert (report.n_questions, report.n_passages) == (24, 24)


def test_our_legs_rank_as_the_peers_do(db: Database, folder: Path) -> None:
    task, embedder = task_of(folder, "test"), WordEmbedder()
    vectors = embed_passages(task, embedder, lambda _stage, _n: None)
    retrieval = Retrieval(candidates=24, passages=48)
    engine = store_task(db, task, embedder, vectors, retrieval, progress=lambda _n: None)
    dense = rank_densely(task, vectors, embedder.embed([a.text for a in task.questions], "query"))
    words = rank_with_bm25s(task)
    for asked in task.questions:
        answer = engine.search(asked)
        assert engine.leg(answer, "dense").keys[0] == dense[asked.key].keys[0]
        assert engine.leg(answer, "lexical").keys[0] == words[asked.key].keys[0]
        gains = {key: task.gains(asked.key, key) for key in task.passages}
        assert task.judge(asked.key, engine.keys(answer.found.passages))["ndcg@10"] == ndcg(
            engine.keys(answer.found.passages), gains
        )


def test_a_question_is_looked_for_within_its_meeting_only(db: Database, tmp_path: Path) -> None:
    turns = [{"speaker": "A", "content": f"The cost of {s} is high ."} for s in SUBJECTS]
    query = {"query": "What is the cost of heat pumps?", "relevant_text_span": [["1", "1"]]}
    row = {"meeting_transcripts": turns, "specific_query_list": [query]}
    path = tmp_path / "val.jsonl"
    path.write_text("\n".join([json.dumps(row)] * 2))
    task = meeting_task(load_meetings(path), split="all", count_tokens=lambda text: 12 * len(text.split()))
    report = evaluate_retrieval(task, WordEmbedder(), Retrieval(candidates=20), Systems(), db=db)
    assert report.headline == "turn_recall@10"
    assert all(row.figures["turn_recall@10"].mean == 1.0 for row in report.systems)


def test_a_rescorer_is_not_judged_on_what_it_learned_from(db: Database, folder: Path) -> None:
    task = task_of(folder, "train")
    with pytest.raises(ConfigInvalid, match="learned from: 24 are in both"):
        evaluate_retrieval(task, WordEmbedder(), Retrieval(), Systems(train=task), db=db)


def by_hand(trained_on: str) -> LearnedReranker:
    weights = tuple(float(name == "dense") for name in FEATURES)
    return LearnedReranker(Rescorer(FEATURES, weights, 1, 1, trained_on, "h" * 64, "test::words"))


def test_a_configured_rescorer_runs_as_the_second_stage(db: Database, folder: Path) -> None:
    task = task_of(folder, "test")
    systems = Systems(with_bm25s=False, configured=by_hand("tiny/train"))
    report = evaluate_retrieval(task, WordEmbedder(), Retrieval(candidates=24), systems, db=db)
    rows = {row.system: row for row in report.systems}
    # It orders by cosine alone.
    assert rows["engine: re-scored"].figures["mrr"].mean == rows["engine: meaning"].figures["mrr"].mean
    assert report.settings["rescorer"] == "linear:hhhhhhhhhhhh"


@pytest.mark.parametrize(
    ("learned_from", "split"), [("tiny/test", "test"), ("tiny/all", "test"), ("tiny/x", "all")]
)
def test_a_configured_rescorer_is_not_judged_on_what_it_learned_from(
    db: Database, folder: Path, learned_from: str, split: str
) -> None:
    task = replace(task_of(folder, "test"), split=split)
    with pytest.raises(ConfigInvalid, match="may not be judged"):
        evaluate_retrieval(
            task, WordEmbedder(), Retrieval(), Systems(configured=by_hand(learned_from)), db=db
        )


def test_a_folder_that_is_not_there_is_told_with_exit_code_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(build_app(), ["eval", "retrieval", "--data", str(tmp_path / "no"), "--json"])
    assert done.exit_code == 2
    assert "neither a folder nor a .jsonl file" in json.loads(done.stdout)["error"]


def test_the_command_on_a_database_of_its_own(folder: Path, tmp_path: Path) -> None:
    saved = tmp_path / "rescorer.json"
    options = [
        "--data",
        str(folder),
        "--rescorer",
        "train",
        "--save-rescorer",
        str(saved),
        "--no-track",
        "--json",
    ]
    done = CliRunner().invoke(build_app(), ["eval", "retrieval", *options])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["benchmark"] == "tiny"
    assert report["systems"][-1]["system"] == "engine: re-scored"
    assert report["systems"][-1]["figures"]["ndcg@10"]["n"] == 24
    kept = load(saved.read_bytes())
    assert kept.n_queries > 0
    assert kept.embedding_model == "onnx::all-MiniLM-L6-v2-int8"


def test_a_model_that_was_not_asked_for_is_not_saved(folder: Path, tmp_path: Path) -> None:
    options = ["--data", str(folder), "--save-rescorer", str(tmp_path / "r.json"), "--json"]
    done = CliRunner().invoke(build_app(), ["eval", "retrieval", *options])
    assert (done.exit_code, "no re-scorer" in done.stdout) == (2, True)
