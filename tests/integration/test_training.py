"""Training on a real Postgres: who may teach, when a model becomes champion, same data no new run."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url

from rejoinder.triage.classifier import load
from rejoinder.triage.features import PLAIN_FEATURES
from rejoinder.triage.weak_labels import LabelRule
from resources.embedded.cluster import Cluster
from resources.postgres import Database
from resources.provision import connect_admin, prepare
from resources.queries import vectors_of
from resources.settings import Settings
from resources.steps.triage import Judged, classifier_input, nearest_similarities
from resources.store.posts import load_posts
from resources.store.prompt_versions import ensure_prompts
from resources.store.training_examples import collect_examples
from resources.tracking import Tracker
from resources.tracking_values import RELEVANCE_MODEL, Champions
from resources.training import copy_champions, train_on_bench, train_relevance
from resources.wiring import champion

DIM = 384
TOPIC = np.eye(DIM)[0]


def unit(rng: np.random.Generator, nearness: float) -> np.ndarray:
    """A random direction at this cosine to the topic."""
    noise = rng.normal(size=DIM)
    noise -= noise @ TOPIC * TOPIC
    return (nearness * TOPIC + np.sqrt(1 - nearness**2) * noise / np.linalg.norm(noise)).astype(np.float32)


class World:
    """A corpus about one topic and posts near it or far from it."""

    def __init__(self, db: Database) -> None:
        self.db, self.rng, self.n = db, np.random.default_rng(0), 0
        with db.transaction() as tx:
            creator = tx.value("ensure_creator", name="c")
            self.project = tx.value("ensure_project", creator_id=creator, name="p")
            self.index_id = tx.value("ensure_embedding_index", model="test::m", dim=DIM)
        self.corpus()
        self.channels = {may: self.channel(f"may-{may}", may) for may in (True, False)}
        self.person = self.sql("insert into person (name, display_name, role, password_hash)"
                               " values ('ana', 'Ana', 'approver', 'x') returning id")  # fmt: skip
        self.robot = self.sql("insert into person (name, display_name, role, is_simulated)"
                              " values ('robot', 'R', 'approver', true) returning id")  # fmt: skip
        self.sql("insert into prompt_version values ('aaaaaaaaaaaa', 'reply', 'reply.v1', 'b')")

    def corpus(self) -> None:
        source = self.sql(
            "insert into source (project_id, name, title, format, content_hash, step, status)"
            " values (%s, 's', 't', 'vtt', 'h', 'ready', 'completed') returning id",
            self.project,
        )
        self.sql("insert into keyword (source_id, term, score) values (%s, 'compost', 1)", source)
        for i in range(3):
            chunk = self.sql(
                "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
                " values (%s, %s, 'h', 'x', 1, 1) returning id",
                source,
                i,
            )
            vector = TOPIC.astype(np.float32)
            with self.db.transaction() as tx:
                tx.execute(
                    "insert_chunk_embedding",
                    vectors=vectors_of(self.index_id),
                    chunk_id=chunk,
                    indexed_text="x",
                    embedding=vector,
                )

    def sql(self, text: str, *values: Any) -> Any:
        with self.db.transaction() as tx:
            cursor = tx.connection.execute(text, values)  # type: ignore[call-overload]
            return next(iter(cursor.fetchone().values())) if cursor.description else None

    def channel(self, name: str, may_train: bool) -> int:
        return int(self.sql(
            "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
            " values (%s, %s, 'x', 'us', true, %s) returning id",
            self.project, name, Jsonb({"may_train": may_train}),
        ))  # fmt: skip

    def post(self, relevant: bool, *, may_train: bool = True, author: str | None = None) -> int:
        self.n += 1
        text = f"how do I compost number {self.n}" if relevant else f"the match number {self.n} was long"
        post = self.sql(
            "insert into post (channel_id, platform, platform_post_id, author, text, created_at)"
            " values (%s, 'x', %s, nullif(%s, ''), %s, now()) returning id",
            self.channels[may_train], f"p{self.n}", author or "", text,
        )  # fmt: skip
        with self.db.transaction() as tx:
            nearness = self.rng.uniform(0.6, 0.9) if relevant else self.rng.uniform(-0.1, 0.1)
            tx.execute("save_post_embedding", post_id=post, index_id=self.index_id,
                       embedding=unit(self.rng, nearness))  # fmt: skip
        return int(post)

    def review(self, post: int, decision: str, reason: str | None = None, *, simulated: bool = False) -> None:
        draft = self.sql(
            "insert into draft (post_id, version, text, strategy, model, prompt_version)"
            " values (%s, 1, 't', 's', 'm', 'aaaaaaaaaaaa')"
            " on conflict (post_id, version) do update set text = 't' returning id", post,
        )  # fmt: skip
        self.sql(
            "insert into review (post_id, draft_id, reviewer_id, decision, reason, is_simulated)"
            " values (%s, %s, %s, %s, nullif(%s, ''), %s) returning id",
            post, draft, self.robot if simulated else self.person, decision, reason or "", simulated,
        )  # fmt: skip

    def examples(self) -> dict[str, Any]:
        with self.db.transaction() as tx:
            found = collect_examples(tx, index_id=None, rule=LabelRule())
        return {e.post_key: e for e in found}


@pytest.fixture
def world(db: Database) -> World:
    return World(db)


@pytest.fixture
def trained_world(world: World) -> World:
    for i in range(160):
        world.post(i % 2 == 0)
    return world


def test_only_channels_that_may_train_enter(world: World) -> None:
    allowed, forbidden = world.post(True), world.post(True, may_train=False)
    world.review(forbidden, "approved")
    assert list(world.examples()) == [f"x:p{1}"] and allowed
    unclear = world.channel("no-word-on-training", True)
    world.sql("update channel set policy = '{}' where id = %s", unclear)
    world.channels[True] = unclear
    world.post(True)
    assert list(world.examples()) == ["x:p1"]


def test_withdrawn_posts_and_authors_who_opted_out_do_not_enter(world: World) -> None:
    world.post(True, author="gone")
    withdrawn, kept = world.post(True), world.post(True, author="here")
    world.sql("insert into opt_out (platform, author, reason) values ('x', 'gone', 'asked')")
    world.sql("update post set status = 'withdrawn' where id = %s", withdrawn)
    assert list(world.examples()) == ["x:p3"] and kept


def test_a_person_outweighs_the_rule_and_a_simulated_reviewer_does_not_count(world: World) -> None:
    approved, off_topic, tone, simulated = (
        world.post(False),
        world.post(True),
        world.post(True),
        world.post(True),
    )
    world.review(approved, "approved")
    world.review(off_topic, "rejected", "off_topic")
    world.review(tone, "rejected", "tone")
    world.review(simulated, "rejected", "off_topic", simulated=True)
    labels = {key: (e.label.is_relevant, e.label.source) for key, e in world.examples().items()}
    assert labels == {
        "x:p1": (True, "review"),
        "x:p2": (False, "review"),
        "x:p3": (True, "weak"),
        "x:p4": (True, "weak"),
    }


def test_a_post_in_the_middle_has_no_label(world: World, db: Database) -> None:
    post = world.post(True)
    with db.transaction() as tx:
        tx.execute(
            "save_post_embedding", post_id=post, index_id=world.index_id, embedding=unit(world.rng, 0.3)
        )
    assert world.examples() == {}


def test_features_are_those_that_triage_uses(world: World, db: Database) -> None:
    ids = [world.post(True), world.post(False)]
    with db.transaction() as tx:
        posts = load_posts(tx, ids, world.index_id)
        where = {"index_id": world.index_id, "project_id": world.project}
        judged = [Judged(p, nearest_similarities(tx, p.vector, **where), None) for p in posts]
    used = classifier_input(judged, ["compost"])
    examples = world.examples()
    assert np.stack([examples["x:p1"].x, examples["x:p2"].x]) == pytest.approx(used, abs=1e-6)


def test_too_few_examples_are_said_and_nothing_is_kept(world: World, db: Database) -> None:
    for i in range(20):
        world.post(i % 2 == 0)
    report = train_relevance(db, None)
    assert report.outcome == "too_few" and "10 posts are labelled relevant" in report.reason
    assert "similarity floor" in report.reason and champion(db) == (None, None)
    assert train_relevance(db, None).model_version_id is None


def test_the_first_model_is_champion_and_the_same_data_changes_nothing(
    trained_world: World, db: Database
) -> None:
    first = train_relevance(db, None)
    assert first.outcome == "champion" and first.n_examples == 160
    assert first.metrics["labels_from"] == "weak" and first.metrics["roc_auc"] > 0.9
    model_id, classifier = champion(db, "test::m")
    assert champion(db, "test::another") == (None, None), "it cannot read another model's vectors"
    assert model_id == first.model_version_id and classifier is not None
    assert min(classifier.columns) == 3, "the rule's own features are withheld while labels are weak"
    again = train_relevance(db, None)
    assert (again.outcome, again.model_version_id) == ("unchanged", model_id)


def test_newer_is_not_better(trained_world: World, db: Database) -> None:
    first = train_relevance(db, None)
    for i in range(10):
        trained_world.post(i % 2 == 0)
    second = train_relevance(db, None)
    assert second.outcome == "challenger" and "not shown to be better" in second.reason
    assert champion(db)[0] == first.model_version_id
    stored = trained_world.sql(
        "select metrics #>> '{verdict,reason}' from model_version where not is_champion"
    )
    assert stored == second.reason


def test_a_model_shown_to_be_better_takes_over(trained_world: World, db: Database) -> None:
    first = train_relevance(db, None)
    # The champion is turned round: it now ranks relevant posts last.
    trained_world.sql(
        "update model_version set parameters = jsonb_set(parameters, '{weights}',"
        " (select jsonb_agg(-w::float8) from jsonb_array_elements(parameters -> 'weights') w))"
    )
    for i in range(10):
        trained_world.post(i % 2 == 0)
    second = train_relevance(db, None)
    assert second.outcome == "champion" and second.metrics["verdict"]["comparison"]["low"] > 0
    assert champion(db)[0] == second.model_version_id != first.model_version_id


def test_a_champion_of_another_embedding_is_replaced(trained_world: World, db: Database) -> None:
    train_relevance(db, None)
    wide = len(PLAIN_FEATURES) + 512
    trained_world.sql(
        "update model_version set parameters = jsonb_set(parameters, '{n_features}', %s)", Jsonb(wide)
    )
    trained_world.post(True)
    report = train_relevance(db, None)
    assert report.outcome == "champion" and "other features" in report.reason


def test_copying_champions_from_mlflow(trained_world: World, db: Database) -> None:
    train_relevance(db, None)
    trained_world.post(True)
    train_relevance(db, None)
    trained_world.sql(
        "update model_version set mlflow_run_id = case when is_champion then 'run1' else 'run2' end"
    )

    def crowned() -> list[str]:
        with db.transaction() as tx:
            rows = tx.connection.execute(
                "select mlflow_run_id as name from model_version where is_champion order by 1"
            ).fetchall()
        return [row["name"] for row in rows]

    asked = Champions({RELEVANCE_MODEL: "run2"}, {})
    assert copy_champions(db, asked) == 2 and crowned() == ["run2"]
    assert copy_champions(db, asked) == 0
    assert copy_champions(db, Champions({RELEVANCE_MODEL: "elsewhere"}, {})) == 0
    assert crowned() == ["run2"]


class Bench:
    """What train_on_bench reads of a workbench."""

    def __init__(self, db: Database, settings: Settings, mlflow: str, index_id: int) -> None:
        self.db, self.settings, self.index_id = db, settings, index_id
        self.addresses = type("Addresses", (), {"mlflow": mlflow})()


@pytest.fixture
def mlflow_url(cluster: Cluster) -> Iterator[str]:
    name = f"mlflow_training_{os.getpid()}"
    url = make_url(prepare(Settings(home=cluster.home)).mlflow)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" owner "{url.username}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')


def test_a_training_and_its_run_name_each_other(
    trained_world: World, db: Database, mlflow_url: str, tmp_path: Path
) -> None:
    bench = Bench(db, Settings(home=tmp_path), mlflow_url, trained_world.index_id)
    with db.transaction() as tx:
        ensure_prompts(tx)
    report = train_on_bench(bench)  # type: ignore[arg-type]
    json.dumps(report)
    run_id = trained_world.sql("select mlflow_run_id from model_version where is_champion")
    assert run_id == report["mlflow_run_id"]
    champions = Tracker(mlflow_url, tmp_path).read_champions()
    assert champions.models == {RELEVANCE_MODEL: run_id} and "reply" in champions.prompts
    assert copy_champions(db, champions) == 0
    stored = next(tmp_path.rglob("coefficients.json")).read_bytes()
    assert load(stored) == champion(db)[1]
    assert train_on_bench(bench)["outcome"] == "unchanged"  # type: ignore[arg-type]
