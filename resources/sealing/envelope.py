"""Sealing and opening one credential: AES-256-GCM, with the channel and the kind as associated data (ADR 0020).

A box is a nonce of 12 random bytes and what AES-GCM makes of the fields as JSON. It opens only with its key, for
its channel and as its kind: a row that was copied elsewhere, or changed by one bit, does not.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from resources.sealing.credential import Credential, Kind
from resources.sealing.keys import Key

NONCE_BYTES = 12


@dataclass(frozen=True, slots=True)
class Sealed:
    """A credential as it is stored."""

    key_id: str
    box: bytes = field(repr=False)


def seal(key: Key, given: Mapping[str, str], channel_id: int) -> Sealed:
    """Seal the fields of a credential for one channel, as the key's kind."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    plain = json.dumps(dict(given)).encode()
    return Sealed(key.id, nonce + AESGCM(key.secret).encrypt(nonce, plain, bound_to(channel_id, key.kind)))


def unseal(key: Key, sealed: Sealed, channel_id: int) -> Credential | None:
    """The credential in a box; None where this key does not open it for this channel as its kind."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, box = sealed.box[:NONCE_BYTES], sealed.box[NONCE_BYTES:]
    try:
        return Credential(json.loads(AESGCM(key.secret).decrypt(nonce, box, bound_to(channel_id, key.kind))))
    except (InvalidTag, ValueError):
        return None


def bound_to(channel_id: int, kind: Kind) -> bytes:
    """What a box belongs to, as associated data.

    >>> bound_to(7, "write")
    b'rejoinder credential 1/7/write'
    """
    return f"rejoinder credential 1/{channel_id}/{kind}".encode()
