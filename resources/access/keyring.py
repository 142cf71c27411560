"""The keys that sign and check the API's tokens: Ed25519, as JSON Web Keys, in one file that only its owner may read.

What belongs here: making, replacing, trusting and dropping keys. A key of ours has its private half in the file; of a
key that another service holds, only the public half is here, with the scopes that it may give.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr, ValidationError, field_serializer

from rejoinder.errors import ConfigInvalid
from resources.access.scopes import SCOPES, Scope, checked_name
from resources.embedded.private_files import one_at_a_time, write_private

KEY_FILE = "api_keys.json"
OURS = "rejoinder"
# The longest life of a token, and so how long a key that was replaced is still needed to check what it signed.
LONGEST_TTL_S = 3600
LEEWAY_S = 30


class Key(BaseModel):
    """An Ed25519 key (RFC 8037): x and d are its public and private half in base64url, d only of a key of ours.

    Tokens that it signed count until retires_at; owner is who signs with it, scopes what it may give.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kid: str
    x: str
    d: SecretStr | None = None
    owner: str = OURS
    scopes: tuple[Scope, ...] = SCOPES
    created_at: AwareDatetime
    retires_at: AwareDatetime | None = None

    @property
    def can_sign(self) -> bool:
        """Whether new tokens are signed with it: it is ours and in force."""
        return self.d is not None and self.retires_at is None

    @property
    def public_jwk(self) -> dict[str, str]:
        """Its public half as a JSON Web Key."""
        return {"kty": "OKP", "crv": "Ed25519", "kid": self.kid, "x": self.x}

    @field_serializer("d")
    def _private_half(self, given: SecretStr | None) -> str | None:
        return given.get_secret_value() if given else None


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys of an installation, the oldest first."""

    keys: tuple[Key, ...] = ()

    @property
    def signing(self) -> Key | None:
        """The key that signs new tokens."""
        return next((key for key in reversed(self.keys) if key.can_sign), None)

    def find(self, kid: object, now: datetime) -> Key | None:
        """The key of this name, if tokens that it signed still count."""
        return next((key for key in self.keys if key.kid == kid and not _is_over(key, now)), None)


def _is_over(key: Key, now: datetime) -> bool:
    return key.retires_at is not None and key.retires_at <= now


# Told a key before it is written: what it raises leaves the keys as they were.
Note = Callable[[Key], None]


def _unnoted(_: Key) -> None:
    """Nobody is told."""


def load_keyring(home: Path) -> Keyring:
    """The keys of a home; none before the first was made.

    Raises:
        ConfigInvalid: the file is damaged.
    """
    path = home / KEY_FILE
    try:
        return Keyring(tuple(Key.model_validate(entry) for entry in json.loads(path.read_text("utf-8"))))
    except FileNotFoundError:
        return Keyring()
    except (ValidationError, ValueError, TypeError):
        # What could not be read is not quoted: it may be a private key.
        raise ConfigInvalid(
            f"The file of keys {path} is damaged.",
            fix="Put it back from a backup, or delete it: new tokens then have to be made.",
        ) from None


def ensure_signing_key(home: Path, now: datetime) -> Key:
    """The key that signs, made where there is none."""
    return _signing(_change(home, lambda ring: ring if ring.signing else _with_new_key(ring, now)))


def rotate(home: Path, now: datetime, *, at_once: bool = False, first: Note = _unnoted) -> Key:
    """Sign with a new key from now on.

    Args:
        home: whose keys.
        now: an aware time.
        at_once: refuse what the replaced keys signed from this moment, where one may have leaked; else their tokens
            count until the last of them has expired.
        first: told the new key before anything is written; what it raises leaves the keys as they were.
    """
    retires_at = now if at_once else now + timedelta(seconds=LONGEST_TTL_S + LEEWAY_S)

    def replaced(ring: Keyring) -> Keyring:
        kept = [_retired(key, retires_at) for key in ring.keys]
        return _with_new_key(Keyring(tuple(key for key in kept if not _is_over(key, now))), now)

    return _signing(_change(home, replaced, lambda ring: first(_signing(ring))))


def _retired(key: Key, retires_at: datetime) -> Key:
    """A key of ours that counts until then at the latest; those of others stay as they are."""
    if key.owner != OURS:
        return key
    return key.model_copy(update={"retires_at": min(key.retires_at or retires_at, retires_at)})


def trust(
    home: Path,
    owner: str,
    public_key: bytes,
    scopes: Iterable[Scope],
    now: datetime,
    *,
    first: Note = _unnoted,
) -> Key:
    """Accept tokens that another service signs with its own key, for these scopes at most.

    Args:
        home: whose keys.
        owner: the service; tokens that it signs name it as their issuer.
        public_key: its Ed25519 public key as PEM.
        scopes: what its tokens may allow.
        now: an aware time.
        first: as for `rotate`.

    Raises:
        ConfigInvalid: it is no such key, or the name is taken or cannot be one.
    """
    owner = checked_name(owner)
    key = Key(kid=f"{owner}-{secrets.token_hex(4)}", x=_read_public(public_key), owner=owner,
              scopes=tuple(scopes), created_at=now)  # fmt: skip

    def added(ring: Keyring) -> Keyring:
        if owner in {OURS, *(known.owner for known in ring.keys)}:
            fix = "Take it out first: `rejoinder api distrust NAME`; or choose another name."
            raise ConfigInvalid(f"There is a key of {owner} already.", fix=fix)
        return Keyring((*ring.keys, key))

    _change(home, added, lambda _: first(key))
    return key


def distrust(home: Path, owner: str, *, first: Callable[[], None] = lambda: None) -> None:
    """Refuse what another service signs from now on; first is called as by `rotate`.

    Raises:
        ConfigInvalid: no key of this service is trusted.
    """

    def without(ring: Keyring) -> Keyring:
        kept = tuple(key for key in ring.keys if key.owner != owner)
        if owner == OURS or len(kept) == len(ring.keys):
            raise ConfigInvalid(f"No key of {owner} is trusted.", fix="`rejoinder api keys` shows the names.")
        return Keyring(kept)

    _change(home, without, lambda _: first())


def _change(
    home: Path, change: Callable[[Keyring], Keyring], first: Callable[[Keyring], None] = lambda _: None
) -> Keyring:
    """Write the keys anew, one process at a time; first sees them before they are."""
    home.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(home / f"{KEY_FILE}.lock"):
        before = load_keyring(home)
        after = change(before)
        if after is not before:
            first(after)
            entries: list[dict[str, Any]] = [key.model_dump(mode="json") for key in after.keys]
            write_private(home / KEY_FILE, json.dumps(entries, indent=1))
    return after


def _signing(ring: Keyring) -> Key:
    key = ring.signing
    assert key is not None
    return key


def _with_new_key(ring: Keyring, now: datetime) -> Keyring:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from jwt.algorithms import OKPAlgorithm

    jwk = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    key = Key(kid=secrets.token_hex(4), x=jwk["x"], d=SecretStr(jwk["d"]), created_at=now)
    return Keyring((*ring.keys, key))


def _read_public(pem: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key
    from jwt.algorithms import OKPAlgorithm

    try:
        key = load_pem_public_key(pem)
    except ValueError:
        key = None
    if not isinstance(key, Ed25519PublicKey):
        fix = "Make a pair with `openssl genpkey -algorithm ed25519`; give what `openssl pkey -pubout` makes of it."
        raise ConfigInvalid("This is no public Ed25519 key in PEM.", fix=fix)
    return str(OKPAlgorithm.to_jwk(key, as_dict=True)["x"])


class WatchedKeyring:
    """The keys of a home as a server sees them: read again when the file has changed."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._seen: tuple[int, int, int] | None = None
        self._ring = Keyring()

    def current(self) -> Keyring:
        """The keys of this moment.

        Raises:
            ConfigInvalid: the file is damaged.
        """
        seen = self._stamp()
        if seen != self._seen:
            self._ring, self._seen = load_keyring(self._home), seen
        return self._ring

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self._home / KEY_FILE).stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size
