"""Who calls: the token of a request, read and judged before anything is done for it."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.desk import AtDesk, Desk
from api.problems import Refusal
from rejoinder.errors import ConfigInvalid
from rejoinder.ids import PersonId
from resources.access.keyring import OURS, Keyring
from resources.access.scopes import Scope
from resources.access.tokens import Claims, TokenRefused, verify
from resources.commands.actors import Actor, authorise

log = logging.getLogger("rejoinder.api")
bearer = HTTPBearer(
    auto_error=False,
    bearerFormat="JWT",
    description="A token of `rejoinder api token`; the description of each route names the scope it needs.",
)
Given = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts, and in which project."""

    actor: Actor
    project_id: int


def may(scope: Scope) -> Callable[..., Awaitable[Caller]]:
    """The dependency of a route that needs a scope."""

    async def caller(request: Request, desk: AtDesk, given: Given) -> Caller:
        claims = _read(request, desk, given)
        _allow(request, desk, claims, scope)
        actor = _actor(request, claims)
        if actor.person_id is not None:  # an account that was shut must not go on by an old token
            await desk.workers.run(_in_force, desk, actor)
        return Caller(actor, claims.grant.project_id)

    return caller


MayRead = Annotated[Caller, Depends(may("sources:read"))]
MayWrite = Annotated[Caller, Depends(may("sources:write"))]
MaySearch = Annotated[Caller, Depends(may("search"))]
MayAsk = Annotated[Caller, Depends(may("ask"))]
MayTellConversions = Annotated[Caller, Depends(may("conversions:write"))]


def _read(request: Request, desk: Desk, given: HTTPAuthorizationCredentials | None) -> Claims:
    if given is None:
        _log(request, 401, "no token")
        raise Refusal(
            "no-token", "This needs a token.", headers={"WWW-Authenticate": 'Bearer realm="rejoinder"'}
        )
    try:
        return verify(given.credentials, _keys(desk), now=datetime.now(UTC))
    except TokenRefused as error:
        _log(request, 401, str(error))
        challenge = f'Bearer realm="rejoinder", error="invalid_token", error_description="{error}"'
        raise Refusal(
            "token-refused", f"The token does not count: {error}.", headers={"WWW-Authenticate": challenge}
        ) from None


def _keys(desk: Desk) -> Keyring:
    """The keys that count. Why they cannot be read is for the operator: it names a file, and anybody may ask."""
    try:
        return desk.keys.current()
    except (ConfigInvalid, OSError) as error:
        log.error("tokens cannot be checked: %s", error)
        raise Refusal(
            "unavailable",
            "Tokens cannot be checked at this moment.",
            fix="Tell the operator: the log says why.",
        ) from None


def _allow(request: Request, desk: Desk, claims: Claims, scope: Scope) -> None:
    if claims.grant.project_id != desk.bench.project_id:
        _log(request, 403, "another project", claims)
        raise Refusal("not-allowed", "The token is for another project.")
    if scope not in claims.grant.scopes:
        _log(request, 403, f"without {scope}", claims)
        challenge = f'Bearer realm="rejoinder", error="insufficient_scope", scope="{scope}"'
        raise Refusal(
            "scope-missing", f"This needs the scope {scope}.", headers={"WWW-Authenticate": challenge}
        )


def _actor(request: Request, claims: Claims) -> Actor:
    """Without an account the machine's owner acts, who made the token or trusted the key that signed it."""
    grant, via = claims.grant, _label(claims)
    address = request.client.host if request.client else None
    if grant.person_id is None:
        return Actor(None, via, "admin", ip_address=address)
    return Actor(PersonId(grant.person_id), grant.person_name or "", "viewer", ip_address=address, via=via)


def _label(claims: Claims) -> str:
    """How the audit names the caller: what another service signed names that service too."""
    subject = claims.grant.subject
    return f"api:{subject}" if claims.issuer == OURS else f"api:{claims.issuer}/{subject}"


def _in_force(desk: Desk, actor: Actor) -> None:
    with desk.bench.db.transaction() as tx:
        authorise(tx, actor, "view")


def _log(request: Request, status: int, why: str, claims: Claims | None = None) -> None:
    """One line without the token: what was refused, to whom as far as known, and why."""
    who = f"{claims.grant.subject} of {claims.issuer}" if claims else "unknown"
    address = request.client.host if request.client else "-"
    log.warning(
        "%s refused %d %s from %s (%s): %s",
        request.scope.get("rejoinder.request_id"),
        status,
        request.method,
        address,
        who,
        why,
    )
