"""A rotation that meets others or rows that do not open: it says so, ends with its code, changes nothing halfway."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.policy import default_policy
from resources.commands.credentials import list_seals
from resources.postgres import Database
from resources.provision import Addresses
from resources.sealing import opening
from resources.sealing.keeper import Keeper
from resources.sealing.rotation import rotate
from resources.settings import load_settings
from resources.store.channels import save_channel, store_credential


@pytest.fixture
def keeper() -> Keeper:
    """The keeper that the stores and the commands use too: keys in the home of this test."""
    opening.keeper_of.cache_clear()
    return opening.keeper_of(load_settings())


@pytest.fixture
def channels(db: Database, owner_db: Database, keeper: Keeper) -> list[str]:
    """Two channels with both credentials, by name."""
    names, policy = ["one", "two"], default_policy("sandbox/x/self_serve")
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into person (name, display_name, role, password_hash) values ('ada', 'Ada', 'admin', 'x')"
        )
        creator = tx.connection.execute("insert into creator (name) values ('c') returning id").fetchone()
        values = (creator["id"],)
        project = tx.connection.execute(
            "insert into project (creator_id, name) values (%s, 'p') returning id", values
        ).fetchone()["id"]
        ids = [
            save_channel(
                tx, project_id=project, name=name, platform="x", account=name, base_url=None, is_sandbox=True,
                policy=policy,
            )
            for name in names
        ]  # fmt: skip
    with db.transaction() as tx:
        for channel_id in ids:
            store_credential(tx, channel_id, "read", {"bearer_token": "reads-it", "access": "read"})
            store_credential(tx, channel_id, "write", {"access_token": "writes-it"})
    return names


@contextmanager
def holding(addresses: Addresses, statement: str) -> Iterator[None]:
    """Another session that took something and stands still."""
    with psycopg.connect(addresses.owner) as other:
        other.execute(statement)
        yield


@pytest.mark.parametrize(
    "held",
    [
        "select pg_advisory_xact_lock_shared(21082)",
        "select from channel_write_credential where channel_id = (select max(id) from channel) for update",
    ],
    ids=["somebody stores a credential", "somebody holds the last row"],
)
def test_a_rotation_that_waits_too_long_says_so_and_changes_no_row(
    channels: list[str], db: Database, addresses: Addresses, keeper: Keeper, held: str
) -> None:
    before = list_seals(db)
    with holding(addresses, held), pytest.raises(ServiceUnavailable, match=r"longer than 0\.1 s") as told:
        rotate(addresses.owner, keeper, patience_s=0.1)
    assert told.value.fix and told.value.__suppress_context__
    assert list_seals(db) == before
    done = rotate(addresses.owner, keeper)
    assert (done.n_sealed, done.unopened, len(keeper.source.load().keys)) == (4, (), 2)
    assert {row["key_id"] for row in list_seals(db)} == set(done.key_ids)


@pytest.mark.usefixtures("environment", "channels")
def test_the_command_names_what_no_key_opens_and_ends_with_one(owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update channel_read_credential set box = set_byte(box, 40, get_byte(box, 40) # 1)"
            " where channel_id = (select id from channel where name = 'two')"
        )
    told = CliRunner().invoke(build_app(), ["credentials", "rotate"])
    assert told.exit_code == 1, told.output
    assert "two (read)" in told.stdout and "rejoinder channel set-credential" in told.stdout
    machine = CliRunner().invoke(build_app(), ["credentials", "rotate", "--json"])
    found = json.loads(machine.stdout)
    assert machine.exit_code == 1, (machine.output, machine.exception)
    assert (machine.exit_code, found["unopened"], found["n_sealed"]) == (1, ["two (read)"], 3)
    assert "set-credential" in found["fix"]


@pytest.mark.usefixtures("environment", "channels")
def test_the_command_ends_well_where_everything_opens() -> None:
    done = CliRunner().invoke(build_app(), ["credentials", "rotate", "--json"])
    assert done.exit_code == 0, done.output
    assert (done.exit_code, json.loads(done.stdout)["unopened"], json.loads(done.stdout)["fix"]) == (
        0,
        [],
        None,
    )
