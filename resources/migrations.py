"""Plain-SQL migrations: numbered, forward only, each applied once in a transaction of its own."""

import hashlib
import re
from dataclasses import dataclass
from importlib import resources as package_files
from typing import LiteralString

from rejoinder.errors import ConfigInvalid
from resources.postgres import Connection, connect, run_script

LOCK_KEY = 21065
FILE_NAME = re.compile(r"^(?P<number>\d{4})_(?P<name>[a-z0-9_]+)\.sql$")
LEDGER: LiteralString = """
create table if not exists schema_migration (
  number integer primary key,
  name text not null,
  sha256 text not null,
  applied_at timestamptz not null default now()
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hash of the file's text; a file that was applied may never change again."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """All migration files in order of their number.

    Raises:
        ConfigInvalid: the numbers do not run 1, 2, 3 ...
    """
    folder = package_files.files("resources.sql").joinpath("migrations")
    found = []
    for path in folder.iterdir():
        if match := FILE_NAME.match(path.name):
            found.append(Migration(int(match["number"]), match["name"], path.read_text("utf-8")))
    found.sort(key=lambda m: m.number)
    if [m.number for m in found] != list(range(1, len(found) + 1)):
        raise ConfigInvalid("Migrations must be numbered 0001, 0002 ... without a gap.")
    return found


def migrate(owner_url: str) -> list[str]:
    """Bring the database up to date; the names of what was applied now.

    Two processes that start at once are safe: the second waits on an advisory lock and finds nothing to do.

    Raises:
        ConfigInvalid: a migration that was applied has changed since, or the database is newer than this code.
    """
    with connect(owner_url, autocommit=True) as connection:
        # A large corpus takes its time, for whoever migrates it and for whoever waits for that.
        connection.execute("set statement_timeout = 0")
        connection.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        run_script(connection, LEDGER)
        applied = {row["number"]: row for row in connection.execute("select * from schema_migration")}
        files = load_migrations()
        _refuse_strangers(files, applied)
        waiting = [m for m in files if m.number not in applied]
        for migration in waiting:
            _apply(connection, migration)
    return [f"{m.number:04d}_{m.name}" for m in waiting]


def _refuse_strangers(files: list[Migration], applied: dict[int, dict[str, object]]) -> None:
    if newer := sorted(set(applied) - {m.number for m in files}):
        raise ConfigInvalid(
            f"The database has migration {newer[-1]:04d}, which this version of Rejoinder does not know. "
            "Install the newer version, or restore a backup."
        )
    for migration in files:
        row = applied.get(migration.number)
        if row and row["sha256"] != migration.sha256:
            raise ConfigInvalid(
                f"Migration {migration.number:04d}_{migration.name} was changed after it was applied. "
                "Put the file back as it was and write a new migration."
            )


def _apply(connection: Connection, migration: Migration) -> None:
    with connection.transaction():
        run_script(connection, migration.text)
        connection.execute(
            "insert into schema_migration (number, name, sha256) values (%s, %s, %s)",
            (migration.number, migration.name, migration.sha256),
        )
