"""Keys in HashiCorp Vault, over HTTP, against a server that speaks the documented shapes of KV version 2.

Source of the shapes: developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2 (read 2026-11). A real Vault was not run.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from resources.sealing.keeper import Keeper
from resources.sealing.key_vault import VaultKeys, open_vault
from resources.sealing.keys import KeysAway, encode, new_key
from resources.sealing.opening import source_of
from resources.settings import Settings

TOKEN = "hvs.everything"
LISTENER = "hvs.listener"


@dataclass
class Kv:
    """The secrets of a KV engine, and how it is to fail."""

    url: str = ""
    secrets: dict[str, tuple[int, Any]] = field(default_factory=dict)
    fails_with: int | None = None
    before_write: list[Any] = field(default_factory=list)
    says: tuple[str, ...] = ("Vault is sealed",)
    refuses_writes: tuple[int, Any] | None = None
    redirects_to: str | None = None
    n_asked: int = 0

    def answer(self, method: str, path: str, token: str, body: Any) -> tuple[int, Any]:
        self.n_asked += 1
        if self.redirects_to:
            return 307, {}
        if self.fails_with:
            return self.fails_with, {"errors": list(self.says)}
        kind = path.rsplit("/", 1)[-1]
        if token not in (TOKEN, LISTENER) or (token == LISTENER and kind == "write"):
            return 403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
        version, data = self.secrets.get(path, (0, None))
        if method == "GET":
            if version == 0:
                return 404, {"errors": []}
            return 200, {"data": {"data": data, "metadata": {"version": version, "deletion_time": ""}}}
        if self.refuses_writes:
            return self.refuses_writes
        if self.before_write:
            self.before_write.pop()(self, path)
            version, _ = self.secrets.get(path, (0, None))
        if body["options"].get("cas") != version:
            return 400, {"errors": ["check-and-set parameter did not match the current version"]}
        self.secrets[path] = (version + 1, body["data"])
        return 200, {"data": {"version": version + 1}}


@pytest.fixture
def kv() -> Iterator[Kv]:
    with served() as made:
        yield made


@contextmanager
def served() -> Iterator[Kv]:
    """An engine that answers for as long as the block runs."""
    made = Kv()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = made.answer(self.command, self.path, self.headers["X-Vault-Token"], body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            if made.redirects_to:
                self.send_header("location", f"{made.redirects_to}{self.path}")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _do

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    made.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def keys_of(kv: Kv, token: str = TOKEN) -> VaultKeys:
    return VaultKeys(kv.url, lambda: SecretStr(token), "secret", "rejoinder/credential-keys")


def test_keys_are_made_kept_and_found_again(kv) -> None:
    keeper = Keeper(keys_of(kv))
    sealed = keeper.seal({"token": "t"}, channel_id=3, kind="read")
    assert dict(Keeper(keys_of(kv)).open(sealed, channel_id=3, kind="read")) == {"token": "t"}
    keeper.seal({}, channel_id=3, kind="write")
    paths = [f"/v1/secret/data/rejoinder/credential-keys/{kind}" for kind in ("read", "write")]
    assert sorted(kv.secrets) == paths
    assert [key.kind for key in keys_of(kv).load().keys] == ["read", "write"]


def test_a_listeners_token_opens_what_reads_alone(kv) -> None:
    keeper = Keeper(keys_of(kv))
    sealed = {kind: keeper.seal({"k": kind}, channel_id=1, kind=kind) for kind in ("read", "write")}
    listener = Keeper(keys_of(kv, LISTENER))
    assert dict(listener.open(sealed["read"], channel_id=1, kind="read")) == {"k": "read"}
    with pytest.raises(ConfigInvalid, match="does not have"):
        listener.open(sealed["write"], channel_id=1, kind="write")
    with pytest.raises(ConfigInvalid, match="refuses the token"):
        listener.seal({}, channel_id=1, kind="write")


def test_a_token_that_is_over_is_told(kv) -> None:
    with pytest.raises(ConfigInvalid, match="refuses the token"):
        keys_of(kv, "hvs.over").load()


def test_two_that_make_keys_at_once_keep_both(kv) -> None:
    keeper = Keeper(keys_of(kv))
    other = new_key("read", keeper.now())
    entry = {"kind": "read", "key": encode(other.secret), "made_at": None}

    def meanwhile(there: Kv, path: str) -> None:
        there.secrets[path] = (1, {"keys": [entry]})

    kv.before_write.append(meanwhile)
    assert keeper.sealing_key("read").id == other.id


NO_ROUTE = 'no handler for route "secret/data/x". route entry not found.'


@pytest.mark.parametrize(
    ("status", "says", "told"),
    [
        (400, "invalid version parameter", "wrong"),
        (404, NO_ROUTE, "no KV engine"),
    ],
)
def test_a_look_that_is_refused_is_told_by_its_reason(kv, status, says, told) -> None:
    kv.fails_with, kv.says = status, (says,)
    with pytest.raises(ConfigInvalid, match=told) as caught:
        keys_of(kv).load()
    assert TOKEN not in str(caught.value) and caught.value.__context__ is None


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ((400, {"errors": ["no data provided"]}), "finds the request wrong"),
        ((400, {"errors": []}), "finds the request wrong"),
        ((404, {"errors": [NO_ROUTE]}), "no KV engine of version 2"),
        ((200, {"data": None}), "no KV engine of version 2"),
        ((204, None), "no KV engine of version 2"),
    ],
    ids=["bad request", "bad request without words", "no engine", "another answer", "KV version 1"],
)
def test_a_write_that_fails_otherwise_is_no_conflict_and_seals_nothing(kv, refusal, told) -> None:
    kv.refuses_writes = refusal
    with pytest.raises(ConfigInvalid, match=told) as caught:
        Keeper(keys_of(kv)).seal({"token": "t"}, channel_id=1, kind="read")
    assert caught.value.fix and TOKEN not in str(caught.value) and caught.value.__context__ is None
    assert kv.n_asked == 5, "a look before, both kinds once more, the write: nothing is tried again"


def test_a_conflict_that_lasts_is_told_as_one(kv) -> None:
    kv.refuses_writes = (400, {"errors": ["check-and-set parameter did not match the current version"]})
    with pytest.raises(KeysAway, match="others change the keys"):
        Keeper(keys_of(kv)).sealing_key("read")


def test_a_redirect_gets_no_token(kv) -> None:
    with served() as elsewhere:
        kv.redirects_to = elsewhere.url
        with pytest.raises(ConfigInvalid, match="no KV engine"):
            keys_of(kv).load()
        assert elsewhere.n_asked == 0


@pytest.mark.parametrize(
    ("url", "is_open"),
    [("http://127.0.0.1:8200", False), ("https://vault.example", False), ("http://vault.example:8200", True)],
)
def test_a_way_that_others_can_read_is_told(url, is_open) -> None:
    exposure = VaultKeys(url, lambda: SecretStr(TOKEN), "secret", "p").exposure
    assert ("https" in exposure) is is_open and bool(exposure) is is_open


@pytest.mark.parametrize("status", [500, 503])
def test_a_sealed_vault_is_away_and_no_token_is_told(kv, status) -> None:
    kv.fails_with = status
    with pytest.raises(KeysAway, match="secret/rejoinder") as caught:
        keys_of(kv).load()
    assert TOKEN not in str(caught.value) and caught.value.__context__ is None


def test_a_vault_that_is_not_there(kv) -> None:
    gone = VaultKeys("http://127.0.0.1:9", lambda: SecretStr(TOKEN), "secret", "p")
    with pytest.raises(KeysAway, match="cannot be reached"):
        gone.load()


def test_an_engine_of_another_version_is_told(kv) -> None:
    path = "/v1/secret/data/rejoinder/credential-keys/read"
    kv.secrets[path] = (1, {"something": "else"})
    with pytest.raises(ConfigInvalid, match="KV engine of version 2"):
        keys_of(kv).load()


def test_the_settings_choose_it(kv, tmp_path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    settings = Settings(credential_key_source="vault", vault_url=kv.url, vault_token_file=token)
    assert Keeper(source_of(settings)).sealing_key("read").kind == "read"
    with pytest.raises(ConfigInvalid, match="REJOINDER_VAULT_URL"):
        open_vault(Settings(credential_key_source="vault"))
    token.unlink()
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        source_of(settings).load()
