"""Tokens of the API: short-lived JSON Web Tokens (RFC 7519), signed with EdDSA, for one project and some scopes.

What belongs here: making one from a grant, and reading one back or saying why it is refused. Nothing here logs, and no
error quotes a token.
"""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rejoinder.errors import ConfigInvalid, RejoinderError
from resources.access.keyring import LEEWAY_S, LONGEST_TTL_S, OURS, Key, Keyring
from resources.access.scopes import SCOPES, Scope, checked_name

ALGORITHM = "EdDSA"
AUDIENCE = "rejoinder-api"
DEFAULT_TTL_S = 600
LONGEST_TOKEN = 4096
REQUIRED = ["exp", "iat", "aud", "iss", "sub", "jti", "scope", "project_id"]
REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "it has expired",
    jwt.ImmatureSignatureError: "it is not valid yet: compare the clocks",
    jwt.InvalidAudienceError: f"it is not for {AUDIENCE}",
    jwt.InvalidIssuerError: "its issuer is not whose key signed it",
    jwt.InvalidSignatureError: "its signature is wrong",
    jwt.InvalidAlgorithmError: f"it is not signed with {ALGORITHM}",
    jwt.MissingRequiredClaimError: "a claim is missing",
}


class TokenRefused(RejoinderError):
    """The token does not count; the message says why, without any part of it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows: to whom, what, in which project; person_id where it acts for an account."""

    subject: str
    scopes: tuple[Scope, ...]
    project_id: int
    person_id: int | None = None
    person_name: str | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token that counts says."""

    grant: Grant
    token_id: str
    key_id: str
    issuer: str
    expires_at: datetime


class _Payload(BaseModel):
    """The claims that are ours, as they have to be."""

    model_config = ConfigDict(strict=True, hide_input_in_errors=True)

    sub: str
    jti: str = Field(min_length=1, max_length=100)
    iat: float
    exp: float
    scope: str = Field(max_length=500)
    project_id: int
    person_id: int | None = None
    person_name: str | None = Field(None, max_length=100)


def issue(key: Key, grant: Grant, *, now: datetime, ttl_s: int = DEFAULT_TTL_S) -> tuple[str, Claims]:
    """A token, and what it says.

    Args:
        key: signs it; its private half is at hand.
        grant: what it allows.
        now: an aware time, from which it counts.
        ttl_s: seconds that it lives, from 1 to an hour.

    Raises:
        ConfigInvalid: it would live too long, or not at all, or the subject cannot be called so.
    """
    checked_name(grant.subject)
    if not 1 <= ttl_s <= LONGEST_TTL_S:
        raise ConfigInvalid(
            f"A token cannot live {ttl_s} seconds.", fix=f"Give a number from 1 to {LONGEST_TTL_S}."
        )
    issued_at = now.replace(microsecond=0)
    expires_at = issued_at + timedelta(seconds=ttl_s)
    claims = Claims(grant, secrets.token_urlsafe(12), key.kid, key.owner, expires_at)
    token = jwt.encode(
        _payload(claims, issued_at), _private(key), algorithm=ALGORITHM, headers={"kid": key.kid}
    )
    return token, claims


def _payload(claims: Claims, issued_at: datetime) -> dict[str, Any]:
    grant = claims.grant
    person = {"person_id": grant.person_id, "person_name": grant.person_name} if grant.person_id else {}
    return {
        "iss": claims.issuer,
        "aud": AUDIENCE,
        "sub": grant.subject,
        "jti": claims.token_id,
        "iat": int(issued_at.timestamp()),
        "exp": int(claims.expires_at.timestamp()),
        "scope": " ".join(grant.scopes),
        "project_id": grant.project_id,
        **person,
    }


def _private(key: Key) -> Any:
    if key.d is None:
        raise ConfigInvalid(f"The private half of the key {key.kid} is not here: {key.owner} signs with it.")
    return jwt.PyJWK({**key.public_jwk, "d": key.d.get_secret_value()}, algorithm=ALGORITHM).key


def verify(token: str, ring: Keyring, *, now: datetime) -> Claims:
    """What a token says, if it counts.

    The key is the one that the token names, so keys can be replaced while tokens of both are out. Signature, times and
    audience are checked by PyJWT, 30 seconds of difference between clocks allowed; beyond that a token may not live
    longer than an hour, whoever signed it, and allows no more than its key may give.

    Args:
        token: as it came.
        ring: the keys that count.
        now: an aware time, by which keys retire.

    Raises:
        TokenRefused: it does not count.
    """
    if len(token) > LONGEST_TOKEN:
        raise TokenRefused("it is too long")
    key = ring.find(_named_key(token), now)
    if key is None:
        raise TokenRefused("the key that it names is not known, or was replaced")
    return _claims(key, _decoded(token, key))


def _named_key(token: str) -> object:
    try:
        return jwt.get_unverified_header(token).get("kid")
    except jwt.PyJWTError:
        raise TokenRefused("it cannot be read") from None


def _decoded(token: str, key: Key) -> _Payload:
    try:
        found = jwt.decode(
            token, jwt.PyJWK(key.public_jwk, algorithm=ALGORITHM), algorithms=[ALGORITHM], audience=AUDIENCE,
            issuer=key.owner, leeway=LEEWAY_S, options={"require": REQUIRED, "strict_aud": True},
        )  # fmt: skip
        return _Payload.model_validate(found)
    except jwt.PyJWTError as error:
        raise TokenRefused(REASONS.get(type(error), "it cannot be read")) from None
    except (ValidationError, OverflowError, ValueError, TypeError):
        raise TokenRefused("a claim has the wrong form") from None


def _claims(key: Key, said: _Payload) -> Claims:
    if not 0 < said.exp - said.iat <= LONGEST_TTL_S:
        raise TokenRefused("it lives longer than an hour")
    if said.person_id is not None and key.owner != OURS:
        raise TokenRefused("only tokens made here may act for an account")
    subject = _subject(said)
    asked = set(said.scope.split())
    # A key of ours may be older than a scope: what it may give is not in its file.
    given = SCOPES if key.owner == OURS else key.scopes
    scopes = tuple(scope for scope in SCOPES if scope in asked and scope in given)
    grant = Grant(subject, scopes, said.project_id, said.person_id, said.person_name)
    return Claims(grant, said.jti, key.kid, key.owner, datetime.fromtimestamp(said.exp, UTC))


def _subject(said: _Payload) -> str:
    """Who calls, as a plain name: whoever else signs could write the log's lines or another's name in the audit."""
    try:
        return checked_name(said.sub)
    except ConfigInvalid:
        raise TokenRefused(
            "its subject is no plain name (letters, digits, dots, dashes, 64 at most)"
        ) from None
