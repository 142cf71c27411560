"""Tokens of the API: what counts, and everything that does not."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from resources.access.keyring import (
    KEY_FILE,
    Key,
    Keyring,
    WatchedKeyring,
    distrust,
    ensure_signing_key,
    load_keyring,
    rotate,
    trust,
)
from resources.access.scopes import SCOPES, parse_scopes
from resources.access.tokens import ALGORITHM, AUDIENCE, Grant, TokenRefused, issue, verify

NOW = datetime(2026, 3, 4, tzinfo=UTC)
GRANT = Grant("backend", ("search", "ask"), 1)


def private(key: Key) -> Any:
    assert key.d is not None
    return jwt.PyJWK({**key.public_jwk, "d": key.d.get_secret_value()}, algorithm=ALGORITHM).key


def payload(**other: Any) -> dict[str, Any]:
    at = int(NOW.timestamp())
    whole = {
        "iss": "rejoinder", "aud": AUDIENCE, "sub": "backend", "jti": "a", "iat": at, "exp": at + 60,
        "scope": "search", "project_id": 1,
    }  # fmt: skip
    return {name: value for name, value in {**whole, **other}.items() if value is not None}


def signed(key: Key, *, headers: dict[str, Any] | None = None, **other: Any) -> str:
    return jwt.encode(
        payload(**other), private(key), algorithm=ALGORITHM, headers=headers or {"kid": key.kid}
    )


@pytest.fixture(autouse=True)
def _starts_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyJWT reads the clock itself, so NOW is when the test starts, not when this file was read."""
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def key(home: Path) -> Key:
    return ensure_signing_key(home, NOW)


def reason(token: str, home: Path, now: datetime | None = None) -> str:
    with pytest.raises(TokenRefused) as refused:
        verify(token, load_keyring(home), now=now or NOW)
    assert token not in str(refused.value)
    return str(refused.value)


def test_what_was_granted_is_read_back(home: Path, key: Key) -> None:
    grant = Grant("backend", ("sources:read", "ask"), 7, 3, "ada")
    token, made = issue(key, grant, now=NOW, ttl_s=600)
    read = verify(token, load_keyring(home), now=NOW)
    assert read == made
    assert read.grant == grant and read.expires_at == NOW.replace(microsecond=0) + timedelta(seconds=600)
    assert issue(key, grant, now=NOW)[1].token_id != made.token_id


@pytest.mark.parametrize("ttl_s", [0, -1, 3601])
def test_a_life_is_an_hour_at_most(key: Key, ttl_s: int) -> None:
    with pytest.raises(ConfigInvalid, match="cannot live"):
        issue(key, GRANT, now=NOW, ttl_s=ttl_s)


def test_a_service_has_a_plain_name(key: Key) -> None:
    with pytest.raises(ConfigInvalid, match="cannot be called"):
        issue(key, Grant("two\nlines", ("ask",), 1), now=NOW)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"exp": -31, "iat": -90}, "expired"),
        ({"iat": 600, "exp": 900}, "clocks"),
        ({"aud": "another"}, AUDIENCE),
        ({"aud": [AUDIENCE]}, AUDIENCE),
        ({"iss": "another"}, "issuer"),
        ({"exp": 86_400}, "longer than an hour"),
        ({"exp": float("inf")}, ""),
        ({"exp": None}, "missing"),
        ({"scope": None}, "missing"),
        ({"project_id": None}, "missing"),
        ({"project_id": "1"}, "wrong form"),
        ({"scope": ["search"]}, "wrong form"),
        ({"sub": ""}, "no plain name"),
        ({"sub": "crud as ada"}, "no plain name"),
        ({"sub": "crud\nrefused"}, "no plain name"),
        ({"sub": "other/crud"}, "no plain name"),
        ({"sub": 7}, ""),
    ],
)
def test_a_wrong_claim_is_refused(home: Path, key: Key, wrong: dict[str, Any], why: str) -> None:
    """Times are seconds from now."""
    at = int(NOW.timestamp())
    moved = {name: at + wrong[name] for name in ("iat", "exp") if isinstance(wrong.get(name), int)}
    assert why in reason(signed(key, **{**wrong, **moved}), home)


def test_clocks_may_differ_a_little(home: Path, key: Key) -> None:
    at = int(NOW.timestamp())
    assert verify(signed(key, iat=at - 60, exp=at - 5), load_keyring(home), now=NOW)
    assert verify(signed(key, iat=at + 20, exp=at + 60), load_keyring(home), now=NOW)


def test_no_other_algorithm_counts(home: Path, key: Key) -> None:
    """Neither an unsigned token nor the public key taken for a shared secret."""
    unsigned = jwt.encode(payload(), "", algorithm="none", headers={"kid": key.kid})
    raw = base64.urlsafe_b64decode(key.x + "=")
    shared = jwt.encode(payload(), raw, algorithm="HS256", headers={"kid": key.kid})
    for token in (unsigned, shared):
        assert ALGORITHM in reason(token, home)
    head, body, _ = signed(key).split(".")
    assert reason(f"{head}.{body}.", home)


def test_another_key_under_the_same_name_is_refused(home: Path, key: Key, tmp_path: Path) -> None:
    other = ensure_signing_key(tmp_path / "other", NOW)
    assert "signature" in reason(signed(other, headers={"kid": key.kid}), home)
    assert "not known" in reason(signed(other), home)
    assert "not known" in reason(jwt.encode(payload(), private(key), algorithm=ALGORITHM), home)


@given(data=st.data())
def test_no_changed_token_counts(data: st.DataObject) -> None:
    """Whatever letter of it is changed, and whatever text comes instead."""
    token, _ = issue(FIXED, GRANT, now=NOW)
    at = data.draw(st.integers(0, len(token) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019-_.") | st.characters())
    changed = token[:at] + letter + token[at + 1 :]
    other = data.draw(st.just(changed) | st.text(max_size=60))
    try:
        read = verify(other, Keyring((FIXED,)), now=NOW)
    except TokenRefused:
        return
    # The last letter of base64url may hold bits that say nothing; anything else has to be as it was.
    assert read.grant == GRANT and decoded(other) == decoded(token)


def decoded(token: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")]


def test_a_token_is_not_read_beyond_a_length(home: Path, key: Key) -> None:
    assert "too long" in reason(signed(key, scope="search " * 2_000), home)


def test_a_replaced_key_counts_until_its_tokens_have_expired(home: Path, key: Key) -> None:
    token, _ = issue(key, GRANT, now=NOW, ttl_s=3600)
    newer = rotate(home, NOW)
    assert newer.kid != key.kid and ensure_signing_key(home, NOW) == newer
    assert verify(token, load_keyring(home), now=NOW + timedelta(minutes=59))
    assert "replaced" in reason(token, home, now=NOW + timedelta(minutes=61))
    rotate(home, NOW + timedelta(hours=2))
    assert key.kid not in {k.kid for k in load_keyring(home).keys}


def test_a_key_that_leaked_ends_at_once(home: Path, key: Key) -> None:
    token, _ = issue(key, GRANT, now=NOW)
    rotate(home, NOW)
    rotate(home, NOW, at_once=True)
    assert "replaced" in reason(token, home)


def test_keys_stay_as_they_were_where_a_change_cannot_be_noted(home: Path, key: Key) -> None:
    theirs = pem(Ed25519PrivateKey.generate())
    trust(home, "crud", theirs, ("search",), NOW)
    before = (home / KEY_FILE).read_bytes()

    def fail(*_: Key) -> None:
        raise LookupError

    for change in (
        lambda: rotate(home, NOW, first=fail),
        lambda: trust(home, "other", theirs, ("search",), NOW, first=fail),
        lambda: distrust(home, "crud", first=fail),
    ):
        with pytest.raises(LookupError):
            change()
        assert (home / KEY_FILE).read_bytes() == before


def test_keys_are_private_and_never_shown(home: Path, key: Key) -> None:
    path = home / KEY_FILE
    assert path.stat().st_mode & 0o077 == 0
    assert key.d is not None and key.d.get_secret_value() in path.read_text()
    assert key.d.get_secret_value() not in repr(key) + str(load_keyring(home))


def test_a_damaged_file_is_named_and_not_quoted(home: Path, key: Key) -> None:
    assert key.d is not None
    for text in ("{", "[1]", "3", json.dumps([{"kid": "a", "d": key.d.get_secret_value(), "x": 1}])):
        (home / KEY_FILE).write_text(text)
        with pytest.raises(ConfigInvalid, match="damaged") as wrong:
            load_keyring(home)
        assert key.d.get_secret_value() not in str(wrong.value)


def pem(private_key: Ed25519PrivateKey) -> bytes:
    return private_key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def test_a_trusted_service_signs_for_itself_within_its_scopes(home: Path, key: Key) -> None:
    theirs = Ed25519PrivateKey.generate()
    trusted = trust(home, "crud", pem(theirs), ("search",), NOW)

    def token(**other: Any) -> str:
        return jwt.encode(
            payload(**{"iss": "crud", "scope": " ".join(SCOPES), **other}), theirs, algorithm=ALGORITHM,
            headers={"kid": trusted.kid},
        )  # fmt: skip

    assert verify(token(), load_keyring(home), now=NOW).grant.scopes == ("search",)
    assert "issuer" in reason(token(iss="rejoinder"), home)
    assert "act for an account" in reason(token(person_id=1), home)
    assert "no plain name" in reason(token(sub="backend as ada"), home)
    assert "longer than an hour" in reason(token(exp=int(NOW.timestamp()) + 7_200), home)
    assert ensure_signing_key(home, NOW) == key and not trusted.can_sign
    rotate(home, NOW, at_once=True)
    assert verify(token(), load_keyring(home), now=NOW)
    with pytest.raises(ConfigInvalid, match="already"):
        trust(home, "crud", pem(theirs), ("ask",), NOW)
    distrust(home, "crud")
    assert "not known" in reason(token(), home)
    for name in ("crud", "rejoinder"):
        with pytest.raises(ConfigInvalid, match="is trusted"):
            distrust(home, name)


def test_only_a_public_ed25519_key_is_trusted(home: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    other = generate_private_key(SECP256R1()).public_key()
    for data in (b"", b"no key", other.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)):
        with pytest.raises(ConfigInvalid, match="Ed25519"):
            trust(home, "crud", data, ("search",), NOW)
    with pytest.raises(ConfigInvalid, match="already"):
        trust(home, "rejoinder", pem(Ed25519PrivateKey.generate()), ("search",), NOW)


def test_a_server_sees_new_keys_without_a_restart(home: Path) -> None:
    watched = WatchedKeyring(home)
    assert watched.current().keys == ()
    first = ensure_signing_key(home, NOW)
    assert watched.current().signing == first
    assert watched.current() is watched.current()
    second = rotate(home, NOW, at_once=True)
    assert watched.current().signing == second


@pytest.mark.parametrize("names", [[], ["search", "publish"]])
def test_scopes_are_known_ones(names: list[str]) -> None:
    with pytest.raises(ConfigInvalid):
        parse_scopes(names)


def make_fixed_key() -> Key:
    jwk = jwt.algorithms.OKPAlgorithm.to_jwk(
        Ed25519PrivateKey.from_private_bytes(bytes(range(32))), as_dict=True
    )
    return Key.model_validate({"kid": "fixed", "x": jwk["x"], "d": jwk["d"], "created_at": NOW})


FIXED = make_fixed_key()
