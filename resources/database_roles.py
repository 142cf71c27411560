"""What the doctor sees of logins and groups: what they may change, and who may enter the database."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from psycopg.rows import DictRow


class Look(NamedTuple):
    """What one look showed; fix is empty where nothing has to be done."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def look_at_roles(
    ask: Callable[..., list[DictRow]], database: str, groups: Sequence[str], logins: Sequence[str]
) -> list[Look]:
    """Whether the gate of approval holds for the groups and logins, and who may enter.

    Args:
        ask: runs a named statement as the owner.
        database: its name, for the lines to run.
        groups: of the whole server.
        logins: of the application and of the publisher.
    """
    found = {row["role"] for row in ask("roles_found", roles=list(groups))}
    if missing := sorted(set(groups) - found):
        return [Look("roles", "fail", f"{', '.join(missing)} not there", "rejoinder init")]
    return [_rights(ask, [*groups, *logins]), _doors(ask, database, groups, logins)]


def _rights(ask: Callable[..., list[DictRow]], roles: list[str]) -> Look:
    if mighty := [row["role"] for row in ask("roles_that_may_too_much", roles=roles)]:
        fix = f"As an administrator, take superuser, CREATE, the owner's role or one group from {', '.join(mighty)}."
        return Look("roles", "fail", f"{', '.join(mighty)} could change the approval gate", fix)
    return Look("roles", "ok", "the application may change neither tables nor the approval gate")


def _doors(
    ask: Callable[..., list[DictRow]], database: str, groups: Sequence[str], logins: Sequence[str]
) -> Look:
    named = list(logins)
    if shut_out := [row["role"] for row in ask("logins_shut_out", roles=named)]:
        detail = f"{', '.join(shut_out)} may not enter {database}"
        return Look("database", "fail", detail, f"As its owner: {_grant(database, shut_out)}")
    admitted = [row["role"] for row in ask("let_in_unnamed", groups=list(groups))]
    if not admitted:
        return Look("database", "ok", f"{database}: its owner and its own logins alone may enter")
    # So it is after a backup was restored into a new database: rights of a database are no part of it.
    lines = _grant(database, [row["role"] for row in ask("logins_not_named", roles=named)])
    revoke = f'REVOKE CONNECT ON DATABASE "{database}" FROM {", ".join(admitted)};'
    return Look(
        "database",
        "warn",
        f"{', '.join(admitted)} may enter {database}: so may logins of other installations on this server",
        f"As its owner: {lines}{' ' if lines else ''}{revoke}",
    )


def _grant(database: str, logins: Sequence[str]) -> str:
    named = ", ".join(f'"{login}"' for login in logins)
    return f'GRANT CONNECT ON DATABASE "{database}" TO {named};' if logins else ""
