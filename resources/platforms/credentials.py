"""Credentials of the platforms: which fields each needs; never shown in a repr or a message."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, TypeVar

from rejoinder.errors import ConfigInvalid


@dataclass(frozen=True, slots=True)
class XCredentials:
    """Keys of an X app and of the account it acts for (OAuth 1.0a user context)."""

    bearer_token: str = field(repr=False)
    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    access_token: str = field(repr=False)
    access_token_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RedditCredentials:
    """Keys of a Reddit app and a password or a refresh token of the account.

    user_agent follows Reddit's form ``<platform>:<app id>:<version> (by /u/<name>)``.
    """

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str
    password: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    user_agent: str = ""


Shape = TypeVar("Shape", XCredentials, RedditCredentials)


def read_credentials(shape: type[Shape], given: Mapping[str, str]) -> Shape:
    """Credentials out of a mapping; names it does not need are left alone.

    Raises:
        ConfigInvalid: a field is missing or empty; the message names it, never a value.
    """
    known: dict[str, Any] = {each.name: given.get(each.name, "") for each in fields(shape)}
    missing = [each.name for each in fields(shape) if each.default is MISSING and not known[each.name]]
    if shape is RedditCredentials and not (known["password"] or known["refresh_token"]):
        missing.append("password or refresh_token")
    if missing:
        raise ConfigInvalid(f"the channel's credentials lack {', '.join(missing)}")
    return shape(**known)
