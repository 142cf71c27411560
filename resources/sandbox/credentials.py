"""The accounts of the sandbox and their keys, made once per state file.

They open nothing but this sandbox. The names are those the platform adapters ask for.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from resources.sandbox.state import State

DEFAULT_ACCOUNT = "rejoinder_demo"
KEY = "credentials"
READ_REFRESH = "read_refresh_token"
HANDLE = re.compile(r"[A-Za-z0-9_]{1,20}")


@dataclass(frozen=True, slots=True)
class Account:
    """A handle with its keys per platform, those of an app of its own among them."""

    account: str
    x: dict[str, str]
    reddit: dict[str, str]


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account's handle and its keys per platform; openai is the key of the models' API.

    others are further accounts, each with an app of its own.
    """

    account: str
    x: dict[str, str]
    reddit: dict[str, str]
    openai: dict[str, str]
    others: tuple[Account, ...] = ()

    def accounts(self) -> Iterator[Account]:
        """Every account, the first one first."""
        yield Account(self.account, self.x, self.reddit)
        yield from self.others

    def as_json(self) -> dict[str, Any]:
        """The shape of ``GET /sandbox/credentials``."""
        named = {each.account: {"x": each.x, "reddit": each.reddit} for each in self.accounts()}
        first = {"account": self.account, "x": self.x, "reddit": self.reddit, "openai": self.openai}
        return {**first, "accounts": named}


def ensure_credentials(state: State, account: str | None, others: Sequence[str] = ()) -> Credentials:
    """The state's credentials, made at first use.

    Args:
        state: where they are kept.
        account: renames the first account; None leaves its name.
        others: further accounts that have to be there; those that are stay.
    """
    with state.transaction():
        stored = state.meta(KEY)
        record = json.loads(stored) if stored else make_credentials(account or DEFAULT_ACCOUNT)
        # A file of before there were models, several accounts, or keys for reading, has every key but theirs.
        record.setdefault("openai", make_model_key())
        record.setdefault("others", [])
        for each in (record, *record["others"]):
            each["x"] = {**make_x_read_keys(each["account"]), **each["x"]}
            each["reddit"].setdefault(READ_REFRESH, secrets.token_urlsafe(16))
        if account:
            record["account"] = record["reddit"]["username"] = account
        known = {each["account"].lower() for each in (record, *record["others"])}
        record["others"] += [make_credentials(name) for name in others if name.lower() not in known]
        state.set_meta(KEY, json.dumps(record))
    return Credentials(**{**record, "others": tuple(Account(**each) for each in record["others"])})


def read_handle(value: object) -> str:
    """A handle that both platforms take.

    Raises:
        ValueError: it is none.

    >>> read_handle("@rejoinder_demo")
    'rejoinder_demo'
    """
    if not isinstance(value, str) or not HANDLE.fullmatch(value.removeprefix("@")):
        raise ValueError("an account is a handle of 1 to 20 letters, digits and underscores")
    return value.removeprefix("@")


def known_account(credentials: Credentials, value: object) -> str:
    """The handle of an account that is here, as it is written here; the first one where none is named.

    Raises:
        ValueError: nobody here has that handle.
    """
    if not value:
        return credentials.account
    named = {each.account.lower(): each.account for each in credentials.accounts()}
    handle = read_handle(value)
    if handle.lower() not in named:
        raise ValueError(f"no account {handle}; there are {', '.join(named.values())}")
    return named[handle.lower()]


def make_credentials(account: str) -> dict[str, Any]:
    """Fresh random keys for both platforms."""
    x_names = ("bearer_token", "consumer_key", "consumer_secret", "access_token_secret", "oauth2_user_token")
    x_keys = {name: secrets.token_urlsafe(24) for name in x_names}
    x_keys["access_token"] = f"{user_id(account)}-{secrets.token_urlsafe(24)}"
    x_keys |= make_x_read_keys(account)
    reddit_names = ("client_id", "client_secret", "password", "refresh_token", READ_REFRESH)
    reddit_keys = {name: secrets.token_urlsafe(16) for name in reddit_names}
    return {"account": account, "x": x_keys, "reddit": {"username": account, **reddit_keys}}


def make_x_read_keys(account: str) -> dict[str, str]:
    """Fresh random keys of the account for a second app, which has the permission Read alone."""
    names = ("read_consumer_key", "read_consumer_secret", "read_access_token_secret")
    keys = {name: secrets.token_urlsafe(24) for name in names}
    return {**keys, "read_access_token": f"{user_id(account)}-{secrets.token_urlsafe(24)}"}


def make_model_key() -> dict[str, str]:
    """A fresh random key for the models' API, in the form that its clients expect."""
    return {"api_key": f"sk-rehearsal-{secrets.token_urlsafe(24)}"}


def user_id(handle: str) -> str:
    """A stable numeric id for a handle, as X would have one.

    >>> user_id("Alice") == user_id("alice")
    True
    """
    digest = hashlib.sha256(handle.lower().encode("utf-8")).digest()
    return str(int.from_bytes(digest[:7], "big"))
