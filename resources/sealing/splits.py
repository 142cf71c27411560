"""What of a channel's credentials reading needs, and what writing needs: the one is no part of the other's row.

Fields are those of `resources.platforms.credentials`. ``access`` says which of the two a credential is; a client that
was opened with one for reading refuses to write, whatever else it holds.

Sources: docs.x.com/fundamentals/authentication (app-only tokens write nothing; an app's or token's permission may be
read-only), github.com/reddit-archive/reddit/wiki/OAuth2 (scopes, application-only tokens); read 2026-11.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rejoinder.errors import ConfigInvalid
from resources.sealing.credential import Credential

Access = Literal["read", "write"]
ACCESS = "access"
# Keys of the account for reading alone, which the operator may add: each stands for the field without "read_".
X_READ = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
REDDIT_READ = ("refresh_token",)
SHARED: Mapping[str, tuple[str, ...]] = {
    "x": ("bearer_token", "username", "user_id"),
    "reddit": ("client_id", "client_secret", "username", "user_agent"),
}
OWN: Mapping[str, tuple[str, ...]] = {"x": X_READ, "reddit": REDDIT_READ}


@dataclass(frozen=True, slots=True)
class Split:
    """A channel's two credentials; is_apart is False for platforms whose credentials nobody can tell apart here."""

    read: Credential
    write: Credential
    is_apart: bool = True


def split_credentials(platform: str, given: Mapping[str, str], *, account: str = "") -> Split:
    """The least that reading needs, and what writing needs besides.

    Args:
        platform: an adapter of another package gets everything for both, as its fields are not known here.
        given: the fields of the platform, and any of those for reading, named ``read_<field>``.
        account: the handle, for a platform whose keys for reading cannot tell whose they are.

    Raises:
        ConfigInvalid: of the fields for reading some are there and some are not.

    >>> split = split_credentials("reddit", {"client_id": "a", "client_secret": "b", "password": "c"})
    >>> split.read, split.write
    (Credential(client_id, client_secret, access), Credential(client_id, client_secret, password, access))
    """
    if platform not in SHARED:
        return Split(Credential(given), Credential(given), is_apart=False)
    given = {**_named(platform, given, account), **given}
    shared = {name: given[name] for name in SHARED[platform] if given.get(name)}
    own = _for_reading(platform, given)
    rest = {name: value for name, value in given.items() if not name.startswith("read_") and name != ACCESS}
    return Split(Credential({**shared, **own, ACCESS: "read"}), Credential({**rest, ACCESS: "write"}))


def _named(platform: str, given: Mapping[str, str], account: str) -> dict[str, str]:
    """Whose keys they are: X's token for an account begins with the account's number."""
    handle = account.removeprefix("@").removeprefix("u/")
    number = given.get("access_token", "").partition("-")[0] if platform == "x" else ""
    found = {"username": handle, "user_id": number if number.isdecimal() else ""}
    return {name: value for name, value in found.items() if value}


def _for_reading(platform: str, given: Mapping[str, str]) -> dict[str, str]:
    """The account's keys for reading under their plain names; none where none were given."""
    found = {name: given[f"read_{name}"] for name in OWN[platform] if given.get(f"read_{name}")}
    missing = [f"read_{name}" for name in OWN[platform] if name not in found]
    if found and missing:
        raise ConfigInvalid(f"the keys for reading lack {', '.join(missing)}: give all of them, or none")
    return found


def can_write(platform: str, credential: Mapping[str, str]) -> bool:
    """Whether a credential that is stored for reading holds more than reading needs.

    >>> can_write("reddit", {"client_id": "a", "password": "c"})
    True
    """
    return credential.get(ACCESS) != "read" or bool({"password"} & set(credential))
