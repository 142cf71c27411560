"""Who acts: the person or machine behind a command, whether they may, and the audit row that says they did."""

import ipaddress
import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass, replace

from psycopg.types.json import Jsonb

from rejoinder.errors import NotAllowed
from rejoinder.ids import PersonId
from rejoinder.review.roles import Action, Role, require
from resources.postgres import Transaction

# What whoever owns the machine may do without being a person in the database.
MACHINE_ACTIONS: frozenset[Action] = frozenset({"manage_people", "retry", "view", "ingest", "pause"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts. person_id is None for the owner of the machine; via says by which door, if not the review app."""

    person_id: PersonId | None
    name: str
    role: Role
    ip_address: str | None = None
    is_simulated: bool = False
    via: str | None = None

    @property
    def label(self) -> str:
        """How the audit names the actor.

        >>> Actor(PersonId(1), "ada", "admin", via="cli:root").label
        'cli:root as ada'
        """
        return f"{self.via} as {self.name}" if self.via else self.name


def machine_owner() -> Actor:
    """Whoever runs commands on the machine itself, and so owns the data already."""
    return Actor(None, operating_system_user(), "admin")


def operating_system_user() -> str:
    """``cli:`` and the name of the account that runs this process, or its number if it has none."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"


def authorise(tx: Transaction, actor: Actor, action: Action) -> Actor:
    """The actor with the role of this very moment, which may have changed since the sign-in.

    Raises:
        NotAllowed: the role does not allow the action, or the account was deactivated.
    """
    if actor.person_id is None:
        if action not in MACHINE_ACTIONS:
            raise NotAllowed(f"{action.replace('_', ' ')} needs a person: name one with --as")
        return actor
    standing = tx.row("person_standing", id=actor.person_id)
    if standing is None or not standing["is_active"]:
        raise NotAllowed(f"the account {actor.name} is not active")
    require(standing["role"], action)
    return replace(actor, role=standing["role"], is_simulated=standing["is_simulated"])


def record(
    tx: Transaction,
    actor: Actor,
    action: str,
    entity_type: str,
    entity_id: int | None,
    diff: Mapping[str, object] | None = None,
) -> None:
    """Write the audit row of a command, in the command's own transaction."""
    tx.execute(
        "insert_audit_event",
        person_id=actor.person_id,
        actor=actor.label,
        action=action,
        entity_type=entity_type,
        entity_id=entity_id,
        diff=Jsonb(dict(diff or {})),
        ip_address=_readable_address(actor.ip_address),
    )


def _readable_address(given: str | None) -> str | None:
    # A proxy may hand over anything; an address that cannot be read must not stop the command.
    try:
        return str(ipaddress.ip_address(given)) if given else None
    except ValueError:
        return None
