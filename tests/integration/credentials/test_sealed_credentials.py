"""Credentials in the database: sealed for one channel and one kind, moved from before, rotated whatever happens."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.policy import default_policy
from resources.commands.credentials import check_seals, list_keys, list_seals
from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses
from resources.sealing import opening
from resources.sealing.keeper import Keeper
from resources.sealing.key_environment import EnvironmentKeys
from resources.sealing.key_file import KEY_FILE, KeyFile
from resources.sealing.keys import encode
from resources.sealing.plain_rows import seal_plain_rows
from resources.sealing.rotation import rotate
from resources.settings import load_settings
from resources.store.channels import (
    read_credential,
    save_channel,
    store_credential,
    write_credential,
)
from tests.integration.earlier_schema import set_back

GIVEN = {"read": {"bearer_token": "reads-it", "access": "read"}, "write": {"access_token": "writes-it"}}


@pytest.fixture
def publisher_db(addresses: Addresses):
    database = Database(addresses.publisher).open()
    yield database
    database.close()


@pytest.fixture
def keeper() -> Keeper:
    """The keeper that the stores use too: keys in the home of this test."""
    opening.keeper_of.cache_clear()
    return opening.keeper_of(load_settings())


def add_channels(owner: Database, *names: str) -> list[int]:
    with owner.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        project = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()["id"]
        policy = default_policy("sandbox/x/self_serve")
        return [
            save_channel(tx, project_id=project, name=name, platform="x", account=name, base_url=None,
                         is_sandbox=True, policy=policy)
            for name in names
        ]  # fmt: skip


def store(db: Database, channel_id: int) -> None:
    with db.transaction() as tx:
        for kind in ("read", "write"):
            store_credential(tx, channel_id, kind, GIVEN[kind])


def opened(db: Database, publisher: Database, channel_id: int) -> dict[str, dict[str, str]]:
    with db.transaction() as tx, publisher.transaction() as sending:
        return {
            "read": dict(read_credential(tx, channel_id)),
            "write": dict(write_credential(sending, channel_id)),
        }


def test_what_is_stored_is_sealed_and_opens_for_its_login(db, owner_db, publisher_db, keeper) -> None:
    [channel_id] = add_channels(owner_db, "one")
    store(db, channel_id)
    assert opened(db, publisher_db, channel_id) == GIVEN
    with owner_db.transaction() as tx:
        rows = [
            dict(row)
            for kind in ("read", "write")
            for row in tx.connection.execute(f"select * from channel_{kind}_credential")
        ]
    assert len({row["key_id"] for row in rows}) == 2
    assert not any(word in row["box"] for row in rows for word in (b"reads-it", b"writes-it", b"token"))
    mode = (load_settings().home_dir / KEY_FILE).stat().st_mode & 0o777
    assert mode == 0o600


@pytest.mark.parametrize(
    "swap",
    [
        "update channel_read_credential r set key_id = o.key_id, box = o.box"
        " from channel_read_credential o where o.channel_id <> r.channel_id",
        "update channel_read_credential r set key_id = w.key_id, box = w.box"
        " from channel_write_credential w where w.channel_id = r.channel_id",
        "update channel_read_credential set box = set_byte(box, 40, get_byte(box, 40) # 1)",
    ],
    ids=["another channel's", "the other kind", "one bit"],
)
def test_a_row_that_was_moved_or_changed_does_not_open(db, owner_db, publisher_db, keeper, swap) -> None:
    for channel_id in add_channels(owner_db, "one", "two"):
        store(db, channel_id)
    with owner_db.transaction() as tx:
        tx.connection.execute(swap)
    found = check_seals(db, publisher_db)
    assert [(one.kind, one.is_open) for one in found] == [("read", False), ("write", True)] * 2
    assert all("set-credential" in one.trouble for one in found if not one.is_open)
    assert "reads-it" not in repr(found) and "writes-it" not in repr(found)


def test_a_missing_key_is_named_and_a_process_may_hold_one_kind_alone(db, owner_db, keeper) -> None:
    [channel_id] = add_channels(owner_db, "one")
    store(db, channel_id)
    read = keeper.source.load().newest("read")
    with owner_db.transaction() as tx:
        rows = {
            kind: tx.connection.execute(f"select key_id, box from channel_{kind}_credential").fetchone()
            for kind in ("read", "write")
        }
    listener = Keeper(EnvironmentKeys(SecretStr(f"read:{encode(read.secret)}")))
    from resources.sealing.envelope import Sealed

    def look(kind):
        return listener.open(Sealed(**rows[kind]), channel_id=channel_id, kind=kind)

    assert dict(look("read")) == GIVEN["read"]
    with pytest.raises(ConfigInvalid, match=f"key {rows['write']['key_id']}, which the variable"):
        look("write")
    with pytest.raises(ConfigInvalid, match="no key for write credentials"):
        listener.seal({}, channel_id=channel_id, kind="write")


PLAIN = {"bearer_token": "b", "consumer_key": "c", "consumer_secret": "d", "access_token": "77-e",
         "access_token_secret": "f"}  # fmt: skip


def test_rows_of_before_are_divided_and_sealed_and_their_tables_are_gone(
    addresses, owner_db, db, publisher_db, keeper, monkeypatch
) -> None:
    set_back(addresses, owner_db, monkeypatch, last=21)
    [channel_id] = add_channels(owner_db, "one")
    with owner_db.transaction() as tx:
        for kind in ("read", "write"):
            tx.connection.execute(
                f"insert into channel_{kind}_credential (channel_id, secret) values (%s, %s)",
                (channel_id, json.dumps(PLAIN)),
            )
    migrate(addresses.owner)
    with db.transaction() as tx:
        assert read_credential(tx, channel_id) == {}
    assert (seal_plain_rows(addresses.owner, keeper), seal_plain_rows(addresses.owner, keeper)) == (2, 0)
    found = opened(db, publisher_db, channel_id)
    assert found["read"] == {"bearer_token": "b", "username": "one", "user_id": "77", "access": "read"}
    assert found["write"].items() >= PLAIN.items()
    with owner_db.transaction() as tx:
        left = tx.connection.execute("select relname from pg_class where relname like 'unsealed%'").fetchall()
    assert left == []


def test_rows_of_before_wait_where_there_is_no_key(addresses, owner_db, monkeypatch, caplog) -> None:
    set_back(addresses, owner_db, monkeypatch, last=21)
    [channel_id] = add_channels(owner_db, "one")
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into channel_write_credential (channel_id, secret) values (%s, %s)",
            (channel_id, json.dumps(PLAIN)),
        )
    migrate(addresses.owner)
    assert seal_plain_rows(addresses.owner, Keeper(EnvironmentKeys(None))) == 0
    assert "wait to be sealed" in caplog.text and "77-e" not in caplog.text
    with owner_db.transaction() as tx:
        assert tx.value("has_sealed_credentials")
        [row] = tx.connection.execute("select secret from unsealed_write_credential").fetchall()
    assert row["secret"] == PLAIN


def test_rotation_replaces_every_key(db, owner_db, publisher_db, addresses, keeper) -> None:
    channels = add_channels(owner_db, "one", "two")
    for channel_id in channels:
        store(db, channel_id)
    before = {row["key_id"] for row in list_seals(db)}
    done = rotate(addresses.owner, keeper)
    assert (done.n_sealed, done.unopened, set(done.dropped)) == (4, (), before)
    assert {row["key_id"] for row in list_seals(db)} == set(done.key_ids)
    assert [opened(db, publisher_db, channel_id) for channel_id in channels] == [GIVEN, GIVEN]
    assert [(key.n_rows, key.is_newest) for key in list_keys(db, keeper)] == [(2, True)] * 2


class CutOff(Exception):
    """The process ends here."""


@pytest.mark.parametrize("step", range(7))
def test_a_rotation_that_is_cut_off_loses_nothing(
    db, owner_db, publisher_db, addresses, keeper, step
) -> None:
    channels = add_channels(owner_db, "one", "two")
    for channel_id in channels:
        store(db, channel_id)
    steps = iter(range(100))

    def cut(_: str) -> None:
        if next(steps) == step:
            raise CutOff

    with pytest.raises(CutOff):
        rotate(addresses.owner, keeper, on_step=cut)
    assert [opened(db, publisher_db, channel_id) for channel_id in channels] == [GIVEN, GIVEN]
    assert rotate(addresses.owner, keeper).n_sealed == 4
    assert len(keeper.source.load().keys) == 2
    assert [opened(db, publisher_db, channel_id) for channel_id in channels] == [GIVEN, GIVEN]


def test_rotations_at_once_come_one_after_the_other(db, owner_db, publisher_db, addresses, keeper) -> None:
    channels = add_channels(owner_db, "one", "two")
    for channel_id in channels:
        store(db, channel_id)
    homes = [Keeper(KeyFile(load_settings().home_dir)) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda one: rotate(addresses.owner, one), homes))
    assert [one.n_sealed for one in done] == [4, 4] and len(keeper.source.load().keys) == 2
    assert [opened(db, publisher_db, channel_id) for channel_id in channels] == [GIVEN, GIVEN]


def test_a_rotation_waits_for_what_is_being_sealed(addresses, owner_db, db, keeper, monkeypatch) -> None:
    """The key of rows of before stands in no row until they are committed, and their tables are gone then."""
    set_back(addresses, owner_db, monkeypatch, last=21)
    [channel_id] = add_channels(owner_db, "one")
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into channel_read_credential (channel_id, secret) values (%s, %s)",
            (channel_id, json.dumps(PLAIN)),
        )
    migrate(addresses.owner)
    with ThreadPoolExecutor(1) as pool:
        rotations = []

        class Meanwhile(Keeper):
            def seal(self, given, *, channel_id, kind):
                sealed = super().seal(given, channel_id=channel_id, kind=kind)
                rotations.append(pool.submit(rotate, addresses.owner, keeper))
                while not rotations[0].done() and not waits(owner_db):
                    pass
                return sealed

        assert seal_plain_rows(addresses.owner, Meanwhile(keeper.source)) == 1
        assert rotations[0].result(60).n_sealed == 1
    with db.transaction() as tx:
        assert read_credential(tx, channel_id)["bearer_token"] == "b"


def waits(owner: Database) -> bool:
    """Whether a session of this database waits for those that seal."""
    with owner.transaction() as tx:
        return bool(
            tx.connection.execute(
                "select from pg_locks where locktype = 'advisory' and objid = 21082 and not granted and database ="
                " (select oid from pg_database where datname = current_database())"
            ).fetchall()
        )


def test_a_row_that_does_not_open_keeps_its_key(db, owner_db, publisher_db, addresses, keeper) -> None:
    one, two = add_channels(owner_db, "one", "two")
    store(db, one), store(db, two)
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update channel_read_credential set box = set_byte(box, 40, get_byte(box, 40) # 1)"
            " where channel_id = %s",
            (one,),
        )
    broken = next(
        row["key_id"] for row in list_seals(db) if (row["channel_id"], row["kind"]) == (one, "read")
    )
    done = rotate(addresses.owner, keeper)
    assert done.unopened == ("one (read)",) and broken not in done.dropped
    assert opened(db, publisher_db, two) == GIVEN


def test_keys_of_the_environment_are_rotated_by_whoever_sets_them(db, owner_db, addresses, keeper) -> None:
    [channel_id] = add_channels(owner_db, "one")
    store(db, channel_id)
    old = ",".join(f"{key.kind}:{encode(key.secret)}" for key in keeper.source.load().keys)
    new = f"read:{encode(bytes(range(32)))},write:{encode(bytes(range(1, 33)))}"
    mixed = Keeper(EnvironmentKeys(SecretStr(f"{new},{old}")))
    done = rotate(addresses.owner, mixed)
    assert (done.n_sealed, done.dropped) == (2, ())
    assert {row["key_id"] for row in list_seals(db)} == {
        key.id for key in EnvironmentKeys(SecretStr(new)).load().keys
    }


@pytest.mark.parametrize("text", ["{", "[{}]", '[{"kind": "read", "key": "c2hvcnQ="}]', '{"kind": "read"}'])
def test_a_damaged_file_of_keys_is_told_and_not_quoted(tmp_path: Path, text: str) -> None:
    (tmp_path / KEY_FILE).write_text(text)
    with pytest.raises(ConfigInvalid, match="damaged") as caught:
        KeyFile(tmp_path).load()
    assert "c2hvcnQ" not in str(caught.value) and caught.value.fix


@pytest.mark.parametrize("text", ["read", "read:short", "both:" + "A" * 43 + "=", "read:" + "A" * 43 + "=,x"])
def test_a_variable_that_cannot_be_read_is_told_and_not_quoted(text: str) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        EnvironmentKeys(SecretStr(text)).load()
    assert "AAAA" not in str(caught.value) and "openssl" in str(caught.value.fix)


def test_the_age_of_keys_is_kept(tmp_path: Path) -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    keeper = Keeper(KeyFile(tmp_path), now=lambda: at)
    keeper.sealing_key("read")
    assert KeyFile(tmp_path).load().keys[0].made_at == at
