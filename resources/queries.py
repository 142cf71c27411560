"""Named SQL statements out of resources/sql/queries/*.sql.

A statement starts with a line ``-- name: claim_items`` and ends at the next one. Values are ``%(name)s``
parameters; the single identifier ``{table}`` may stand for one of the tables that a line
``-- tables: post, source`` names, so that one statement serves tables with the same columns.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources as package_files

from psycopg import sql

HEADER = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)\s*$", re.MULTILINE)
TABLES = re.compile(r"^-- tables: (?P<tables>[a-z_, ]+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement; tables is empty unless it is written for several."""

    name: str
    text: str
    tables: tuple[str, ...]


@lru_cache(maxsize=1)
def load_statements() -> Mapping[str, Statement]:
    """Every named statement, by name.

    Raises:
        ValueError: two statements share a name.
    """
    found: dict[str, Statement] = {}
    folder = package_files.files("resources.sql").joinpath("queries")
    for path in sorted(folder.iterdir(), key=lambda p: p.name):
        for statement in parse_statements(path.read_text("utf-8")):
            if statement.name in found:
                raise ValueError(f"two statements are named {statement.name}")
            found[statement.name] = statement
    return found


def parse_statements(text: str) -> list[Statement]:
    r"""Split a file's text into its statements.

    >>> [(s.name, s.text) for s in parse_statements("-- name: one\nselect 1\n-- name: two\nselect 2\n")]
    [('one', 'select 1'), ('two', 'select 2')]
    """
    headers = list(HEADER.finditer(text))
    ends = [h.start() for h in headers[1:]] + [len(text)]
    return [_statement(h["name"], text[h.end() : end]) for h, end in zip(headers, ends, strict=True)]


def _statement(name: str, body: str) -> Statement:
    listed = TABLES.search(body)
    tables = tuple(t.strip() for t in listed["tables"].split(",")) if listed else ()
    return Statement(name, body.strip(), tables)


def query(name: str, *, table: str | None = None) -> sql.Composed | sql.SQL:
    """The statement of that name, for the given table where it is written for several.

    Raises:
        KeyError: there is no such statement, or it is not written for that table.
    """
    statement = load_statements()[name]
    template = sql.SQL(statement.text)
    if not statement.tables:
        return template
    if table not in statement.tables:
        raise KeyError(f"{name} is not written for table {table}")
    return template.format(table=sql.Identifier(str(table)))
