"""What a token may allow, a scope per kind of deed, and what services may be called."""

import re
from collections.abc import Iterable
from typing import Literal, get_args

from rejoinder.errors import ConfigInvalid

Scope = Literal["sources:read", "sources:write", "search", "ask", "conversions:write"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def parse_scopes(names: Iterable[str]) -> tuple[Scope, ...]:
    """The scopes of these names, in the order of SCOPES, each once.

    Raises:
        ConfigInvalid: there is none, or one is not known.

    >>> parse_scopes(["search", "sources:read", "search"])
    ('sources:read', 'search')
    """
    asked = set(names)
    if unknown := sorted(asked - set(SCOPES)):
        raise ConfigInvalid(f"There is no scope {unknown[0]!r}.", fix=f"Use some of {', '.join(SCOPES)}.")
    if not asked:
        raise ConfigInvalid("A token without a scope allows nothing.", fix="Name one with --scope.")
    return tuple(scope for scope in SCOPES if scope in asked)


def checked_name(name: str) -> str:
    """The name of a service, if it can be one: it stands in tokens, logs and the audit.

    Raises:
        ConfigInvalid: it cannot.

    >>> checked_name("crud-backend")
    'crud-backend'
    """
    if not _NAME.fullmatch(name):
        raise ConfigInvalid(
            f"A service cannot be called {name[:70]!r}.",
            fix="Use letters, digits, dots, dashes and underscores, 64 at most.",
        )
    return name
