"""A corpus about one topic, posts near it or far from it, and MLflow's database: what trainings are tested on."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from psycopg.types.json import Jsonb
from sqlalchemy.engine import make_url

from rejoinder.triage.weak_labels import LabelRule
from resources.embedded.cluster import Cluster
from resources.postgres import Database
from resources.provision import connect_admin, prepare
from resources.queries import vectors_of
from resources.settings import Settings
from resources.store.training_examples import collect_examples

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
        self.person = self.on_record(
            "person",
            "insert into person (name, display_name, role, password_hash)"
            " values ('ana', 'Ana', 'approver', 'x') returning id, null::bigint as by",
        )
        self.robot = self.on_record(
            "person",
            "insert into person (name, display_name, role, is_simulated)"
            " values ('robot', 'R', 'approver', true) returning id, null::bigint as by",
        )
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

    def on_record(self, of_type: str, text: str, *values: Any) -> Any:
        """Run an insert that gives id and by, and write the row of the audit that the database asks for with it."""
        return self.sql(
            f"with made as ({text}) insert into audit_event (actor, action, entity_type, entity_id, person_id)"
            f" select 'world', 'make', '{of_type}', id, by from made returning entity_id",
            *values,
        )

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
        self.on_record(
            "post",
            "insert into review (post_id, draft_id, reviewer_id, decision, reason, is_simulated)"
            " values (%s, %s, %s, %s, nullif(%s, ''), %s) returning post_id as id, reviewer_id as by",
            post, draft, self.robot if simulated else self.person, decision, reason or "", simulated,
        )  # fmt: skip

    def examples(self) -> dict[str, Any]:
        with self.db.transaction() as tx:
            found = collect_examples(tx, index_id=None, rule=LabelRule())
        return {e.post_key: e for e in found}


class Bench:
    """What train_on_bench reads of a workbench."""

    def __init__(self, db: Database, settings: Settings, mlflow: str, index_id: int) -> None:
        self.db, self.settings, self.index_id = db, settings, index_id
        self.addresses = type("Addresses", (), {"mlflow": mlflow})()


@contextmanager
def mlflow_database(cluster: Cluster, purpose: str) -> Iterator[str]:
    """The URL of a database of its own for MLflow, dropped at the end."""
    name = f"mlflow_{purpose}_{os.getpid()}"
    url = make_url(prepare(Settings(home=cluster.home)).mlflow)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" owner "{url.username}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')
