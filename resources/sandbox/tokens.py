"""Which tokens are good: Reddit's access tokens and their end, and keys that are refused on order."""

import json
import secrets
import time
from typing import Any, NamedTuple

from resources.sandbox.state import State

LIFE_S = 3600.0
LIFE_KEY = "reddit_token_life_s"
REFUSED_KEY = "refused_keys"
# Begins access tokens whose scopes only read.
FOR_READING = "read."
STATES = ("valid", "expired", "revoked")


class Holder(NamedTuple):
    """Who an access token of Reddit was given to: an account ("" for an app alone) and the app's id."""

    account: str
    client: str


def issue_token(state: State, account: str, client: str = "", *, may_write: bool = True) -> str:
    """A new Reddit access token; its life is of real time, as clients count it."""
    token = ("" if may_write else FOR_READING) + secrets.token_urlsafe(24)
    state.db.execute(
        "INSERT INTO token (token, account, expires_at, client) VALUES (?, ?, ?, ?)",
        (token, account, time.time() + token_life_s(state), client),
    )
    return token


def token_life_s(state: State) -> float:
    """How long new access tokens are good, in real seconds."""
    return float(state.meta(LIFE_KEY) or LIFE_S)


def token_holder(state: State, token: str) -> Holder | None:
    """Who holds an access token; None where it is unknown or past its end."""
    row = state.db.execute(
        "SELECT account, client FROM token WHERE token = ? AND expires_at > ?", (token, time.time())
    ).fetchone()
    return None if row is None else Holder(row["account"] or "", row["client"] or "")


def is_refused(state: State, platform: str, account: str) -> bool:
    """Whether the keys of an account are refused now."""
    return [platform, account.lower()] in refused_keys(state)


def refused_keys(state: State) -> list[list[str]]:
    """Pairs of platform and account whose keys are refused."""
    return list(json.loads(state.meta(REFUSED_KEY) or "[]"))


def set_tokens(state: State, platform: str, account: str, wanted: str) -> dict[str, Any]:
    """Let tokens end, or be good again.

    ``expired`` ends the access tokens of Reddit that are out, and a client may sign in again; X's
    keys have nothing to sign in with, so there it means ``revoked``: refused until they are ``valid``.

    Raises:
        ValueError: platform or state is none of those known.
    """
    if platform not in ("x", "reddit"):
        raise ValueError("platform must be x or reddit")
    if wanted not in STATES:
        raise ValueError(f"state must be one of {', '.join(STATES)}")
    pair = [platform, account.lower()]
    with state.transaction() as db:
        refused = [each for each in refused_keys(state) if each != pair]
        if wanted == "revoked" or (wanted == "expired" and platform == "x"):
            refused.append(pair)
        state.set_meta(REFUSED_KEY, json.dumps(refused))
        ended = 0
        if platform == "reddit" and wanted != "valid":
            ended = db.execute(
                "DELETE FROM token WHERE lower(account) IN (?, '')", (account.lower(),)
            ).rowcount
    return {"platform": platform, "account": account, "state": wanted, "ended": ended}


def set_token_life(state: State, life_s: float) -> dict[str, Any]:
    """How long Reddit's access tokens that are given from now on are good.

    Raises:
        ValueError: it is not between a second and a day.
    """
    if not 1 <= life_s <= 86_400:
        raise ValueError("life_s must be between 1 and 86400 seconds")
    state.set_meta(LIFE_KEY, repr(life_s))
    return {"platform": "reddit", "life_s": life_s}
