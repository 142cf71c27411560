"""Prompts in PostgreSQL: registered once, one of each alias at most, in force within seconds, moved by an admin."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from earlier_schema import set_back

from rejoinder.errors import ConfigInvalid, IllegalMove, NotAllowed, StaleView
from rejoinder.prompts.aliases import Aliases
from rejoinder.prompts.loader import Demo, Prompt, load_prompt, parse_prompt, with_demos
from resources.commands import people
from resources.commands import prompts as commands
from resources.commands.actors import Actor, machine_owner
from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses
from resources.store import prompt_versions as store
from resources.store.reviews import audit_page

FIRST = load_prompt("reply", 1)
PASSWORD = "correct horse battery"  # pragma: allowlist secret


def other(number: int, first: Prompt = FIRST) -> Prompt:
    """Another version of a prompt, whose file is nowhere."""
    data = first.data.replace(b"\n## user", f"\nThis is the wording {number}.\n## user".encode())
    return parse_prompt(first.name.replace(".v1", f".v{number}"), data)


SECOND, THIRD = other(2), other(3)


@pytest.fixture
def registered(db: Database) -> Database:
    """A database with the packaged prompts and two more replies."""
    with db.transaction() as tx:
        store.ensure_prompts(tx)
        for prompt in (SECOND, THIRD):
            assert store.store_prompt(tx, prompt) == "reply"
    return db


@pytest.fixture
def person(registered: Database) -> Callable[[str], Actor]:
    """People of every role, by the name of their role."""
    for role in ("admin", "approver"):
        people.add_person(registered, machine_owner(), role, role.title(), role, PASSWORD)  # type: ignore[arg-type]
    known = {one.name: Actor(one.id, one.name, one.role) for one in people.list_people(registered)}
    return known.__getitem__


def aliases(db: Database, task: str = "reply") -> Aliases:
    with db.transaction() as tx:
        return store.read_aliases(tx, task)


def in_force(db: Database, task: str = "reply", share: float = 0.0) -> str:
    with db.transaction() as tx:
        return store.prompt_in_force(tx, task, "post:1", share)[0].version


def test_every_file_has_a_version_of_its_own() -> None:
    files = store.packaged_prompts()
    assert len({prompt.version for prompt in files}) == len(files)


def test_registering_again_and_at_once_changes_nothing(db: Database, addresses: Addresses) -> None:
    def start(_: int) -> None:
        with db.transaction() as tx:
            store.ensure_prompts(tx)

    def everything() -> list[Any]:
        with db.transaction() as tx:
            return [store.list_prompts(tx), store.list_aliases(tx)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(start, range(6)))
    before = everything()
    start(0)
    assert everything() == before
    assert {row.task: row.alias for row in before[0] if row.name.endswith(".v1")} == {
        store.prompt_task(prompt): "champion" for prompt in store.packaged_prompts()
    }


def test_a_later_version_waits_for_a_person(registered: Database) -> None:
    assert aliases(registered) == Aliases(FIRST.version)
    assert in_force(registered) == FIRST.version


def test_the_content_of_a_file_is_kept_to_the_byte(registered: Database) -> None:
    with registered.transaction() as tx:
        assert store.prompt_of_version(tx, THIRD.version) == THIRD
        assert store.stored_prompts(tx)[-3:] != []
        shown = with_demos(THIRD, [Demo("A post with “quotes” and\na line", '{"text": "é"}'), Demo("", "{}")])
        store.store_prompt(tx, shown)
        assert store.prompt_of_version(tx, shown.version) == shown
    assert shown.version != THIRD.version


def test_a_version_whose_content_was_changed_is_refused(registered: Database, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update prompt_version set body = body || 'x' where version = %s", (THIRD.version,)
        )
    with registered.transaction() as tx, pytest.raises(ConfigInvalid, match="was changed"):
        store.prompt_of_version(tx, THIRD.version)


def test_without_a_row_the_newest_file_is_in_force(db: Database) -> None:
    assert (
        in_force(db) == [p for p in store.packaged_prompts() if store.prompt_task(p) == "reply"][-1].version
    )
    with pytest.raises(ConfigInvalid, match="no prompt for 'knitting'"):
        in_force(db, "knitting")


def test_the_database_lets_no_alias_be_given_twice(registered: Database) -> None:
    same = "insert into prompt_alias (task, alias, version) values ('reply', 'challenger', %s)"
    with pytest.raises(psycopg.errors.UniqueViolation), registered.transaction() as tx:
        tx.connection.execute(same, (FIRST.version,))
    twice = "insert into prompt_alias (task, alias, version) values ('reply', 'champion', %s)"
    with pytest.raises(psycopg.errors.UniqueViolation), registered.transaction() as tx:
        tx.connection.execute(twice, (SECOND.version,))
    foreign = "insert into prompt_alias (task, alias, version) values ('claims', 'challenger', %s)"
    with pytest.raises(psycopg.errors.ForeignKeyViolation), registered.transaction() as tx:
        tx.connection.execute(foreign, (SECOND.version,))
    with pytest.raises(psycopg.errors.CheckViolation), registered.transaction() as tx:
        tx.connection.execute("update prompt_alias set version = null where alias = 'champion'")


def test_promoted_tried_and_rolled_back(registered: Database, person: Callable[[str], Actor]) -> None:
    admin = person("admin")
    commands.challenge(registered, admin, SECOND.version[:6])
    assert aliases(registered) == Aliases(FIRST.version, SECOND.version)
    assert (in_force(registered, share=1.0), in_force(registered)) == (SECOND.version, FIRST.version)
    # The challenger won: nobody is tried beside it.
    commands.promote(registered, admin, SECOND.name)
    assert aliases(registered) == Aliases(SECOND.version)
    assert in_force(registered, share=1.0) == SECOND.version, "its file is nowhere, its text is"
    commands.challenge(registered, admin, FIRST.version)
    commands.drop_challenger(registered, admin, "reply")
    commands.rollback(registered, admin, "reply")
    assert aliases(registered) == Aliases(FIRST.version)
    commands.rollback(registered, admin, "reply")
    assert aliases(registered) == Aliases(SECOND.version)


def test_a_version_that_no_program_can_read_is_not_put_in_force(
    registered: Database, person: Callable[[str], Actor]
) -> None:
    stranger = parse_prompt("reply.v9", FIRST.data.replace(b"reply: ReplyAnswer", b"reply: Poem"))
    with registered.transaction() as tx:
        store.store_prompt(tx, stranger)
    before = aliases(registered)
    for act in (commands.promote, commands.challenge):
        with pytest.raises(
            ConfigInvalid, match=r"reply\.v9 .* has reply Poem, .* reply ReplyAnswer, .* is needed"
        ):
            act(registered, person("admin"), stranger.version)
    assert aliases(registered) == before


def test_undo_gives_both_aliases_back(registered: Database, person: Callable[[str], Actor]) -> None:
    commands.challenge(registered, person("admin"), SECOND.version)
    done = commands.promote(registered, person("admin"), SECOND.version)
    commands.undo(registered, person("admin"), done)
    assert aliases(registered) == Aliases(FIRST.version, SECOND.version)
    with pytest.raises(StaleView):
        commands.undo(registered, person("admin"), done)


def test_what_cannot_be_done_is_said(registered: Database, person: Callable[[str], Actor]) -> None:
    admin = person("admin")
    with registered.transaction() as tx:
        store.store_prompt(tx, with_demos(SECOND, [Demo("m", "{}")]))
    for refused, match in (
        (lambda: commands.promote(registered, admin, "nothing"), "no prompt 'nothing'"),
        (lambda: commands.promote(registered, admin, ""), "no prompt ''"),
        (lambda: commands.promote(registered, admin, SECOND.name), "several"),
        (lambda: commands.promote(registered, admin, FIRST.version), "already"),
        (lambda: commands.challenge(registered, admin, FIRST.version), "is the champion"),
        (lambda: commands.drop_challenger(registered, admin, "reply"), "no challenger"),
        (lambda: commands.rollback(registered, admin, "reply"), "no other champion"),
        (lambda: commands.rollback(registered, admin, "knitting"), "no prompt for"),
    ):
        with pytest.raises((ConfigInvalid, IllegalMove), match=match):
            refused()
    assert aliases(registered) == Aliases(FIRST.version)


def test_only_an_admin_moves_aliases_and_each_move_is_in_the_audit(
    registered: Database, person: Callable[[str], Actor]
) -> None:
    with pytest.raises(NotAllowed):
        commands.promote(registered, person("approver"), SECOND.version)
    with pytest.raises(NotAllowed):
        commands.rollback(registered, machine_owner(), "reply")
    commands.promote(registered, person("admin"), SECOND.version)
    with registered.transaction() as tx:
        rows = audit_page(tx, entity_type="prompt").rows
    assert [(row.actor, row.action, row.diff) for row in rows] == [
        ("admin", "promote", {"task": "reply", "champion": SECOND.version, "champion_before": FIRST.version})
    ]


def test_who_decides_while_another_does_is_told(
    registered: Database, owner_db: Database, person: Callable[[str], Actor]
) -> None:
    seen, admin = aliases(registered), person("admin")
    with ThreadPoolExecutor(1) as pool:
        with registered.transaction() as tx:
            store.lock_task(tx, "reply")
            store.save_aliases(tx, "reply", Aliases(SECOND.version))
            late = pool.submit(commands.promote, registered, admin, THIRD.version, seen=seen)
            wait_until_somebody_waits(owner_db)
        with pytest.raises(StaleView, match="in between"):
            late.result(timeout=60)
    assert aliases(registered) == Aliases(SECOND.version)


def wait_until_somebody_waits(owner_db: Database) -> None:
    """Until a statement in this database waits for a lock."""
    for _ in range(1_200):
        with owner_db.transaction() as tx:
            row = tx.connection.execute(
                "select count(*) as n from pg_locks l join pg_stat_activity a using (pid)"
                " where not l.granted and a.datname = current_database()"
            ).fetchone()
        if row and row["n"]:
            return
        time.sleep(0.05)
    raise AssertionError("nobody waits")


def test_a_process_follows_within_seconds(registered: Database, person: Callable[[str], Actor]) -> None:
    now = 0.0
    kept = store.KeptPrompts(kept_s=3.0, clock=lambda: now)
    assert kept.read(registered, "reply").champion == FIRST
    commands.promote(registered, person("admin"), SECOND.version)
    now = 2.9
    assert kept.read(registered, "reply").champion == FIRST
    now = 3.0
    assert kept.read(registered, "reply").champion == SECOND


def test_decisions_of_people_make_the_approval_rate(registered: Database, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        run = tx.connection.execute
        run("insert into creator (name) values ('c')")
        run("insert into project (creator_id, name) select id, 'p' from creator")
        run("insert into channel (project_id, name, platform, account, is_sandbox, policy)"
            " select id, 'ch', 'x', 'us', true, '{}' from project")  # fmt: skip
        run("insert into person (name, display_name, role, password_hash, is_simulated) values"
            " ('ana', 'Ana', 'approver', 'x', false), ('robot', 'R', 'approver', null, true)")  # fmt: skip
        for n, (who, decision) in enumerate(
            [
                ("ana", "approved"),
                ("ana", "rejected"),
                ("ana", "approved"),
                ("robot", "rejected"),
                (None, None),
            ]
        ):
            run("insert into post (channel_id, platform, platform_post_id, text, created_at)"
                " select id, 'x', %s, 't', now() from channel", (str(n),))  # fmt: skip
            run("insert into draft (post_id, version, text, strategy, model, prompt_version)"
                " select max(id), 1, 't', 's', 'm', %s from post", (SECOND.version,))  # fmt: skip
            run("insert into review (post_id, draft_id, reviewer_id, decision, reason, is_simulated)"
                " select d.post_id, d.id, p.id, %(decision)s, case when %(decision)s = 'rejected' then 'tone' end,"
                " p.is_simulated from draft d, person p where d.id = (select max(id) from draft) and p.name = %(who)s",
                {"who": who, "decision": decision})  # fmt: skip
    with registered.transaction() as tx:
        row = next(row for row in store.list_prompts(tx, "reply") if row.version == SECOND.version)
    assert (row.n_drafts, row.n_decided, row.n_approved, row.approval_rate) == (5, 3, 2, 2 / 3)


@pytest.mark.parametrize(
    ("before", "after"), [(FIRST, FIRST), (SECOND, FIRST)], ids=["with file", "file gone"]
)
def test_an_earlier_champion_is_taken_over_if_it_can_be_used(
    addresses: Addresses,
    owner_db: Database,
    monkeypatch: pytest.MonkeyPatch,
    db: Database,
    before: Prompt,
    after: Prompt,
) -> None:
    set_back(addresses, owner_db, monkeypatch, last=14)
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into prompt_version (version, task, name, body, is_champion)"
            " values (%s, 'reply', %s, 'its sections only', true)",
            (before.version, before.name),
        )
    migrate(addresses.owner)
    with db.transaction() as tx:
        (row,) = store.list_aliases(tx, "reply")
        assert (row.version, row.agreed, row.waits_for_mlflow) == (before.version, before.version, False)
        store.ensure_prompts(tx)
        assert store.read_in_force(tx, "reply").champion == after
        assert {p.version for p in store.stored_prompts(tx)} == {p.version for p in store.packaged_prompts()}
