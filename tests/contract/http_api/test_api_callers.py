"""Who may call what: every route asks for its own scope, and log and audit say who asked."""

import base64
import logging
import re
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from problem_answer import problem
from pydantic import SecretStr

from resources.access.keyring import KEY_FILE, trust
from resources.access.scopes import SCOPES
from resources.access.tokens import Grant, issue
from resources.commands.actors import machine_owner
from resources.commands.api_tokens import distrust_key, rotate_keys, trust_key
from resources.commands.people import add_person, change_role, deactivate, list_people

PASSWORD = "correct horse battery"  # pragma: allowlist secret
OPEN = {"/health", "/ready", "/openapi.json", "/l/{code}"}


def test_every_route_asks_for_its_scope_and_no_other(api: Any) -> None:
    """The scope in the document is the one that is asked for: all others together do not do, nor does no token."""
    called = []
    for path, ways in api.get("/openapi.json").json()["paths"].items():
        for method, operation in ways.items():
            if path not in OPEN:
                (scope,) = re.findall(r"Scope: `([a-z:]+)`", operation["description"])
                refuse_all_but(api, method, path.replace("{id}", "1"), scope)
                called.append(path)
    assert len(called) >= 13


def refuse_all_but(api: Any, method: str, path: str, scope: str) -> None:
    others = api.token(*(other for other in SCOPES if other != scope))
    refused = api.client.request(method, path, headers={"Authorization": f"Bearer {others}"})
    assert f"scope {scope}" in problem(refused, 403, "scope-missing")["detail"]
    with httpx.Client(base_url=api.client.base_url, trust_env=False) as nobody:
        problem(nobody.request(method, path), 401, "no-token")
    alone = api.client.request(method, path, headers={"Authorization": f"Bearer {api.token(scope)}"})
    assert alone.status_code not in (401, 403), (method, path)


def test_without_a_token_nothing_is_read_or_said(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    del api.client.headers["Authorization"]
    largest = api.bench.tuning.ingestion.largest_bytes
    with caplog.at_level(logging.INFO, "rejoinder.api"):
        refused = api.upload("on-salt.srt", b"a" * (largest // 2))
        problem(refused, 401, "no-token")
        token = api.token("search") + "x"
        tampered = api.get("/sources?search=pepper", headers={"Authorization": f"Bearer {token}"})
        problem(tampered, 401, "token-refused")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert 'error="invalid_token"' in tampered.headers["www-authenticate"]
    assert token not in tampered.text + caplog.text and "pepper" not in caplog.text
    assert "refused 401 GET" in caplog.text


def test_a_token_allows_what_it_names_in_its_project(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    reader = {"Authorization": f"Bearer {api.token('sources:read')}"}
    assert api.get("/sources", headers=reader).status_code == 200
    refused = api.post("/sources/from-url", json={"url": "https://pod.example/a.vtt"}, headers=reader)
    assert "sources:write" in problem(refused, 403, "scope-missing")["detail"]
    assert 'scope="sources:write"' in refused.headers["www-authenticate"]
    other = {"Authorization": f"Bearer {api.token('sources:read', project_id=999)}"}
    problem(api.get("/sources", headers=other), 403, "not-allowed")
    assert "tests of rejoinder" in caplog.text and reader["Authorization"][7:] not in caplog.text


def test_a_token_of_an_account_has_its_role_of_this_moment(api: Any) -> None:
    for name, role in (("ada", "admin"), ("bea", "editor")):
        add_person(api.bench.db, machine_owner(), name, name, role, PASSWORD)
    (bea,) = (person for person in list_people(api.bench.db) if person.name == "bea")
    as_bea = {"Authorization": f"Bearer {api.token('sources:write', person_id=bea.id, person_name='bea')}"}

    def send() -> httpx.Response:
        return api.post("/sources/from-url", json={"url": "https://pod.example/a.vtt"}, headers=as_bea)

    assert send().status_code == 202
    with api.bench.db.transaction() as tx:
        event = tx.connection.execute(
            "select actor, person_id, ip_address from audit_event where action = 'ingest'"
        ).fetchone()
    assert (event["actor"], event["person_id"], str(event["ip_address"])) == (
        "api:tests as bea",
        bea.id,
        "127.0.0.1",
    )
    change_role(api.bench.db, machine_owner(), "bea", "viewer")
    problem(send(), 403, "not-allowed")
    deactivate(api.bench.db, machine_owner(), "bea")
    problem(send(), 403, "not-allowed")


def test_the_audit_names_the_service_that_signed(api: Any) -> None:
    """A service that is trusted to sign cannot name another in the audit."""
    theirs, home, now = Ed25519PrivateKey.generate(), api.bench.settings.home_dir, datetime.now(UTC)
    public = theirs.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    trusted = trust(home, "backend2", public, ("sources:write",), now)
    secret = base64.urlsafe_b64encode(theirs.private_bytes_raw()).decode().rstrip("=")
    key = trusted.model_copy(update={"d": SecretStr(secret)})
    token, _ = issue(key, Grant("crud", ("sources:write",), api.bench.project_id), now=now)
    sent = api.post(
        "/sources/from-url",
        json={"url": "https://pod.example/a.vtt"},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert sent.status_code == 202
    with api.bench.db.transaction() as tx:
        event = tx.connection.execute("select actor from audit_event where action = 'ingest'").fetchone()
    assert event["actor"] == "api:backend2/crud"


def test_no_key_changes_without_its_row_in_the_audit(api: Any, owner_db: Any) -> None:
    home, db = api.bench.settings.home_dir, api.bench.db
    public = Ed25519PrivateKey.generate().public_key()
    data = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    trust_key(db, home, machine_owner(), owner="crud", public_key=data, scopes=("search",))
    before = (home / KEY_FILE).read_bytes()
    with owner_db.transaction() as tx:
        tx.connection.execute("revoke insert on audit_event from rejoinder_may_run")
    for change in (
        lambda: rotate_keys(db, home, machine_owner()),
        lambda: trust_key(db, home, machine_owner(), owner="b", public_key=data, scopes=("search",)),
        lambda: distrust_key(db, home, machine_owner(), "crud"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            change()
    assert (home / KEY_FILE).read_bytes() == before


def test_damaged_keys_are_no_strangers_business(api: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = api.bench.settings.home_dir / KEY_FILE
    path.write_text("{")
    told = problem(api.get("/sources"), 503, "unavailable")
    assert str(path) in caplog.text and KEY_FILE not in str(told) and str(path.parent) not in str(told)
