"""Keys in the variable REJOINDER_CREDENTIAL_KEYS: whoever starts the process decides which kinds it holds."""

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from resources.sealing.credential import KINDS
from resources.sealing.keys import Change, Key, Keyring, decode

VARIABLE = "REJOINDER_CREDENTIAL_KEYS"
SHAPE = (
    "read:KEY and write:KEY, divided by commas, the newest of each kind first; "
    "`openssl rand -base64 32` makes a KEY"
)


class EnvironmentKeys:
    """`KeySource` over the environment, which this program cannot change."""

    is_ours = False
    place = f"the variable {VARIABLE}"
    exposure = ""

    def __init__(self, given: SecretStr | None) -> None:
        self._given = given

    def load(self) -> Keyring:
        """The keys of the variable, in its order."""
        written = self._given.get_secret_value() if self._given else ""
        return Keyring(tuple(_read(entry) for entry in written.split(",") if entry.strip()))

    def change(self, change: Change) -> Keyring:
        """Nothing, where nothing has to change.

        Raises:
            ConfigInvalid: a key is missing, or could be dropped: whoever sets the variable has to do it.
        """
        before = self.load()
        if change(before) != before:
            raise ConfigInvalid(
                f"{self.place} lacks a key, or has one too many.", fix=f"Write it as {SHAPE}."
            )
        return before


def _read(entry: str) -> Key:
    kind, _, text = entry.strip().partition(":")
    secret = decode(text)
    for known in KINDS:
        if kind == known and secret:
            return Key(known, secret)
    raise ConfigInvalid(f"The variable {VARIABLE} cannot be read.", fix=f"Write it as {SHAPE}.")
