"""Accounts: who may sign in, with which role and password; each change and each sign-in is audited."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rejoinder.errors import ConfigInvalid, NotAllowed
from rejoinder.ids import PersonId
from rejoinder.review.roles import ROLES, Role
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.channels import enabled_channels

SIMULATED_REVIEWER = "simulated-reviewer"
MALFORMED = "(malformed)"
MIN_PASSWORD_LENGTH = 12
MAX_PASSWORD_LENGTH = 1024
MAX_TRIES = 5
LOCK_S = 900
SIGN_IN_FAILED = (
    "The name or the password is wrong, or the account is locked: "
    f"{MAX_TRIES} wrong tries lock it for {LOCK_S // 60} minutes."
)

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Person:
    """One account; locked_until is in the past or None when it is not locked."""

    id: PersonId
    name: str
    display_name: str
    role: Role
    is_simulated: bool
    is_active: bool
    locked_until: datetime | None
    created_at: datetime


def check_password(name: str, password: str) -> None:
    """Pass silently if the password may be used by the person of that name.

    Raises:
        ConfigInvalid: it is too short, too long, or the name.

    >>> check_password("ada", "correct horse battery")
    """
    if len(password) < MIN_PASSWORD_LENGTH:
        raise ConfigInvalid(f"The password is too short: use at least {MIN_PASSWORD_LENGTH} characters.")
    if len(password) > MAX_PASSWORD_LENGTH:
        raise ConfigInvalid(f"The password is too long: use at most {MAX_PASSWORD_LENGTH} characters.")
    if password.strip().lower() == name:
        raise ConfigInvalid("The password may not be the name: choose another.")


def check_account(db: Database, name: str, role: Role | None) -> Role:
    """The role that a new account of this name would have: the first one is an admin, others approve.

    For a look before a password is asked for; `add_person` looks again. A role of None asks for the usual one.

    Raises:
        ConfigInvalid: the name is taken or malformed, the role unknown, or no admin's for the first account.
    """
    name = _checked_name(name)
    if role is not None:
        _checked_role(role)
    with db.transaction() as tx:
        is_first = not tx.value("count_real_people")
        role = role or ("admin" if is_first else "approver")
        _keep_first_for_admin(tx, role)
        if tx.row("find_person", name=name):
            raise _taken(name)
    return role


def add_person(
    db: Database, actor: Actor, name: str, display_name: str, role: Role, password: str
) -> PersonId:
    """Make an account; the first one has to be an admin's.

    Raises:
        NotAllowed: the actor may not manage people.
        ConfigInvalid: name, role or password cannot be used, or the first account is no admin's.
    """
    name = _checked_name(name)
    _checked_role(role)
    check_password(name, password)
    password_hash = _hasher().hash(password)
    with db.transaction() as tx:
        tx.rows("lock_people")
        acting = authorise(tx, actor, "manage_people")
        _keep_first_for_admin(tx, role)
        return _insert_person(tx, acting, name, display_name.strip() or name, role, password_hash)


def _checked_name(name: str) -> str:
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise ConfigInvalid(
            f"The name {name!r} cannot be used: start with a letter or digit, then letters, digits, . _ or -, "
            "64 characters at most."
        )
    if name == SIMULATED_REVIEWER:
        raise ConfigInvalid(f"The name {SIMULATED_REVIEWER} is kept for the demo: choose another.")
    return name


def _checked_role(role: str) -> None:
    if role not in ROLES:
        raise ConfigInvalid(f"There is no role {role!r}: use one of {', '.join(ROLES)}.")


def _keep_first_for_admin(tx: Transaction, role: Role) -> None:
    # Without an admin nobody could decide by default, and nobody could manage accounts in the review app.
    if role != "admin" and not tx.value("count_real_people"):
        fix = "Leave --role out or give --role admin; further accounts may have any role."
        raise ConfigInvalid("The first account has to be an admin.", fix=fix)


def _taken(name: str) -> ConfigInvalid:
    return ConfigInvalid(f"The name {name} is taken.", fix="Choose another name.")


def _insert_person(
    tx: Transaction, actor: Actor, name: str, display_name: str, role: Role, password_hash: str | None
) -> PersonId:
    person_id = tx.value(
        "insert_person",
        name=name,
        display_name=display_name,
        role=role,
        password_hash=password_hash,
        is_simulated=password_hash is None,
    )
    if person_id is None:
        raise _taken(name)
    record(tx, actor, "add_person", "person", person_id, {"name": name, "role": role})
    return PersonId(person_id)


def sign_in(db: Database, name: str, password: str, ip: str | None) -> Actor:
    """The actor that this name and password belong to; both outcomes are audited.

    A wrong name costs as much time as a wrong password, and the message is the same.

    Raises:
        NotAllowed: name or password is wrong, or the account is locked or deactivated.
    """
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        name = MALFORMED  # nobody's; what was typed may be a password in the wrong field, so it is not kept
    with db.transaction() as tx:
        found = tx.row("begin_sign_in", name=name, max_tries=MAX_TRIES, lock_s=LOCK_S)
    is_right = _verifies(found["password_hash"] if found else _hash_of_nobody(), password)
    with db.transaction() as tx:
        if found is None or not is_right:
            _record_failure(tx, name, ip)
        else:
            actor = Actor(found["id"], found["name"], found["role"], ip, found["is_simulated"])
            tx.execute("end_sign_in", id=actor.person_id)
            record(tx, actor, "sign_in", "person", actor.person_id)
            return actor
    raise NotAllowed(SIGN_IN_FAILED)


def _record_failure(tx: Transaction, name: str, ip: str | None) -> None:
    person = tx.row("find_person", name=name)
    person_id = person["id"] if person else None
    nobody = Actor(None, "sign-in", "viewer", ip)
    record(tx, nobody, "sign_in_failed", "person", person_id, {"name": name})


def _verifies(password_hash: str, password: str) -> bool:
    # Longer ones were never accepted; hashing megabytes would only keep the machine busy.
    is_hashable = len(password) <= MAX_PASSWORD_LENGTH
    try:
        return _hasher().verify(password_hash, password if is_hashable else "") and is_hashable
    except (VerificationError, InvalidHashError, UnicodeEncodeError):
        return False


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher().hash("nobody has this password")


def change_password(
    db: Database, actor: Actor, name: str, password: str, *, current: str | None = None
) -> None:
    """Give an account another password: one's own with the current one, anybody's as an admin.

    Raises:
        NotAllowed: it is someone else's and the actor is no admin, or the current password is wrong.
        ConfigInvalid: there is no such account, or the password is too weak.
    """
    name = name.strip().lower()
    check_password(name, password)
    password_hash = _hasher().hash(password)
    with db.transaction() as tx:
        person = _person(tx, name)
        is_own = person["id"] == actor.person_id
        authorise(tx, actor, "view" if is_own else "manage_people")
        if is_own and not _verifies(person["password_hash"] or "", current or ""):
            raise NotAllowed("The current password is wrong.")
        if person["is_simulated"]:
            raise ConfigInvalid(f"{name} is simulated and cannot sign in.")
        tx.execute("set_password", id=person["id"], password_hash=password_hash)
        record(tx, actor, "change_password", "person", person["id"])


def change_role(db: Database, actor: Actor, name: str, role: Role) -> None:
    """Give an account another role.

    Raises:
        NotAllowed: the actor may not manage people.
        ConfigInvalid: there is no such account or role, or it is the last active admin.
    """
    _checked_role(role)
    with db.transaction() as tx:
        tx.rows("lock_people")
        authorise(tx, actor, "manage_people")
        person = _person(tx, name)
        if person["is_simulated"]:
            raise ConfigInvalid(f"{name} is simulated: its role is fixed.")
        if role != "admin":
            _keep_an_admin(tx, person)
        tx.execute("set_role", id=person["id"], role=role)
        record(tx, actor, "change_role", "person", person["id"], {"from": person["role"], "to": role})


def deactivate(db: Database, actor: Actor, name: str) -> None:
    """Shut an account; what it decided stays.

    Raises:
        NotAllowed: the actor may not manage people.
        ConfigInvalid: there is no such account, or it is the last active admin.
    """
    with db.transaction() as tx:
        tx.rows("lock_people")
        authorise(tx, actor, "manage_people")
        person = _person(tx, name)
        _keep_an_admin(tx, person)
        tx.execute("deactivate_person", id=person["id"])
        record(tx, actor, "deactivate_person", "person", person["id"])


def _person(tx: Transaction, name: str) -> dict[str, Any]:
    name = name.strip().lower()
    person = tx.row("find_person", name=name) if _NAME.fullmatch(name) else None
    if person is None:
        fix = "Name one of those that `rejoinder user list` shows."
        raise ConfigInvalid(f"There is no account named {name}.", fix=fix)
    return person


def _keep_an_admin(tx: Transaction, person: dict[str, Any]) -> None:
    is_admin = person["role"] == "admin" and person["is_active"]
    if is_admin and not tx.value("count_other_active_admins", id=person["id"]):
        raise ConfigInvalid(f"{person['name']} is the last active admin: make another one first.")


def list_people(db: Database) -> list[Person]:
    """Every account, oldest first."""
    with db.transaction() as tx:
        return [Person(**row) for row in tx.rows("list_people")]


def simulated_reviewer(db: Database) -> Actor:
    """The demo's simulated reviewer, made if it is not there; its decisions are marked as simulated.

    Raises:
        ConfigInvalid: an enabled channel is not the sandbox.
    """
    with db.transaction() as tx:
        real = [channel.name for channel in enabled_channels(tx) if not channel.is_sandbox]
        if real:
            raise ConfigInvalid(
                f"The simulated reviewer is refused: {', '.join(real)} is not the sandbox. Disable it first."
            )
        tx.rows("lock_people")
        person = tx.row("find_person", name=SIMULATED_REVIEWER)
        actor = Actor(None, "demo", "admin")
        person_id = (
            person["id"]
            if person
            else _insert_person(tx, actor, SIMULATED_REVIEWER, "Simulated reviewer", "approver", None)
        )
    return Actor(person_id, SIMULATED_REVIEWER, "approver", is_simulated=True)
