"""Every named statement plans against the migrated schema, and the hot ones use their index."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import psycopg
import pytest

from resources.embedded.cluster import Cluster
from resources.postgres import connect
from resources.provision import prepare
from resources.queries import load_statements, query, vectors_of
from resources.settings import Settings

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
CASES = [
    (statement.name, table)
    for statement in load_statements().values()
    for table in (statement.tables or (None,))
]
VECTOR_SEARCHES = [name for name, s in load_statements().items() if "<=>" in s.text and s.reads_vectors]


@pytest.fixture(scope="module")
def schema(cluster: Cluster) -> Iterator[psycopg.Connection[Any]]:
    """The migrated schema itself: explaining changes nothing, so one connection serves all statements."""
    connection = connect(prepare(Settings(home=cluster.home)).owner)
    with connection.transaction(force_rollback=True):
        yield connection
    connection.close()


@pytest.fixture(scope="module")
def vectors(schema: psycopg.Connection[Any]) -> str:
    """The table of an embedding index."""
    row = schema.execute("select ensure_embedding_index('explain', 384) as id").fetchone()
    return vectors_of(row["id"])


@pytest.fixture
def connection(schema: psycopg.Connection[Any], vectors: str) -> Iterator[psycopg.Connection[Any]]:
    with schema.transaction(force_rollback=True):
        yield schema


def numbered(text: str) -> str:
    """The statement as PostgreSQL gets it: each named parameter is $1, $2, ... in order of first sight.

    Psycopg sends times with their type and leaves most others to the server, so this does the same.
    """
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        is_time = found[1] == "now" or found[1].endswith("_at")
        return f"${names.index(found[1]) + 1}" + ("::timestamptz" if is_time else "")

    return PLACEHOLDER.sub(number, text).replace("%%", "%")


def plan_of(
    connection: psycopg.Connection[Any], name: str, table: str | None = None, vectors: str | None = None
) -> dict[str, Any]:
    text = numbered(query(name, table=table, vectors=vectors).as_string(connection))
    row = connection.execute(f"explain (generic_plan, format json) {text}").fetchone()  # type: ignore[call-overload]
    plan = row["QUERY PLAN"]
    return dict((json.loads(plan) if isinstance(plan, str) else plan)[0])


def indexes_in(plan: Any) -> set[str]:
    if isinstance(plan, list):
        return set().union(*map(indexes_in, plan)) if plan else set()
    if isinstance(plan, dict):
        own = {plan["Index Name"]} if "Index Name" in plan else set()
        return own.union(*map(indexes_in, plan.values()))
    return set()


@pytest.mark.parametrize(("name", "table"), CASES, ids=[f"{n}-{t}" if t else n for n, t in CASES])
def test_the_statement_plans(
    connection: psycopg.Connection[Any], vectors: str, name: str, table: str | None
) -> None:
    assert "Plan" in plan_of(connection, name, table, vectors)


def test_a_statement_with_a_wrong_column_does_not_plan(connection: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.UndefinedColumn), connection.transaction():
        connection.execute("explain (generic_plan) select no_such_column from post")


@pytest.mark.parametrize("table", ["post", "source", "measurement"])
def test_a_claim_uses_the_index_of_what_is_due(connection: psycopg.Connection[Any], table: str) -> None:
    connection.execute("set local enable_seqscan = off")
    assert f"{table}_due" in indexes_in(plan_of(connection, "claim_items", table))


def test_the_next_publication_comes_from_its_index(connection: psycopg.Connection[Any]) -> None:
    connection.execute("set local enable_seqscan = off")
    assert "publication_planned" in indexes_in(plan_of(connection, "next_queued_publication"))


# How search_passages reads vectors hangs on its values: see the crowd below.
@pytest.mark.parametrize("name", [name for name in VECTOR_SEARCHES if name != "search_passages"])
def test_vector_search_uses_its_graph(connection: psycopg.Connection[Any], vectors: str, name: str) -> None:
    # With a filter, a handful of rows is best sorted: the planner is to prefer the graph where it may not.
    connection.execute("set local enable_seqscan = off")
    connection.execute("set local enable_sort = off")
    assert f"{vectors}_hnsw" in indexes_in(plan_of(connection, name, vectors=vectors))


@dataclass(frozen=True)
class Crowd:
    """Chunks enough for the planner to care: 9,000 of two projects, one of which has a hundredth."""

    connection: psycopg.Connection[Any]
    vectors: str

    def plan(self, project: str, **changes: Any) -> Any:
        """The plan of a search for these values, as the application asks for it."""
        values = {
            "vector": np.ones(8, dtype=np.float32), "terms": ["t1", "t2", "t3"], "project_id": self.project(project),
            "source_ids": None, "speakers": None, "language": None, "published_after": None, "published_before": None,
            "candidates": 50, "max_postings": 20_000, "max_terms": 48, "led": 200, "k1": 1.5, "b": 0.75,
            "dense_weight": 0.5, "top": 10, "is_narrow": False, "is_wide": False, **changes,
        }  # fmt: skip
        text = "explain (format json) " + query("search_passages", vectors=self.vectors).as_string(
            self.connection
        )
        found = self.connection.execute(text, values, prepare=False).fetchone()  # type: ignore[call-overload]
        plan = found["QUERY PLAN"]
        return (json.loads(plan) if isinstance(plan, str) else plan)[0]

    def project(self, name: str) -> int:
        """The project's row."""
        row = self.connection.execute("select id from project where name = %s", (name,)).fetchone()
        return int(row["id"])

    def sources(self) -> list[int]:
        """The sources of the large project."""
        text = "select s.id from source s join project p on p.id = s.project_id where p.name = 'large' order by 1"
        return [row["id"] for row in self.connection.execute(text).fetchall()]


@pytest.fixture(scope="module")
def crowd(schema: psycopg.Connection[Any]) -> Iterator[Crowd]:
    with schema.transaction(force_rollback=True):
        row = schema.execute("select ensure_embedding_index('crowd', 8) as id").fetchone()
        vectors = vectors_of(row["id"])
        for statement in CROWD.replace("{vectors}", vectors).split(";"):
            schema.execute(statement)  # type: ignore[call-overload]
        schema.execute("select index_chunk_vectors(%s)", (row["id"],))
        yield Crowd(schema, vectors)


CROWD = """
insert into creator (name) values ('crowd');
insert into project (creator_id, name)
select id, p from creator, unnest(array['large', 'small']) p where name = 'crowd';
insert into source (project_id, name, title, format, content_hash)
select p.id, n::text, 't', 'text', 'h'
from project p, generate_series(1, case p.name when 'large' then 297 else 3 end) n where p.name in ('large', 'small');
insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms, speakers)
select s.id, n, 'h', repeat('word ', 40), 40, 40, case s.name when '7' then array['Guest'] else '{}' end
from source s, generate_series(1, 30) n;
insert into {vectors} (chunk_id, project_id, source_id, embedding)
select c.id, s.project_id, s.id, (select array_agg(sin(c.id * k)) from generate_series(1, 8) k)::vector::halfvec
from chunk c join source s on s.id = c.source_id;
insert into term (project_id, term, n_chunks) select p.id, 't' || n, 30 from project p, generate_series(1, 2000) n;
insert into posting
select t.id, c.id, 1, 40
from chunk c
join source s on s.id = c.source_id
cross join generate_series(1, 20) k
join term t on t.project_id = s.project_id and t.term = 't' || (1 + (c.id * 37 + k * 101) % 2000);
insert into corpus_size
select project_id, count(*), count(*) * 40 from source s join chunk c on c.source_id = s.id group by 1;
analyze source; analyze chunk; analyze {vectors}; analyze term; analyze posting; analyze corpus_size
"""
LARGE = {"chunk", "posting", "term"}


def scanned_whole(plan: Any) -> set[str]:
    """Tables that the plan reads from one end to the other."""
    if isinstance(plan, list):
        return set().union(*map(scanned_whole, plan)) if plan else set()
    if not isinstance(plan, dict):
        return set()
    own = {plan["Relation Name"]} if plan.get("Node Type") == "Seq Scan" else set()
    return own.union(*map(scanned_whole, plan.values()))


def test_a_search_of_a_large_project_walks_the_graph(crowd: Crowd) -> None:
    plan = crowd.plan("large")
    assert {f"{crowd.vectors}_hnsw", "posting_pkey"} <= indexes_in(plan)
    assert not scanned_whole(plan) & {crowd.vectors, *LARGE}


@pytest.mark.parametrize(
    "changes", [{"project": "small"}, {"project": "large", "source_ids": [1]}], ids=["tenant", "source"]
)
def test_what_is_rare_is_found_by_its_btree(crowd: Crowd, changes: dict[str, Any]) -> None:
    plan = crowd.plan(**changes)
    assert indexes_in(plan) & {f"{crowd.vectors}_project", f"{crowd.vectors}_source"}
    assert f"{crowd.vectors}_hnsw" not in indexes_in(plan)
    assert not scanned_whole(plan) & {crowd.vectors, *LARGE}


def test_a_wide_filter_walks_the_graph(crowd: Crowd) -> None:
    plan = crowd.plan("large", source_ids=crowd.sources(), is_wide=True)
    assert {f"{crowd.vectors}_hnsw", "posting_pkey", "chunk_pkey"} <= indexes_in(plan)
    assert not scanned_whole(plan) & {crowd.vectors, *LARGE}


def test_a_narrow_filter_compares_what_it_leaves(crowd: Crowd) -> None:
    plan = crowd.plan("large", source_ids=crowd.sources()[:20], is_narrow=True)
    assert {f"{crowd.vectors}_source", "posting_pkey"} <= indexes_in(plan)
    assert f"{crowd.vectors}_hnsw" not in indexes_in(plan)
    assert not scanned_whole(plan) & {crowd.vectors, *LARGE}


def test_a_rare_speaker_is_found_by_an_index(crowd: Crowd) -> None:
    plan = crowd.plan("large", speakers=["Guest"], is_narrow=True)
    assert "chunk_speakers" in indexes_in(plan)
    assert not scanned_whole(plan) & {crowd.vectors, *LARGE}
    asked = {
        "project_id": crowd.project("large"), "source_ids": None, "speakers": ["Guest"], "language": None,
        "published_after": None, "published_before": None, "narrow": 20_000,
    }  # fmt: skip
    text = "explain (format json) " + query("is_narrow", vectors=crowd.vectors).as_string(crowd.connection)
    found = crowd.connection.execute(text, asked, prepare=False).fetchone()  # type: ignore[call-overload]
    assert "chunk_speakers" in indexes_in(found["QUERY PLAN"])


def test_the_scan_to_measure_against_is_exact(crowd: Crowd) -> None:
    with crowd.connection.transaction(force_rollback=True):
        crowd.connection.execute(query("scan_exactly"))
        assert f"{crowd.vectors}_hnsw" not in indexes_in(crowd.plan("large"))


def test_there_are_vector_searches() -> None:
    assert {"nearest_chunks", "search_passages", "training_posts"} <= set(VECTOR_SEARCHES)
