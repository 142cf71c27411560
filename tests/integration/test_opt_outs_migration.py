"""Opt-outs as an earlier version wrote them: those heard on the sandbox hold there alone, the others everywhere."""

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


def test_what_was_asked_on_the_sandbox_holds_there_alone(
    addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        for statement in WORLD:
            tx.connection.execute(statement.encode())
    migrate(addresses.owner)
    with owner_db.transaction() as tx:
        rows = tx.connection.execute("select author, is_rehearsal, is_asked from opt_out").fetchall()
    assert {row["author"]: row["is_rehearsal"] for row in rows} == {
        "real": False, "rehearsal": True, "unknown": False
    }  # fmt: skip
    assert all(row["is_asked"] for row in rows)
