"""What may not train a model reaches no training set, run, mart or page of Dagster: its words are looked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from training_world import Bench, World, mlflow_database

from resources.embedded.cluster import Cluster
from resources.postgres import Database
from resources.queries import load_statements
from resources.settings import Settings
from resources.store.prompt_versions import ensure_prompts
from resources.training import train_on_bench
from resources.warehouse import MARTS, read_mart, refresh_marts

SENTINEL = "xyzzyplugh"
PREVIEWS = [name for name in load_statements() if name.startswith("preview_")]


@pytest.fixture
def mlflow_url(cluster: Cluster) -> Iterator[str]:
    with mlflow_database(cluster, "kept") as url:
        yield url


@pytest.fixture
def world(db: Database) -> World:
    """160 posts that may teach, and 40 that may not, each with the sentinel in all that was said or made of it."""
    made = World(db)
    for number in range(160):
        made.post(number % 2 == 0)
    for number in range(40):
        hide_in(made, made.post(number % 2 == 0, may_train=False, author=f"{SENTINEL}{number}"))
    return made


def hide_in(world: World, post: int) -> None:
    world.sql("update post set text = 'how do I compost ' || %s || id where id = %s", SENTINEL, post)
    world.review(post, "approved")
    world.sql("update draft set text = %s where post_id = %s", SENTINEL, post)
    world.sql(
        "insert into stage_decision (post_id, step, verdict, reason) values (%s, 'claims', 'fact', %s)",
        post, SENTINEL,
    )  # fmt: skip
    world.sql(
        "insert into claim (post_id, position, kind, text, check_worthiness) values (%s, 0, 'fact', %s, 0.9)",
        post, SENTINEL,
    )  # fmt: skip


def everything_in(url: str) -> str:
    """All rows of all tables of a database, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables"
            " where schemaname not in ('pg_catalog', 'information_schema')"
        ).fetchall()
        rows: list[Any] = []
        for (table,) in tables:
            rows += connection.execute(f"select t::text from {table} t").fetchall()
    return "\n".join(row for (row,) in rows)


def everything_under(home: Path) -> str:
    """The bytes of all files, and the rows of the marts."""
    files = "".join(path.read_bytes().decode("latin-1") for path in home.rglob("*") if path.is_file())
    return files + "".join(str(read_mart(home, name).rows()) for name in MARTS)


def test_not_a_word_gets_out(world: World, db: Database, mlflow_url: str, tmp_path: Path) -> None:
    bench = Bench(db, Settings(home=tmp_path), mlflow_url, world.index_id)
    with db.transaction() as tx:
        ensure_prompts(tx)
    report = train_on_bench(bench)
    refresh_marts(db, tmp_path)
    assert report["n_examples"] == 160
    tracked, written = everything_in(mlflow_url), everything_under(tmp_path)
    assert "rejoinder-relevance" in tracked and "may-False" in written, "the places were looked into"
    assert SENTINEL not in tracked
    assert SENTINEL not in written
    assert SENTINEL not in str(report)
    with db.transaction() as tx:
        shown = {name: str(tx.rows(name, top=50)) for name in PREVIEWS}
    assert "200" in shown["preview_posts"], "all posts are counted"
    assert not [name for name, text in shown.items() if SENTINEL in text], "Dagster is shown none of it"


def test_a_channel_that_may_train_from_now_on_teaches_and_one_that_may_no_more_does_not(world: World) -> None:
    assert len(world.examples()) == 160
    world.sql("update channel set policy = policy || '{\"may_train\": true}' where name = 'may-False'")
    assert len(world.examples()) == 200, "the sentinel's posts would have been good examples"
    world.sql("update channel set policy = policy || '{\"may_train\": false}'")
    assert world.examples() == {}


def test_whoever_asked_to_be_left_alone_is_not_profiled(world: World) -> None:
    world.sql("update channel set policy = policy || '{\"may_profile\": true}'")
    count = "select count(*) from profilable_post"
    assert world.sql(count) == 200
    world.sql(
        "insert into opt_out (platform, author, reason) values ('x', %s, 'stop')", f"{SENTINEL.upper()}7"
    )
    world.sql("update post set gone_at = now() where author = %s", f"{SENTINEL}8")
    assert world.sql(count) == 198
