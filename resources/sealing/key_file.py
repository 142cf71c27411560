"""Keys in a file of the home that only its owner may read, made when the first credential is sealed."""

import json
import logging
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError

from rejoinder.errors import ConfigInvalid
from resources.embedded.private_files import one_at_a_time, write_private
from resources.sealing.credential import Kind
from resources.sealing.keys import Change, Key, Keyring, decode, encode

KEY_FILE = "credential_keys.json"
log = logging.getLogger("rejoinder.credentials")
# Files that this process has warned of.
_told: set[Path] = set()


class Entry(BaseModel):
    """A key as files and HashiCorp Vault keep it; key is base64 of 32 bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    kind: Kind
    key: str
    made_at: AwareDatetime | None = None


ENTRIES = TypeAdapter(list[Entry])


def read_entries(given: Any, place: str) -> Keyring:
    """Keys out of the JSON that a source keeps, newest first.

    Raises:
        ConfigInvalid: it is no such JSON; nothing of it is quoted.
    """
    try:
        entries = ENTRIES.validate_python(given)
        keys = [(each, decode(each.key)) for each in entries]
        if all(secret for _, secret in keys):
            return Keyring(tuple(Key(each.kind, secret, each.made_at) for each, secret in keys if secret))
    except ValidationError:
        pass
    raise ConfigInvalid(
        f"The keys of credentials in {place} are damaged.",
        fix="Put them back from a backup; without them give each channel its credentials anew: "
        "`rejoinder channel set-credential NAME`.",
    )


def write_entries(ring: Keyring) -> list[dict[str, Any]]:
    """Keys as the JSON that a source keeps."""
    return [
        {
            "kind": key.kind,
            "key": encode(key.secret),
            "made_at": key.made_at.astimezone(UTC).isoformat() if isinstance(key.made_at, datetime) else None,
        }
        for key in ring.keys
    ]


class KeyFile:
    """`KeySource` over a file of the home."""

    is_ours = True

    def __init__(self, home: Path) -> None:
        self._path = home / KEY_FILE

    @property
    def place(self) -> str:
        """The path."""
        return str(self._path)

    @property
    def exposure(self) -> str:
        """That others than the owner may read or write the file, and what to do; empty where they may not."""
        try:
            mode = stat.S_IMODE(self._path.stat().st_mode)
        except OSError:
            return ""
        if not mode & (stat.S_IRWXG | stat.S_IRWXO):
            return ""
        return f"others may read {self.place} (mode {mode:04o}): chmod 600 {self.place}"

    def load(self) -> Keyring:
        """The keys of the file; none where it is not there yet. Where others may read it, that is logged once."""
        exposure = self.exposure
        if exposure and self._path not in _told:
            _told.add(self._path)
            log.warning("the keys of credentials are not private: %s", exposure)
        try:
            given = json.loads(self._path.read_text("utf-8"))
        except FileNotFoundError:
            return Keyring()
        except ValueError:
            given = None
        except OSError as error:
            raise ConfigInvalid(
                f"The keys of credentials in {self.place} cannot be read: {error.strerror}."
            ) from None
        return read_entries(given, self.place)

    def change(self, change: Change) -> Keyring:
        """Write the file anew in one step, mode 0600, where the change makes a difference."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(self._path.with_name(f"{KEY_FILE}.lock")):
            before = self.load()
            after = change(before)
            if after != before:
                write_private(self._path, json.dumps(write_entries(after), indent=1))
        return after
