"""The account of the sandbox and its keys, made once per state file.

They open nothing but this sandbox. The names are those the platform adapters ask for.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from typing import Any

from resources.sandbox.state import State

DEFAULT_ACCOUNT = "rejoinder_demo"
KEY = "credentials"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The account's handle and its keys per platform; those of the models' API are under openai."""

    account: str
    x: dict[str, str]
    reddit: dict[str, str]
    openai: dict[str, str]

    def as_json(self) -> dict[str, Any]:
        """The shape of ``GET /sandbox/credentials``."""
        return {"account": self.account, "x": self.x, "reddit": self.reddit, "openai": self.openai}


def ensure_credentials(state: State, account: str | None) -> Credentials:
    """The state's credentials, made at first use; a named account renames the stored one."""
    with state.transaction():
        stored = state.meta(KEY)
        record = json.loads(stored) if stored else make_credentials(account or DEFAULT_ACCOUNT)
        # A file of before there were models has every key but theirs.
        record.setdefault("openai", make_model_key())
        if account:
            record["account"] = record["reddit"]["username"] = account
        state.set_meta(KEY, json.dumps(record))
    return Credentials(**record)


def make_credentials(account: str) -> dict[str, Any]:
    """Fresh random keys for both platforms."""
    x_names = ("bearer_token", "consumer_key", "consumer_secret", "access_token_secret", "oauth2_user_token")
    x_keys = {name: secrets.token_urlsafe(24) for name in x_names}
    x_keys["access_token"] = f"{user_id(account)}-{secrets.token_urlsafe(24)}"
    reddit_names = ("client_id", "client_secret", "password", "refresh_token")
    reddit_keys = {name: secrets.token_urlsafe(16) for name in reddit_names}
    return {"account": account, "x": x_keys, "reddit": {"username": account, **reddit_keys}}


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
