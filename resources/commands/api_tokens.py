"""Tokens of the API: made for a service or for a person, each with an audit row that has no token in it.

Changes of the keys too: their file cannot be rolled back, so it is written last, once the audit has its row.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from resources.access.keyring import Key, distrust, ensure_signing_key, rotate, trust
from resources.access.scopes import Scope
from resources.access.tokens import DEFAULT_TTL_S, Claims, Grant, issue
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database
from resources.store.sources import default_project


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, which is shown once, and what it says."""

    token: str
    claims: Claims

    def __repr__(self) -> str:
        """No token in logs."""
        return f"Issued({self.claims!r})"


def issue_token(
    db: Database,
    home: Path,
    actor: Actor,
    *,
    subject: str,
    scopes: tuple[Scope, ...],
    ttl_s: int = DEFAULT_TTL_S,
    now: datetime | None = None,
) -> Issued:
    """Make a token for a service; it acts for the person who makes it, else for the machine.

    Raises:
        NotAllowed: the person's role does not allow what the scopes do.
        ConfigInvalid: it would live too long; see `issue`.
    """
    now = now or datetime.now(UTC)
    with db.transaction() as tx:
        writes = any(scope.endswith(":write") for scope in scopes)
        acting = authorise(tx, actor, "ingest" if writes else "view")
        person = (acting.person_id, acting.name) if acting.person_id is not None else (None, None)
        grant = Grant(subject, scopes, default_project(tx), *person)
        token, claims = issue(ensure_signing_key(home, now), grant, now=now, ttl_s=ttl_s)
        diff = {"subject": subject, "scopes": list(scopes), "ttl_s": ttl_s, "token_id": claims.token_id}
        record(tx, acting, "issue", "api_token", None, diff)
    return Issued(token, claims)


def rotate_keys(db: Database, home: Path, actor: Actor, *, at_once: bool = False) -> Key:
    """Sign with a new key from now on; at_once refuses what was signed before.

    Raises:
        NotAllowed: the actor is neither the machine's owner nor an admin.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_people")

        def note(key: Key) -> None:
            record(tx, acting, "rotate", "api_key", None, {"key_id": key.kid, "at_once": at_once})

        return rotate(home, datetime.now(UTC), at_once=at_once, first=note)


def trust_key(
    db: Database, home: Path, actor: Actor, *, owner: str, public_key: bytes, scopes: tuple[Scope, ...]
) -> Key:
    """Accept tokens that another service signs with its own key, for these scopes at most.

    Raises:
        NotAllowed: the actor is neither the machine's owner nor an admin.
        ConfigInvalid: it is no public Ed25519 key, or the name is taken.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_people")

        def note(key: Key) -> None:
            diff = {"owner": owner, "key_id": key.kid, "scopes": list(scopes)}
            record(tx, acting, "trust", "api_key", None, diff)

        return trust(home, owner, public_key, scopes, datetime.now(UTC), first=note)


def distrust_key(db: Database, home: Path, actor: Actor, owner: str) -> None:
    """Refuse what another service signs from now on.

    Raises:
        NotAllowed: the actor is neither the machine's owner nor an admin.
        ConfigInvalid: no key of this service is trusted.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_people")

        def note() -> None:
            record(tx, acting, "distrust", "api_key", None, {"owner": owner})

        distrust(home, owner, first=note)
