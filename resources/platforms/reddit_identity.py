"""How we present ourselves to Reddit: the User-Agent it asks for, and how the account signs in.

Reddit's rule: ``<platform>:<app id>:<version> (by /u/<name>)``, unique and true; names of libraries and of
browsers are throttled or refused (support.reddithelp.com article 16160319875092).
"""

import re
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.platforms.credentials import RedditCredentials

VERSION = "0.1"
FORM = re.compile(r"[^\s:()]+:[^\s:()]+:[^\s:()]+ \(by /?u/[A-Za-z0-9_-]{3,20}\)")


def user_agent(credentials: RedditCredentials) -> str:
    """The User-Agent of the credentials, or one that names the account where they have none.

    Raises:
        ConfigInvalid: it is not of Reddit's form; the message shows one that is.
    """
    ours = f"python:rejoinder:{VERSION} (by /u/{credentials.username})"
    given = credentials.user_agent.strip()
    if given and not FORM.fullmatch(given):
        raise ConfigInvalid(
            f"Reddit would throttle the user_agent {given[:60]!r}: write it as"
            f" <platform>:<app id>:<version> (by /u/<name>), such as {ours!r}, or leave it out"
        )
    return given or ours


def grant(credentials: RedditCredentials) -> dict[str, Any]:
    """How the account signs in: refresh token where there is one, else password."""
    if credentials.refresh_token:
        return {"refresh_token": credentials.refresh_token}
    if credentials.password:
        return {"username": credentials.username, "password": credentials.password}
    return {"username": None, "password": None, "refresh_token": None}
