"""Training on a real Postgres: who may teach, when a model becomes champion, same data no new run."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from psycopg.types.json import Jsonb
from training_world import Bench, World, mlflow_database, unit

from rejoinder.triage.classifier import load
from rejoinder.triage.features import PLAIN_FEATURES
from resources.embedded.cluster import Cluster
from resources.postgres import Database
from resources.settings import Settings
from resources.steps.triage import Judged, classifier_input, nearest_similarities
from resources.store.posts import load_posts
from resources.store.prompt_versions import ensure_prompts
from resources.tracking import Tracker
from resources.tracking_values import RELEVANCE_MODEL, Champions
from resources.training import copy_champions, train_on_bench, train_relevance
from resources.wiring import champion


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


@pytest.fixture
def mlflow_url(cluster: Cluster) -> Iterator[str]:
    with mlflow_database(cluster, "training") as url:
        yield url


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
