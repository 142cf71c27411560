"""Migrations: applied once, by any number of starters, never edited afterwards."""

from concurrent.futures import ThreadPoolExecutor
from typing import LiteralString

import psycopg
import pytest

from rejoinder.errors import ConfigInvalid
from resources import migrations
from resources.migrations import Migration, load_migrations, migrate
from resources.postgres import Database
from resources.provision import Addresses


def test_a_migrated_database_needs_nothing(addresses: Addresses) -> None:
    assert migrate(addresses.owner) == []


def test_two_starts_at_once_apply_each_migration_once(addresses: Addresses, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute("drop owned by rejoinder_owner cascade")
        tx.connection.execute("create schema if not exists public")
    with ThreadPoolExecutor(4) as pool:
        applied = list(pool.map(migrate, [addresses.owner] * 4))
    assert sorted(sum(applied, [])) == [f"{m.number:04d}_{m.name}" for m in load_migrations()]


def test_a_migration_has_all_the_time_that_it_needs(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = load_migrations()
    text: LiteralString = "create table seen as select current_setting('statement_timeout') as time_limit"
    monkeypatch.setattr(
        migrations, "load_migrations", lambda: [*files, Migration(len(files) + 1, "slow", text)]
    )
    assert len(migrate(addresses.owner)) == 1
    with owner_db.transaction() as tx:
        assert tx.connection.execute("select time_limit from seen").fetchone() == {"time_limit": "0"}


def test_an_edited_migration_is_refused(addresses: Addresses, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute("update schema_migration set sha256 = 'other' where number = 1")
    with pytest.raises(ConfigInvalid, match="0001_roles_and_rules was changed"):
        migrate(addresses.owner)


def test_a_newer_database_is_refused(addresses: Addresses, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into schema_migration (number, name, sha256) values (9999, 'x', 'y')")
    with pytest.raises(ConfigInvalid, match="9999"):
        migrate(addresses.owner)


@pytest.mark.parametrize(
    "statement",
    [
        "create table x (a int)",
        "drop trigger publication_part_gate on publication_part",
        "alter table audit_event disable trigger all",
        "delete from audit_event",
        "truncate audit_event",
        "update review set decision = 'approved'",
        "update review_part set text = 'other'",
        "delete from publication",
        "select box from channel_write_credential",
        "insert into post_move values ('triage', 'pending', 'done', 'completed')",
        "set role rejoinder_owner",
        "create or replace function guard_publication_part() returns trigger language plpgsql as 'begin end'",
    ],
)
def test_the_application_may_not(db: Database, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege), db.transaction() as tx:
        tx.connection.execute(statement)
