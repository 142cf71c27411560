"""Keys that credentials are sealed with: what they are, and what a source of them has to do.

What was read from a platform is opened with keys of one kind, what can write with keys of the other.
"""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from rejoinder.errors import ServiceUnavailable
from resources.sealing.credential import Kind

KEY_BYTES = 32
ID_DIGITS = 12


class KeysAway(ServiceUnavailable):
    """The place where keys are kept cannot be reached: what needs them waits, the rest goes on."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key of 256 bits for one kind of credential; made_at is None where its source does not tell.

    >>> Key("read", bytes(32))
    Key(kind='read', made_at=None)
    """

    kind: Kind
    secret: bytes = field(repr=False)
    made_at: datetime | None = None

    @property
    def id(self) -> str:
        """What names the key: the beginning of a hash of it, so that nothing has to be kept in step."""
        return hashlib.sha256(b"rejoinder credential key " + self.secret).hexdigest()[:ID_DIGITS]


@dataclass(frozen=True, slots=True)
class Keyring:
    """The keys at hand, the newest of each kind first."""

    keys: tuple[Key, ...] = ()

    def newest(self, kind: Kind) -> Key | None:
        """The key that seals now; None where there is none of the kind."""
        return next((key for key in self.keys if key.kind == kind), None)

    def find(self, kind: Kind, key_id: str) -> Key | None:
        """The key of this kind and name, where it is at hand."""
        return next((key for key in self.keys if (key.kind, key.id) == (kind, key_id)), None)

    def led_by(self, newer: Iterable[Key]) -> "Keyring":
        """The ring with keys that are newer than all of its own."""
        return Keyring((*newer, *self.keys))

    def without(self, ids: Iterable[str]) -> "Keyring":
        """The ring without the keys of these names."""
        gone = set(ids)
        return Keyring(tuple(key for key in self.keys if key.id not in gone))


Change = Callable[[Keyring], Keyring]


class KeySource(Protocol):
    """Where keys are kept."""

    @property
    def is_ours(self) -> bool:
        """Whether this program may make keys there and drop them."""
        ...

    @property
    def place(self) -> str:
        """Where that is, as messages name it; never with a secret in it."""
        ...

    @property
    def exposure(self) -> str:
        """Who else may read the keys there, as far as can be seen, and what helps; empty where nobody may."""
        ...

    def load(self) -> Keyring:
        """The keys that are there now.

        Raises:
            ConfigInvalid: what is there is no keys.
            KeysAway: the place cannot be reached.
        """
        ...

    def change(self, change: Change) -> Keyring:
        """Replace the keys by what change makes of them, one process at a time; what is there then.

        Raises:
            ConfigInvalid: keys are not made there by this program, or what is there is no keys.
            KeysAway: the place cannot be reached.
        """
        ...


def new_key(kind: Kind, now: datetime) -> Key:
    """A fresh random key."""
    return Key(kind, secrets.token_bytes(KEY_BYTES), now)


def encode(secret: bytes) -> str:
    """A key as text, as `openssl rand -base64 32` prints one."""
    return base64.b64encode(secret).decode("ascii")


def decode(text: str) -> bytes | None:
    """A key out of its text, with either of base64's alphabets; None where it is no key.

    >>> decode("A" * 43 + "=") == bytes(32), decode("short")
    (True, None)
    """
    try:
        found = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == KEY_BYTES else None
