"""Credentials of the platforms: which fields each needs; never shown in a repr or a message.

``access`` says what a credential was made for (`resources.sealing.splits`): one for reading may lack the account's
own keys, and a client that was opened with it refuses to write.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from rejoinder.errors import ConfigInvalid
from resources.platforms.failures import AuthExpired


@dataclass(frozen=True, slots=True)
class XCredentials:
    """Keys of an X app and of the account it acts for (OAuth 1.0a user context).

    Reading does without the account's keys where username and user_id say whose account it is.
    """

    bearer_token: str = field(repr=False)
    consumer_key: str = field(default="", repr=False)
    consumer_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    access_token_secret: str = field(default="", repr=False)
    username: str = ""
    user_id: str = ""
    access: str = "write"

    @property
    def acts_for_account(self) -> bool:
        """Whether the account's own keys are among them."""
        return bool(self.access_token)

    def missing(self) -> list[str]:
        """Names of the fields that are not there and needed."""
        account = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
        if self.access == "read" and not any(getattr(self, name) for name in account):
            return lacking(self, ("bearer_token", "username", "user_id"))
        return lacking(self, ("bearer_token", *account))


@dataclass(frozen=True, slots=True)
class RedditCredentials:
    """Keys of a Reddit app and a password or a refresh token of the account; reading does without these two.

    user_agent follows Reddit's form ``<platform>:<app id>:<version> (by /u/<name>)``.
    """

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    username: str
    password: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    user_agent: str = ""
    access: str = "write"

    @property
    def acts_for_account(self) -> bool:
        """Whether it signs in as the account, and not as the app alone."""
        return bool(self.password or self.refresh_token)

    def missing(self) -> list[str]:
        """Names of the fields that are not there and needed."""
        own = [] if self.access == "read" or self.acts_for_account else ["password or refresh_token"]
        return lacking(self, ("client_id", "client_secret", "username")) + own


Shape = TypeVar("Shape", XCredentials, RedditCredentials)


def lacking(given: object, names: tuple[str, ...]) -> list[str]:
    """The names whose fields are empty."""
    return [name for name in names if not getattr(given, name)]


def read_credentials(shape: type[Shape], given: Mapping[str, str]) -> Shape:
    """Credentials out of a mapping; names it does not need are left alone.

    Raises:
        ConfigInvalid: a field is missing or empty; the message names it, never a value.
    """
    known: dict[str, Any] = {each.name: given.get(each.name, "") for each in fields(shape)}
    found = shape(**{**known, "access": given.get("access", "write")})
    if missing := found.missing():
        raise ConfigInvalid(f"the channel's credentials lack {', '.join(missing)}")
    return found


def refuse_to_write(credentials: XCredentials | RedditCredentials) -> None:
    """Stop before a request that a credential was not made for.

    Raises:
        AuthExpired: it is for reading.
    """
    if credentials.access == "read":
        raise AuthExpired(
            "the channel's credential for reading cannot write: only the publisher writes; nothing was sent"
        )
