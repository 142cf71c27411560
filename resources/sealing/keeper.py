"""Who seals and opens credentials: the keys of one source, read when they are needed.

Keys are looked up again where a row names one that is not at hand: another process may have replaced them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from rejoinder.errors import ConfigInvalid
from resources.sealing.credential import Credential, Kind
from resources.sealing.envelope import Sealed, seal, unseal
from resources.sealing.keys import Key, Keyring, KeySource, new_key

ANEW = "give the channel its credentials anew: `rejoinder channel set-credential NAME`"


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Keeper:
    """Seals and opens with the keys of a source; safe to share by threads."""

    source: KeySource
    now: Callable[[], datetime] = utc_now
    _ring: Keyring = field(default_factory=Keyring)

    def seal(self, given: Mapping[str, str], *, channel_id: int, kind: Kind) -> Sealed:
        """Seal a credential with the newest key that the source has at this moment; the first one is made.

        Raises:
            ConfigInvalid: the source has no key of the kind and none can be made there.
            KeysAway: the source cannot be reached.
        """
        return seal(self.sealing_key(kind), given, channel_id)

    def open(self, sealed: Sealed, *, channel_id: int, kind: Kind) -> Credential:
        """The credential in a row.

        Raises:
            ConfigInvalid: its key is not at hand, or does not open it for this channel as this kind.
            KeysAway: the source cannot be reached.
        """
        key = self._find(kind, sealed.key_id)
        if key is None:
            raise ConfigInvalid(
                f"The {kind} credential was sealed with the key {sealed.key_id}, which {self.source.place} does "
                f"not have. Put that key back, or {ANEW}."
            )
        opened = unseal(key, sealed, channel_id)
        if opened is None:
            raise ConfigInvalid(
                f"The {kind} credential does not open: its row was altered, or is another channel's or kind's. "
                f"Restore the row, or {ANEW}."
            )
        return opened

    def sealing_key(self, kind: Kind) -> Key:
        """The newest key of a kind, as its source has it now; made where there is none.

        Raises:
            ConfigInvalid: there is none and none can be made.
            KeysAway: the source cannot be reached.
        """
        self._ring = self.source.load()
        key = self._ring.newest(kind)
        if key is None and not self.source.is_ours:
            raise ConfigInvalid(
                f"{self.source.place} has no key for {kind} credentials. Add one: `{kind}:` and what "
                "`openssl rand -base64 32` prints."
            )
        return key or self._first_key(kind)

    def _first_key(self, kind: Kind) -> Key:
        def with_one(ring: Keyring) -> Keyring:
            return ring if ring.newest(kind) else ring.led_by([new_key(kind, self.now())])

        self._ring = self.source.change(with_one)
        made = self._ring.newest(kind)
        assert made is not None
        return made

    def _find(self, kind: Kind, key_id: str) -> Key | None:
        found = self._ring.find(kind, key_id)
        if found is None:
            self._ring = self.source.load()
            found = self._ring.find(kind, key_id)
        return found
