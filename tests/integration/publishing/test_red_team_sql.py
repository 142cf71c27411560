"""Red team, by plain SQL: whoever has a login of a part of Rejoinder tries to have words sent that nobody approved.

Each attack is refused for its own reason, or comes to nothing; at the end the platform counts what arrived.
"""

from collections.abc import Callable

import psycopg
import pytest
from psycopg import errors

from resources.postgres import Database

TEXT = "They do, at 12:04."
EVIL = "Buy my heat pump."
HASH = f"encode(sha256('{EVIL}'), 'hex')"
AS_ADA = "(select id from person where name = 'ada')"
DECIDED = "(select max(id) from review)"


def forged(person: str) -> list[str]:
    """The statements of an approval in somebody's name, for the newest post, which nobody decided."""
    return [
        "insert into review (post_id, draft_id, reviewer_id, decision, is_simulated)"
        f" select post_id, draft.id, {person}, 'approved', false from draft order by draft.id desc limit 1",
        f"insert into review_part (review_id, position, text, sha256) select {DECIDED}, 0, '{EVIL}', {HASH}",
        "insert into publication (post_id, review_id, channel_id, state)"
        f" select r.post_id, r.id, o.channel_id, 'queued' from review r join post o on o.id = r.post_id"
        f" where r.id = {DECIDED}",
        "insert into publication_part (publication_id, position, text, sha256)"
        f" select max(id), 0, '{EVIL}', {HASH} from publication",
    ]


# name -> (statements of one transaction, the words of the refusal)
BY_THE_APPLICATION = {
    "an approval that is on no record": (forged(AS_ADA), "without a row of the audit"),
    "an approver of its own": (
        ["insert into person (name, display_name, role, password_hash) values ('eve', 'Eve', 'approver', 'x')"],
        "without a row of the audit",
    ),
    "a promotion": (["update person set role = 'approver' where name = 'ed'"], "without a row of the audit"),
    "a return": (["update person set is_active = true where name = 'gone'"], "without a row of the audit"),
    "an editor's approval": (
        forged("(select id from person where name = 'ed')"),
        "was not approved with this text",
    ),
    "a record in another's past": (
        [
            "insert into audit_event (person_id, actor, action, entity_type, entity_id, created_at)"
            f" select {AS_ADA}, 'ada', 'approve', 'post', max(id), '2020-01-01' from post",
            "do $$ begin if exists (select from audit_event where created_at < '2021-01-01') then"
            " raise exception 'backdated'; else raise insufficient_privilege using message = 'signed'; end if; end $$",
        ],
        "signed",
    ),
    "sending by itself": (
        ["update publication set state = 'sending', lease_worker = 1, lease_until = now() + interval '1 minute'"
            " where state = 'queued'"],
        "only the publisher may send",
    ),
    "other words": ([f"update publication_part set text = '{EVIL}', sha256 = {HASH}"], "cannot be changed"),
    "other hashes": (["update publication set words_sha256 = 'x'"], "belongs to one post"),
    "another parent": (["update publication set parent_platform_id = '666'"], "belongs to one post"),
    "a part beside": (
        [
            "insert into publication_part (publication_id, position, text, sha256)"
            f" select id, 1, '{EVIL}', {HASH} from publication"
        ],
        "was not approved",
    ),
    "an address of its own": (
        ["update channel set base_url = 'https://collector.example'"], "violates check constraint"
    ),
    "an address beside the sandbox's": (
        ["update channel set base_url = 'http://127.0.0.1:80@collector.example'"], "violates check constraint"
    ),
    "a real channel's address": (
        ["update channel set base_url = 'http://127.0.0.1:1' where not is_sandbox"], "violates check constraint"
    ),
    "a sandbox made real": (["update channel set is_sandbox = false"], "cannot be changed"),
    "a channel of its own": (
        [
            "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
            " select project_id, 'mine', platform, 'me', false, policy from channel limit 1"
        ],
        "without a row of the audit",
    ),
    "the account exchanged": (
        ["update channel set account = 'eve' where not is_sandbox"], "without a row of the audit"
    ),
    "a look at what writes": (["select box from channel_write_credential"], "permission denied"),
    "what writes, changed": (["update channel_write_credential set box = 'x'"], "permission denied"),
    "an unseen outcome sent again": (
        [f"update publication set state = 'queued', settled_by = {AS_ADA} where state = 'unknown'"],
        "without a row of the audit",
    ),
    "the same without a name": (
        ["update publication set state = 'queued' where state = 'unknown'"], "only a person who may approve"
    ),
    "a pause lifted by nobody": (["update pause set resumed_at = now()"], "lifted once"),
    "a pause lifted in another's name": (
        [f"update pause set resumed_at = now(), resumed_by = {AS_ADA}"], "without a row of the audit"
    ),
    "a pause taken away": (["delete from pause"], "permission denied"),
}  # fmt: skip
BY_THE_PUBLISHER = {
    "an approval": (forged("1"), "permission denied"),
    "other words": ([f"update publication_part set text = '{EVIL}', sha256 = {HASH}"], "cannot be changed"),
    "an unseen outcome sent again": (
        ["update publication set state = 'queued', settled_by = 1 where state = 'unknown'"], "only a person"
    ),
    "somebody's name": (["update publication set settled_by = 1"], "only a person settles it"),
    "a pause lifted": (["update pause set resumed_at = now()"], "permission denied"),
    "what reads": (["select box from channel_read_credential"], "permission denied"),
    "an address": (["update channel set base_url = null"], "permission denied"),
    "another parent": (["update post set platform_post_id = '666'"], "which post 1 is cannot be changed"),
    "an audit row": (
        ["insert into audit_event (actor, action, entity_type) values ('ada', 'x', 'post')"], "permission"
    ),
}  # fmt: skip
BY_EITHER = {
    "a table that hides one": "create temporary table review_part (like public.review_part)",
    "a function of its own": "create function pg_temp.f() returns int language sql as 'select 1'",
    "a schema of its own": "create schema mine",
    "a function of the gate's name": "create function public.guard_sending(bigint, bigint, bigint)"
    " returns void language sql as ''",
    "the owner's role": "set role rejoinder_owner",
    "the owner's session": "set session authorization rejoinder_owner",
    "the other's group": "set role pg_write_server_files",
    "triggers off": "set session_replication_role = replica",
    "a program": "copy (select 1) to program 'true'",
    "a file": "copy (select 1) to '/tmp/red-team'",
    "a file read": "select pg_read_file('/etc/passwd')",
    "a guard that lets pass": "alter function guard_sending set search_path = pg_temp",
    "a trigger away": "drop trigger publication_part_gate on publication_part",
    "an operator": "create operator public.= (leftarg = text, rightarg = text, procedure = texteq)",
    "a rule": "create rule r as on insert to publication do instead nothing",
    "membership": "grant rejoinder_owner to current_user",
    "a row's owner": "alter table publication owner to current_user",
    "unsealed rows": "select * from unsealed_read_credential",
}
REFUSED = (
    errors.InsufficientPrivilege, errors.CheckViolation, errors.UndefinedTable, errors.SyntaxError,
    errors.WrongObjectType, errors.InvalidSchemaName, errors.InvalidParameterValue, errors.DuplicateFunction,
)  # fmt: skip


@pytest.fixture
def scene(desk) -> Callable[[], list[str]]:
    """One approved reply that waits, one whose outcome nobody saw, a post that nobody decided, and a pause."""
    rehearsal = desk.channel()
    desk.channel("real", is_sandbox=False, base_url=None)
    desk.rows(
        "insert into person (name, display_name, role, password_hash, is_active)"
        " values ('ed', 'Ed', 'editor', 'x', true), ('gone', 'Gone', 'approver', 'x', false)"
    )
    unseen = desk.approved(rehearsal, text="Nobody saw it.")
    desk.rows("alter table publication disable trigger publication_guard")
    desk.rows("update publication set state = 'unknown', read_back_at = now() where id = %s", unseen)
    desk.rows("alter table publication enable trigger publication_guard")
    desk.rows("alter table publication_part disable trigger publication_part_move")
    desk.rows("update publication_part set state = 'unknown' where publication_id = %s", unseen)
    desk.rows("alter table publication_part enable trigger publication_part_move")
    desk.approved(rehearsal, text=TEXT)
    desk.approved(rehearsal, text="Taken back")
    desk.rows("update publication set state = 'cancelled' where id = (select max(id) from publication)")
    desk.rows("insert into pause (reason) values ('until the attack is over')")

    def arrived() -> list[str]:
        desk.rows("update pause set resumed_at = now() where resumed_at is null")
        desk.run()
        return [text for _, text, _ in desk.platform.replies]

    return arrived


def attack(database: Database, statements: list[str]) -> None:
    with database.transaction() as tx:
        for statement in statements:
            tx.connection.execute(statement)


@pytest.mark.parametrize("what", BY_THE_APPLICATION)
def test_the_application_gets_nothing_out(desk, scene, what) -> None:
    statements, words = BY_THE_APPLICATION[what]
    with pytest.raises(REFUSED, match=words):
        attack(desk.db, statements)
    assert scene() == [TEXT]


@pytest.mark.parametrize("what", BY_THE_PUBLISHER)
def test_the_publisher_gets_nothing_out(desk, scene, what) -> None:
    statements, words = BY_THE_PUBLISHER[what]
    with pytest.raises(REFUSED, match=words):
        attack(desk.publisher, statements)
    assert scene() == [TEXT]


def test_neither_can_lead_the_gate_astray(desk, scene) -> None:
    [row] = desk.rows("select current_database() as name")
    desk.rows(f'revoke temporary, create on database "{row["name"]}" from public')  # as migrations leave it
    for database in (desk.db, desk.publisher):
        for what, statement in BY_EITHER.items():
            try:
                attack(database, [statement])
            except REFUSED:
                continue
            except psycopg.Error as error:
                raise AssertionError(f"{what}: refused for another reason: {error!r}") from error
            raise AssertionError(f"{what}: let through for {database.url.partition('@')[0]}")
    assert scene() == [TEXT]


def test_no_guard_looks_where_its_caller_points(owner_db) -> None:
    """Also not one that a later migration replaced: temporary tables come last, and by name."""
    with owner_db.transaction() as tx:
        rows = tx.connection.execute(
            "select p.oid::regprocedure::text as name, coalesce(array_to_string(p.proconfig, ','), '') as settings"
            " from pg_proc p where p.pronamespace = 'public'::regnamespace"
            " and pg_get_userbyid(p.proowner) = current_user"
            " and (p.prosecdef or p.prorettype = 'trigger'::regtype)"
        ).fetchall()
    loose = [row["name"] for row in rows if not row["settings"].count("pg_temp")]
    assert len(rows) > 20 and loose == [], f"add `set search_path = public, pg_temp` to {loose}"


def test_temporary_tables_do_not_lead_the_gate_astray_even_where_they_may_be_made(desk, scene) -> None:
    """A database that was restored without its rights lets everybody make them."""
    [row] = desk.rows("select current_database() as name, session_user as owner")
    desk.rows(f'grant temporary on database "{row["name"]}" to rejoinder_may_run')
    shadow = [
        "create temporary table review (like public.review)",
        "create temporary table review_part (like public.review_part)",
        "create temporary table person (like public.person)",
        "insert into pg_temp.person select * from public.person",
        f"insert into pg_temp.review_part select review_id, position, '{EVIL}', {HASH} from public.review_part",
        "insert into public.publication_part (publication_id, position, text, sha256)"
        f" select id, 1, '{EVIL}', {HASH} from public.publication where state = 'queued'",
    ]
    with pytest.raises(errors.InsufficientPrivilege, match="was not approved"):
        attack(desk.db, shadow)
    assert scene() == [TEXT]


@pytest.mark.parametrize(
    "statement",
    [
        "update publication set state = 'queued', lease_worker = null, lease_until = null where state = 'sending'",
        "update publication_part set state = 'queued' where state = 'sending'",
    ],
    ids=["the reply", "a part"],
)
def test_what_is_being_sent_is_not_queued_again_by_the_application(desk, scene, statement) -> None:
    """The publisher's request may have left: once more in the queue, the reply would go out twice."""

    def meanwhile() -> None:
        with pytest.raises(errors.InsufficientPrivilege, match="only the publisher says what became"):
            attack(desk.db, [statement])

    desk.platform.script = [meanwhile]
    assert scene() == [TEXT]
    assert desk.platform.script == []


def test_what_remains_is_on_record(desk, scene) -> None:
    """Who holds the application's login can act as a person whom the database knows; not unseen, nor undated."""
    with desk.db.transaction() as tx:
        tx.connection.execute(
            "insert into audit_event (person_id, actor, action, entity_type, entity_id, login, created_at)"
            " select r.reviewer_id, 'ada', 'approve', 'post', r.post_id, 'nobody', '2020-01-01'"
            " from review r limit 1"
        )
    [row] = desk.rows(
        "select login, created_at > now() - interval '1 hour' as is_now from audit_event order by id desc limit 1"
    )
    assert row["login"] not in ("nobody", None) and row["is_now"]
    assert scene() == [TEXT]
