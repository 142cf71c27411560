"""The second stage in the product: what rejoinder.toml names is loaded at start, and research and contexts use it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import resources.samples
from rejoinder.corpus.retrieval.features import FEATURES
from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.retrieval.rescorer import LearnedReranker, Rescorer, dump
from rejoinder.corpus.values import Passage
from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.asking import Question
from resources.context import context_builder
from resources.health import examine
from resources.inbox import ingest_paths
from resources.llm.minilm import MINILM
from resources.llm.onnx_embedder import OnnxEmbedder
from resources.postgres import Database
from resources.previews import recall_proxy
from resources.provision import Addresses
from resources.retrieval import Retriever, configured_reranker
from resources.search import SearchQuery
from resources.searching import find_passages
from resources.settings import Settings, load_settings
from resources.store.channels import save_channel
from resources.store.posts import insert_post
from resources.tuning import Retrieval, Tuning, load_tuning
from resources.wiring import asking, run_step
from resources.work.stopping import StopSignal
from resources.workbench import Workbench, open_workbench

EPISODES = Path(resources.samples.__file__).parent / "episodes"
CLAIM = "Syncing my folder to the cloud is a backup, I never need to test a restore. @rejoinder"
BY_HAND = Rescorer(FEATURES, (1.0,) + (0.0,) * (len(FEATURES) - 1), 1, 1, "by hand", "h" * 64, MINILM.uri)


@dataclass
class LastFirst:
    """Turns the order round, and remembers what it was asked."""

    asked: list[tuple[str, int, frozenset[str]]] = field(default_factory=list)
    name: str = "last-first"

    def score(self, query: str, passages: Sequence[Passage], *, rarity: Mapping[str, float]) -> list[float]:
        self.asked.append((query, len(passages), frozenset(rarity)))
        return [float(place) for place in range(len(passages))]


@pytest.fixture
def bench(db: Database, addresses: Addresses, tmp_path: Path) -> Workbench:
    """Every sample episode, searchable."""
    embedder = OnnxEmbedder()
    with db.transaction() as tx:
        index_id = tx.value("ensure_embedding_index", model=embedder.model, dim=embedder.dim)
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
    made = Workbench(Settings(home=tmp_path), Tuning(), addresses, db, embedder, index_id, project_id)
    ingest_paths(made, [EPISODES])
    for step in ("chunk", "embed_chunks"):
        assert run_step(made, step, stop=StopSignal()).errors == {}
    return made


def question(bench: Workbench, text: str = "Do I need to restore a backup to test it?") -> SearchQuery:
    vector = bench.embedder.embed([text], "query")[0]
    return SearchQuery(text, vector, index_id=bench.index_id, project_id=bench.project_id)


def test_the_second_stage_orders_more_than_is_kept(bench: Workbench) -> None:
    asked, last_first = question(bench), LastFirst()
    wide = Retriever(bench.db, Retrieval(passages=9)).find(asked)
    assert [p.fused_rank for p in wide.passages] == [*range(1, 10)]
    found = Retriever(bench.db, Retrieval(passages=2, rescored=9), last_first).find(asked)
    assert found.passages == wide.passages[:6:-1]
    assert found.rarity == wide.rarity and set(found.rarity) >= {"backup", "restor"}
    assert last_first.asked == [(asked.text, 9, frozenset(found.rarity))]


def test_what_the_second_stage_does_not_look_at_stays_behind(bench: Workbench) -> None:
    found = Retriever(bench.db, Retrieval(passages=6, rescored=3), LastFirst()).find(question(bench))
    assert [p.fused_rank for p in found.passages] == [3, 2, 1, 4, 5, 6]


def test_contexts_and_answers_come_in_the_second_stages_order(bench: Workbench) -> None:
    asked, last_first = question(bench), LastFirst()
    count = bench.embedder.count_tokens
    small = bench.tuning.context.model_copy(update={"evidence_tokens": 300})
    tuning = bench.tuning.model_copy(update={"context": small, "retrieval": Retrieval(rescored=20)})
    plain = context_builder(bench.db, tuning, count).build(asked).context.evidence
    turned = context_builder(bench.db, tuning, count, last_first).build(asked).context.evidence
    assert plain and turned and plain != turned
    assert [n for _, n, _ in last_first.asked] == [20]
    assert asking(replace(bench, reranker=last_first)).contexts.retriever.reranker is last_first


def hear(bench: Workbench) -> None:
    with bench.db.transaction() as tx:
        channel_id = save_channel(
            tx,
            project_id=bench.project_id,
            name="rehearsal",
            platform="x",
            account="@Rejoinder",
            base_url=None,
            is_sandbox=True,
            policy=default_policy("sandbox/x/self_serve"),
        )
        post = Post(
            platform="x",
            platform_post_id="1001",
            text=CLAIM,
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
            author="sceptic",
            mentions=("rejoinder",),
        )
        insert_post(tx, channel_id, post, is_summoned=True, priority=1)


def evidence_ranks(bench: Workbench) -> list[dict[str, int | None]]:
    with bench.db.transaction() as tx:
        rows = tx.connection.execute("select dense_rank, lexical_rank, fused_rank, final_rank from evidence")
        return [dict(row) for row in rows.fetchall()]


@pytest.mark.parametrize("is_turned", [False, True])
def test_research_keeps_where_a_quotes_passage_stood(bench: Workbench, is_turned: bool) -> None:
    n = 6
    tuning = Tuning(retrieval=Retrieval(passages=n, rescored=n))
    bench = replace(bench, tuning=tuning, reranker=LastFirst() if is_turned else None)
    hear(bench)
    for step in ("embed_posts", "relevance", "claims", "evidence"):
        assert run_step(bench, step, stop=StopSignal()).errors == {}
    rows = evidence_ranks(bench)
    assert rows
    for row in rows:
        fused, final = row["fused_rank"], row["final_rank"]
        assert fused is not None and 1 <= fused <= n
        assert final == (n + 1 - fused if is_turned else fused)
        assert row["dense_rank"] is not None
    proxy = recall_proxy(bench.db, k=n)
    assert (proxy["recall_proxy_quotes"], proxy["recall_proxy_fused"]) == (len(rows), 1.0)


def test_the_proxy_counts_shares_of_the_newest_quotes(bench: Workbench) -> None:
    hear(bench)
    assert recall_proxy(bench.db, k=6) == {"recall_proxy_quotes": 0, "recall_proxy_k": 6}
    with bench.db.transaction() as tx:
        post = tx.connection.execute("select id from post").fetchone()
        chunk = tx.connection.execute("select id from chunk limit 1").fetchone()
        assert post and chunk
        claim_id = tx.value(
            "insert_claim", post_id=post["id"], position=0, kind="claim", text="t", check_worthiness=1
        )
        # final, fused, meaning, words; the oldest is left out below, one without ranks always.
        for ranks in [(1, 1, 1, 1), (1, 9, 2, None), (3, 3, 6, 7), (4, 2, 40, 1), (None, None, None, None)]:
            names = ("final_rank", "fused_rank", "dense_rank", "lexical_rank")
            tx.execute(
                "insert_evidence",
                post_id=post["id"],
                claim_id=claim_id,
                chunk_id=chunk["id"],
                quote="q",
                start_s=None,
                speaker=None,
                score=1,
                verdict="related",
                **dict(zip(names, ranks, strict=True)),
            )
    shares = recall_proxy(bench.db, k=6, newest=3)
    assert shares == {
        "recall_proxy_quotes": 3,
        "recall_proxy_k": 6,
        "recall_proxy_first_1": 0.3333,
        "recall_proxy_first_3": 0.6667,
        "recall_proxy_fused": 0.6667,
        "recall_proxy_meaning": 0.6667,
        "recall_proxy_words": 0.3333,
    }


def test_a_rescorer_waits_until_its_own_models_vectors_are_searched(bench: Workbench) -> None:
    learned = LearnedReranker(replace(BY_HAND, embedding_model="x::other"))
    assert replace(bench, reranker=learned).retriever.reranker is None
    assert asking(replace(bench, reranker=learned)).contexts.retriever.reranker is None
    learned = LearnedReranker(BY_HAND)
    assert replace(bench, reranker=learned).retriever.reranker is learned


def test_a_search_for_passages_waits_for_them_as_well(bench: Workbench) -> None:
    def found(reranker: Reranker | None) -> list[int]:
        passages = find_passages(replace(bench, reranker=reranker), Question("backup"), 6)
        return [one.passage.chunk_id for one in passages]

    turning = replace(BY_HAND, weights=tuple(-weight for weight in BY_HAND.weights))
    assert found(LearnedReranker(turning)) != found(None)
    assert found(LearnedReranker(replace(turning, embedding_model="x::other"))) == found(None)


def test_off_is_no_second_stage() -> None:
    assert configured_reranker(Retrieval(), MINILM.uri) is None


def test_a_stored_rescorer_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(dump(BY_HAND))
    config = tmp_path / "rejoinder.toml"
    config.write_text("retrieval.rescorer = 'r.json'")
    named = load_tuning(Settings(config=config)).retrieval
    assert configured_reranker(named, MINILM.uri) == LearnedReranker(BY_HAND)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be read: No such file"),
        (b"\x80\x04pickle", "is not a stored re-scorer"),
        (dump(replace(BY_HAND, features=("other",), weights=(1.0,))), "train it again"),
        (dump(replace(BY_HAND, embedding_model="x::other")), f"learned with x::other, not with {MINILM.uri}"),
    ],
)
def test_one_that_cannot_be_used_stops_the_start_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, reason: str
) -> None:
    path, home = tmp_path / "r.json", tmp_path / "home"
    if content is not None:
        path.write_bytes(content)
    config = tmp_path / "rejoinder.toml"
    config.write_text("retrieval.rescorer = 'r.json'")
    with pytest.raises(ConfigInvalid, match=r"retrieval\.rescorer: ") as raised:
        open_workbench(Settings(home=home, config=config))
    assert reason in str(raised.value) and str(path) in str(raised.value)
    assert "--save-rescorer" in (raised.value.fix or "")
    assert not home.exists()
    monkeypatch.setenv("REJOINDER_CONFIG", str(config))
    load_settings.cache_clear()
    finding = next(f for f in examine() if f.check == "rejoinder.toml")
    assert (finding.verdict, reason in finding.detail) == ("fail", True)
