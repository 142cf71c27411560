"""Every named statement plans against the migrated schema, and the hot ones use their index."""

import json
import re
from collections.abc import Iterator
from typing import Any

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
    assert "publication_due" in indexes_in(plan_of(connection, "next_queued_publication"))


@pytest.mark.parametrize("name", VECTOR_SEARCHES)
def test_vector_search_uses_its_graph(connection: psycopg.Connection[Any], vectors: str, name: str) -> None:
    # With a filter, a handful of rows is best sorted: the planner is to prefer the graph where it may not.
    connection.execute("set local enable_seqscan = off")
    connection.execute("set local enable_sort = off")
    assert f"{vectors}_hnsw" in indexes_in(plan_of(connection, name, vectors=vectors))


def test_there_are_vector_searches() -> None:
    assert {"nearest_chunks", "search_passages", "training_posts"} <= set(VECTOR_SEARCHES)
