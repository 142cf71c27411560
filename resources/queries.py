"""Named SQL statements out of resources/sql/queries/*.sql.

A statement starts with a line ``-- name: claim_items`` and ends at the next one. Values are ``%(name)s``
parameters. Two identifiers may be left open: ``{table}`` stands for one of the tables that a line
``-- tables: post, source`` names, so that one statement serves tables with the same columns, and ``{vectors}``
for the table of vectors of one embedding index.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources as package_files

from psycopg import sql

HEADER = re.compile(r"^-- name: (?P<name>[a-z_0-9]+)\s*$", re.MULTILINE)
TABLES = re.compile(r"^-- tables: (?P<tables>[a-z_, ]+)$", re.MULTILINE)
VECTORS = re.compile(r"chunk_vector_[0-9]+")


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement; tables is empty unless it is written for several."""

    name: str
    text: str
    tables: tuple[str, ...]

    @property
    def reads_vectors(self) -> bool:
        """Whether it is written for the vectors of an embedding index that the caller names."""
        return "{vectors}" in self.text


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


def vectors_of(index_id: int) -> str:
    """The table that keeps the vectors of an embedding index.

    >>> vectors_of(3)
    'chunk_vector_3'
    """
    return f"chunk_vector_{int(index_id)}"


def query(name: str, *, table: str | None = None, vectors: str | None = None) -> sql.Composed | sql.SQL:
    """The statement of that name, for the given table where it is written for several.

    Args:
        name: of the statement.
        table: one of those that the statement names.
        vectors: the table of vectors it is to read (``vectors_of``).

    Raises:
        KeyError: there is no such statement, or it is not written for that table.
    """
    statement = load_statements()[name]
    template = sql.SQL(statement.text)
    if not statement.tables and not statement.reads_vectors:
        return template
    if statement.tables and table not in statement.tables:
        raise KeyError(f"{name} is not written for table {table}")
    if statement.reads_vectors and not VECTORS.fullmatch(vectors or ""):
        raise KeyError(f"{name} needs the vectors of an embedding index, not {vectors!r}")
    return template.format(table=sql.Identifier(table or ""), vectors=sql.Identifier(vectors or ""))
