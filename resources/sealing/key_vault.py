"""Keys in HashiCorp Vault: one secret per kind in a KV engine of version 2, so that a policy can allow one of them.

Each secret has one field ``keys``: the list that the file of keys would hold, newest first. Writes are checked
against the version that was read (``cas``), so that two that change keys at once cannot undo each other. Redirects are
not followed: the token would go along to wherever they point.

Source of the shapes: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 (read 2026-11).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, RejoinderError
from resources.sealing.credential import KINDS, Kind
from resources.sealing.key_file import read_entries, write_entries
from resources.sealing.keys import Change, Keyring, KeysAway
from resources.settings import Settings

if TYPE_CHECKING:
    from hvac import Client

TIMEOUT_S = 5.0
TRIES = 3
# What Vault says, with status 400, where another version stands by now; any other 400 is a fault of the request.
# Source: developer.hashicorp.com/vault/docs/secrets/kv/kv-v2/cookbook/patch-data, and vault-plugin-secrets-kv.
CONFLICT = "check-and-set parameter did not match the current version"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
# Stands for the version of a secret that the token may not read.
UNSEEN = -1


class Stored(NamedTuple):
    """A secret as it was read: its keys, and its version for the next write (0: there is none yet)."""

    ring: Keyring
    version: int


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """`KeySource` over a KV engine of version 2."""

    url: str
    token: Callable[[], SecretStr]
    mount: str
    path: str
    namespace: str | None = None
    is_ours: bool = field(default=True, init=False)

    @property
    def place(self) -> str:
        """Address, engine and path."""
        return f"Vault at {self.url}, {self.mount}/{self.path}"

    @property
    def exposure(self) -> str:
        """That the token and the keys cross a network in the clear; empty where they do not."""
        parts = urlsplit(self.url)
        if parts.scheme == "https" or parts.hostname in LOOPBACK:
            return ""
        return f"{self.url} is not encrypted, token and keys can be read on the way: use https in REJOINDER_VAULT_URL"

    def load(self) -> Keyring:
        """The keys of the kinds that this token may read."""
        client = self._client()
        found = [self._read(client, kind) for kind in KINDS]
        if all(one.version == UNSEEN for one in found):
            raise self._refused()
        return Keyring(tuple(key for one in found for key in one.ring.keys))

    def change(self, change: Change) -> Keyring:
        """Write each kind whose keys change, if nobody wrote it meanwhile; else look and change again."""
        client = self._client()
        for _ in range(TRIES):
            before = {kind: self._read(client, kind) for kind in KINDS}
            after = change(Keyring(tuple(key for one in before.values() for key in one.ring.keys)))
            if all([self._write(client, kind, before[kind], _only(after, kind)) for kind in KINDS]):
                return after
        raise KeysAway(f"{self.place}: others change the keys at the same time; try again later")

    def _client(self) -> "Client":
        import hvac

        return hvac.Client(
            url=self.url,
            token=self.token().get_secret_value(),
            timeout=TIMEOUT_S,
            namespace=self.namespace,
            allow_redirects=False,
        )

    def _read(self, client: "Client", kind: Kind) -> Stored:
        from hvac.exceptions import Forbidden, InvalidPath

        try:
            body = client.secrets.kv.v2.read_secret_version(
                path=f"{self.path}/{kind}", mount_point=self.mount, raise_on_deleted_version=False
            )
        except InvalidPath as error:
            # A secret that is not there is answered with no words, an engine that is not there with some.
            if not error.errors:
                return Stored(Keyring(), 0)
            failure: RejoinderError = self._no_engine()
        except Forbidden:
            # A policy that allows one kind only is the point of having two.
            return Stored(Keyring(), UNSEEN)
        except Exception as error:
            failure = self._failure(error)
        else:
            return self._stored(body)
        raise failure

    def _stored(self, body: Any) -> Stored:
        try:
            version = int(body["data"]["metadata"]["version"])
            data = body["data"]["data"]
            entries = data["keys"] if data else []
        except (KeyError, TypeError, ValueError):
            raise self._no_engine() from None
        return Stored(read_entries(entries, self.place), version)

    def _no_engine(self) -> ConfigInvalid:
        return ConfigInvalid(
            f"{self.place} is no KV engine of version 2.",
            fix=f"Enable one (`vault secrets enable -version=2 -path={self.mount} kv`), or correct "
            "REJOINDER_VAULT_MOUNT, REJOINDER_VAULT_PATH or REJOINDER_VAULT_NAMESPACE.",
        )

    def _write(self, client: "Client", kind: Kind, before: Stored, after: Keyring) -> bool:
        """Whether the keys of a kind stand as wanted; False where somebody else wrote them meanwhile."""
        from hvac.exceptions import InvalidRequest

        if after == before.ring:
            return True
        if before.version == UNSEEN:
            raise self._refused()
        try:
            answer = client.secrets.kv.v2.create_or_update_secret(
                path=f"{self.path}/{kind}", secret={"keys": write_entries(after)},
                cas=before.version, mount_point=self.mount,
            )  # fmt: skip
        except InvalidRequest as error:
            if CONFLICT in " ".join(error.errors or ()):
                return False
            failure = self._failure(error)
        except Exception as error:
            failure = self._failure(error)
        else:
            if _is_version(answer):
                return True
            failure = self._no_engine()  # it may have taken the keys, but nothing is sealed with them
        raise failure

    def _failure(self, error: Exception) -> RejoinderError:
        # What the library raises may hold the request, and so the token: only its kind is told.
        from hvac.exceptions import Forbidden, InvalidPath, InvalidRequest, Unauthorized, VaultError

        if isinstance(error, (Forbidden, Unauthorized)):
            return self._refused()
        if isinstance(error, InvalidPath):
            return self._no_engine()
        if isinstance(error, InvalidRequest):
            return ConfigInvalid(
                f"{self.place} finds the request wrong (HTTP 400).",
                fix="Vault's audit log says why; see that REJOINDER_VAULT_MOUNT, REJOINDER_VAULT_PATH and "
                "REJOINDER_VAULT_NAMESPACE name a path in a KV engine of version 2.",
            )
        what = type(error).__name__
        if isinstance(error, VaultError):
            return KeysAway(f"{self.place} does not answer the request ({what}): is it sealed or away?")
        return KeysAway(f"{self.place} cannot be reached ({what})")

    def _refused(self) -> ConfigInvalid:
        return ConfigInvalid(
            f"{self.place} refuses the token.",
            fix="Renew REJOINDER_VAULT_TOKEN, and see that its policy allows create, read and update there.",
        )


def _is_version(answer: Any) -> bool:
    """Whether a write was answered as KV version 2 answers: with the version that it made."""
    try:
        return int(answer["data"]["version"]) > 0
    except (KeyError, TypeError, ValueError):
        return False


def _only(ring: Keyring, kind: Kind) -> Keyring:
    return Keyring(tuple(key for key in ring.keys if key.kind == kind))


def open_vault(settings: Settings) -> VaultKeys:
    """The keys of the Vault that the settings name.

    Raises:
        ConfigInvalid: its address, or a token, is missing.
    """
    if settings.vault_url is None or not (settings.vault_token or settings.vault_token_file):
        raise ConfigInvalid(
            "Keys in Vault need REJOINDER_VAULT_URL and REJOINDER_VAULT_TOKEN or REJOINDER_VAULT_TOKEN_FILE.",
            fix="Set them, or leave REJOINDER_CREDENTIAL_KEY_SOURCE out: keys are then kept in a file of the home.",
        )

    def token() -> SecretStr:
        return settings.vault_token or _of_file(settings.vault_token_file)

    return VaultKeys(
        settings.vault_url, token, settings.vault_mount, settings.vault_path, settings.vault_namespace
    )


def _of_file(path: Path | None) -> SecretStr:
    """The token that an agent keeps fresh in a file."""
    assert path is not None
    try:
        return SecretStr(path.read_text("utf-8").strip())
    except OSError as error:
        raise ConfigInvalid(f"REJOINDER_VAULT_TOKEN_FILE: {path} cannot be read: {error.strerror}.") from None
