"""Opt-outs as an earlier version wrote them: those surely of the sandbox hold there alone, the others everywhere."""

import pytest
from earlier_schema import set_back

from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses

LAST_BEFORE = 30
WORLD = (
    "insert into creator (name) values ('c') returning id",
    "insert into project (creator_id, name) select id, 'p' from creator",
    "insert into channel (project_id, name, platform, account, base_url, is_sandbox, policy)"
    " select id, 'real', 'x', 'a', null, false, '{}' from project",
    "insert into channel (project_id, name, platform, account, base_url, is_sandbox, policy)"
    " select id, 'rehearsal', 'x', 'b', 'http://127.0.0.1:9', true, '{}' from project",
    "insert into post (channel_id, platform, platform_post_id, author, text, created_at)"
    " select id, 'x', name, name, 'stop', now() from channel",
    "insert into opt_out (platform, author, reason, post_id) select 'x', p.author, 'asked', p.id from post p",
    "insert into opt_out (platform, author, reason) values ('x', 'unknown', 'by letter')",
)
HEARD = (
    "insert into post (channel_id, platform, platform_post_id, author, text, created_at)"
    " select c.id, 'x', c.name || '-both', case when {purged} and c.name = 'real' then null else 'Both' end, '', now()"
    " from channel c"
)
ASKED = (
    "insert into opt_out (platform, author, reason, post_id)"
    " select 'x', 'both', 'asked', id from post where platform_post_id = 'rehearsal-both'"
)
BLOCKED = (
    "insert into person (name, display_name, role, password_hash) values ('b', 'B', 'approver', 'h')",
    "update opt_out set person_id = (select id from person) where author = 'rehearsal'",
)


def upgrade(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch, *more: str
) -> dict[str, bool]:
    """The opt-outs of a database of before, each with whether it is a rehearsal's now."""
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        for statement in (*WORLD, *more):
            tx.connection.execute(statement.encode())
    migrate(addresses.owner)
    with owner_db.transaction() as tx:
        rows = tx.connection.execute("select author, is_rehearsal, is_asked from opt_out").fetchall()
    assert all(row["is_asked"] for row in rows)
    return {row["author"]: row["is_rehearsal"] for row in rows}


def test_what_was_asked_on_the_sandbox_holds_there_alone(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = upgrade(addresses, owner_db, monkeypatch)
    assert found == {"real": False, "rehearsal": True, "unknown": False}


def test_who_was_heard_on_the_platform_too_may_have_asked_there(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = upgrade(addresses, owner_db, monkeypatch, HEARD.format(purged="false"), ASKED)
    assert found == {"real": False, "rehearsal": True, "unknown": False, "both": False}


def test_a_purged_post_of_the_platform_may_have_been_anybodys(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not any(upgrade(addresses, owner_db, monkeypatch, HEARD.format(purged="true"), ASKED).values())


def test_whom_a_person_blocked_too_stays_blocked_everywhere(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not upgrade(addresses, owner_db, monkeypatch, *BLOCKED)["rehearsal"]
