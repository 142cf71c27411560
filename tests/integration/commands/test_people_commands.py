"""Accounts: who may make them, what a sign-in gives away, when an account is locked."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands import people
from resources.commands.actors import machine_owner
from resources.postgres import Database

SECRET = "heat pumps in winter"


@pytest.fixture
def ada(db: Database) -> int:
    return people.add_person(db, machine_owner(), "Ada", "Ada L.", "admin", SECRET)


def test_the_first_account_is_an_admin(db: Database) -> None:
    with pytest.raises(ConfigInvalid, match="has to be an admin") as caught:
        people.add_person(db, machine_owner(), "ada", "Ada", "approver", SECRET)
    assert "--role admin" in caught.value.fix
    with pytest.raises(ConfigInvalid, match="has to be an admin"):
        people.check_account(db, "ada", "approver")
    assert people.check_account(db, "ada", None) == "admin"
    people.add_person(db, machine_owner(), "ada", "Ada", "admin", SECRET)
    assert people.check_account(db, "eve", None) == "approver"
    assert people.check_account(db, "eve", "viewer") == "viewer"
    with pytest.raises(ConfigInvalid, match="taken"):
        people.check_account(db, " ADA ", None)


def test_the_simulated_reviewer_is_no_first_account(db: Database) -> None:
    people.simulated_reviewer(db)
    assert people.check_account(db, "ada", None) == "admin"


def test_first_accounts_at_once_leave_an_admin_to_come_first(db: Database) -> None:
    def add(role: str) -> bool:
        try:
            return bool(people.add_person(db, machine_owner(), f"the-{role}", "", role, SECRET))
        except ConfigInvalid:
            return False

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, ["viewer", "editor", "admin", "approver"]))
    assert people.list_people(db)[0].role == "admin"


def test_the_machine_may_always_add_and_is_named_in_the_audit(
    db: Database, owner_db: Database, ada: int
) -> None:
    people.add_person(db, machine_owner(), "eve", "", "viewer", SECRET)
    with owner_db.transaction() as tx:
        rows = tx.connection.execute("select actor, person_id, diff from audit_event order by id").fetchall()
    assert rows[0]["person_id"] is None and rows[0]["diff"] == {"name": "ada", "role": "admin"}
    assert rows[1]["actor"].startswith("cli:") and rows[1]["diff"] == {"name": "eve", "role": "viewer"}
    assert [p.display_name for p in people.list_people(db)] == ["Ada L.", "eve"]


@pytest.mark.parametrize("role", ["viewer", "editor", "approver"])
def test_only_admins_manage_people(db: Database, ada: int, role: str) -> None:
    people.add_person(db, machine_owner(), "eve", "Eve", role, SECRET)
    eve = people.sign_in(db, "eve", SECRET, None)
    for attempt in (
        lambda: people.add_person(db, eve, "mallory", "M", "admin", SECRET),
        lambda: people.change_role(db, eve, "eve", "admin"),
        lambda: people.change_password(db, eve, "ada", SECRET + "!"),
        lambda: people.deactivate(db, eve, "ada"),
    ):
        with pytest.raises(NotAllowed, match="needs the role admin"):
            attempt()


@pytest.mark.parametrize(
    ("name", "role", "password", "message"),
    [
        ("ada!", "viewer", SECRET, "cannot be used"),
        ("", "viewer", SECRET, "cannot be used"),
        ("x" * 65, "viewer", SECRET, "cannot be used"),
        ("simulated-reviewer", "viewer", SECRET, "kept for the demo"),
        ("eve", "king", SECRET, "no role"),
        ("eve", "viewer", "elevenchars", "too short"),
        ("eve-the-viewer", "viewer", "Eve-The-Viewer", "may not be the name"),
        ("eve", "viewer", "x" * 1025, "too long"),
        ("ada", "viewer", SECRET, "taken"),
    ],
)
def test_what_an_account_may_not_be(
    db: Database, ada: int, name: str, role: str, password: str, message: str
) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        people.add_person(db, machine_owner(), name, name, role, password)


def test_a_sign_in_gives_the_actor_and_is_audited(db: Database, owner_db: Database, ada: int) -> None:
    actor = people.sign_in(db, " ADA ", SECRET, "192.0.2.7")
    assert (actor.person_id, actor.name, actor.role, actor.ip_address) == (ada, "ada", "admin", "192.0.2.7")
    for name, password in (("ada", "wrong"), ("no\x00body", SECRET), ("\ud800", SECRET), ("ada", "x" * 2000)):
        with pytest.raises(NotAllowed) as caught:
            people.sign_in(db, name, password, "not an address")
        assert str(caught.value) == people.SIGN_IN_FAILED
    with owner_db.transaction() as tx:
        rows = tx.connection.execute(
            "select action, entity_id, host(ip_address) as ip from audit_event where action like 'sign_in%' order by id"
        ).fetchall()
    assert [tuple(r.values()) for r in rows] == [
        ("sign_in", ada, "192.0.2.7"),
        ("sign_in_failed", ada, None),
        ("sign_in_failed", None, None),
        ("sign_in_failed", None, None),
        ("sign_in_failed", ada, None),
    ]


def test_five_wrong_tries_lock_for_a_quarter_of_an_hour(db: Database, owner_db: Database, ada: int) -> None:
    for _ in range(people.MAX_TRIES):
        with pytest.raises(NotAllowed):
            people.sign_in(db, "ada", "wrong", None)
    with pytest.raises(NotAllowed):
        people.sign_in(db, "ada", SECRET, None)
    with owner_db.transaction() as tx:
        left = tx.connection.execute(
            "select extract(epoch from locked_until - now()) s from person"
        ).fetchone()
        assert 880 < left["s"] <= 900
        tx.connection.execute("update person set locked_until = now() - interval '1 s'")
    with pytest.raises(NotAllowed):
        people.sign_in(db, "ada", "wrong", None)
    assert people.sign_in(db, "ada", SECRET, None).name == "ada"


def test_a_right_password_clears_the_count(db: Database, ada: int) -> None:
    for _ in range(3):
        for _ in range(people.MAX_TRIES - 1):
            with pytest.raises(NotAllowed):
                people.sign_in(db, "ada", "wrong", None)
        people.sign_in(db, "ada", SECRET, None)


def test_parallel_guesses_are_counted_too(db: Database, owner_db: Database, ada: int) -> None:
    def guess(n: int) -> None:
        with pytest.raises(NotAllowed):
            people.sign_in(db, "ada", f"guess {n}", None)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(guess, range(8)))
    with owner_db.transaction() as tx:
        row = tx.connection.execute(
            "select failed_sign_ins, locked_until > now() as locked from person"
        ).fetchone()
    assert row == {"failed_sign_ins": people.MAX_TRIES, "locked": True}


def test_a_new_password(db: Database, ada: int) -> None:
    actor = people.sign_in(db, "ada", SECRET, None)
    with pytest.raises(NotAllowed, match="current password"):
        people.change_password(db, actor, "ada", "a whole new one", current="wrong")
    with pytest.raises(NotAllowed, match="current password"):
        people.change_password(db, actor, "ada", "a whole new one")
    people.change_password(db, actor, "ada", "a whole new one", current=SECRET)
    with pytest.raises(NotAllowed):
        people.sign_in(db, "ada", SECRET, None)
    people.change_password(db, machine_owner(), "ada", SECRET)
    assert people.sign_in(db, "ada", SECRET, None).role == "admin"


def test_there_is_always_an_admin(db: Database, ada: int) -> None:
    actor = people.sign_in(db, "ada", SECRET, None)
    for attempt in (
        lambda: people.deactivate(db, actor, "ada"),
        lambda: people.change_role(db, machine_owner(), "ada", "editor"),
    ):
        with pytest.raises(ConfigInvalid, match="last active admin"):
            attempt()
    people.add_person(db, actor, "eve", "Eve", "admin", SECRET)
    people.deactivate(db, actor, "eve")
    with pytest.raises(NotAllowed):
        people.sign_in(db, "eve", SECRET, None)
    with pytest.raises(ConfigInvalid, match="last active admin"):
        people.deactivate(db, actor, "ada")


def test_a_change_of_role_is_audited(db: Database, owner_db: Database, ada: int) -> None:
    people.add_person(db, machine_owner(), "eve", "Eve", "viewer", SECRET)
    people.change_role(db, machine_owner(), "eve", "approver")
    assert people.sign_in(db, "eve", SECRET, None).role == "approver"
    with owner_db.transaction() as tx:
        row = tx.connection.execute("select diff from audit_event where action = 'change_role'").fetchone()
    assert row["diff"] == {"from": "viewer", "to": "approver"}


def test_the_simulated_reviewer_cannot_sign_in_or_be_promoted(db: Database, ada: int) -> None:
    people.simulated_reviewer(db)
    with pytest.raises(NotAllowed):
        people.sign_in(db, people.SIMULATED_REVIEWER, "", None)
    with pytest.raises(ConfigInvalid):
        people.change_role(db, machine_owner(), people.SIMULATED_REVIEWER, "admin")
    with pytest.raises(ConfigInvalid):
        people.change_password(db, machine_owner(), people.SIMULATED_REVIEWER, SECRET)
