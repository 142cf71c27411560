"""The database holds the same moves as the code; with docs/states.md that makes three."""

import re
from typing import get_args

import pytest

from rejoinder.posting.states import BIRTH_STATES, PART_MOVES, PART_STATES, PUBLICATION_MOVES, STATES
from rejoinder.review.moves import POST_MOVES, Stage, Status
from rejoinder.review.roles import ROLES
from resources.postgres import Database


def rows(db: Database, statement: str) -> set[tuple[str, ...]]:
    with db.transaction() as tx:
        cursor = tx.connection.cursor(row_factory=lambda _: tuple)
        return set(cursor.execute(statement).fetchall())


def test_a_posts_moves(owner_db: Database) -> None:
    stored = rows(owner_db, "select from_stage, from_status, to_stage, to_status from post_move")
    assert stored == {(*before, *after) for before, after in POST_MOVES}


def test_a_publications_moves(owner_db: Database) -> None:
    assert rows(owner_db, "select from_state, to_state from publication_move") == PUBLICATION_MOVES


def test_a_parts_moves(owner_db: Database) -> None:
    assert rows(owner_db, "select from_state, to_state from part_move") == PART_MOVES


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("post", "stage", get_args(Stage)),
        ("post", "status", get_args(Status)),
        ("publication", "state", STATES),
        ("publication_part", "state", PART_STATES),
        ("person", "role", ROLES),
    ],
)
def test_a_column_takes_exactly_the_values_of_the_code(
    owner_db: Database, table: str, column: str, values: tuple[str, ...]
) -> None:
    checks = rows(
        owner_db,
        f"select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{table}'::regclass",
    )
    lists = [set(re.findall(r"'(\w+)'::text", text)) for (text,) in checks if f"(({column} = ANY" in text]
    assert set(values) in lists


def test_a_publication_is_born_where_the_code_says(owner_db: Database) -> None:
    ((source,),) = rows(owner_db, "select prosrc from pg_proc where proname = 'guard_new_publication'")
    listed = re.search(r"not in \(([^)]*)\)", source)
    assert listed
    assert set(re.findall(r"'(\w+)'", listed[1])) == BIRTH_STATES
