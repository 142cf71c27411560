"""Searching and asking over HTTP: from an upload to the second, through a real server of the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from resources.inbox import work_off_inputs
from resources.settings import child_environment
from resources.wiring import run_step

ROOT = Path(__file__).resolve().parents[3]
EGGS = "Why does a compost heap smell of rotten eggs?"
SERVER = [sys.executable, "-m", "cli.app", "api"]


@pytest.fixture
def corpus(api: Any, episode: bytes) -> Any:
    """One episode, searchable; its address is known."""
    api.upload("compost.vtt", episode)
    work_off_inputs(api.bench)
    for step in ("chunk", "embed_chunks"):
        run_step(api.bench, step)
    with api.bench.db.transaction() as tx:
        tx.connection.execute(
            "update source set url = 'https://pod.example/compost', published_at = '2026-03-04Z'"
        )
    return api


def search(api: Any, **asked: Any) -> list[dict[str, Any]]:
    answer = api.post("/internal/search/semantic", json={"text": EGGS, **asked})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["passages"]
    return found


def test_passages_have_their_second_and_scores_and_answers_their_citations(corpus: Any) -> None:
    look_for_passages(corpus)
    narrow(corpus)
    ask(corpus)


def look_for_passages(corpus: Any) -> None:
    found = search(corpus, k=4)
    assert len(found) == 4
    best = found[0]
    assert "rotten eggs" in best["text"] and "Ines" in best["speakers"]
    assert best["url"] == f"https://pod.example/compost#t={int(best['start_s'])}"
    assert best["start_s"] < best["end_s"] and best["lexical"] > 0 and 0 < best["dense"] <= 1
    assert [p["score"] for p in found] == sorted((p["score"] for p in found), reverse=True)


def narrow(corpus: Any) -> None:
    assert search(corpus, sources=["COMPOST"], speakers=["Ines"], language="EN")
    assert search(corpus, since="2026-03-04", until="2026-03-04")
    for nowhere in (
        {"language": "de"},
        {"speakers": ["Nobody"]},
        {"since": "2026-03-05"},
        {"until": "2026-03-03"},
    ):
        assert search(corpus, **nowhere) == []
    assert search(corpus, until="9999-12-31")


WRONG: list[dict[str, Any]] = [
    {"text": ""},
    {"text": "?!"},
    {"text": "a" * 2_001},
    {"k": 0},
    {"k": 51},
    {"language": "klingon"},
    {"since": "soon"},
    {"sources": ["a"] * 21},
    {"sources": ["heat pumps"]},
    {"other": 1},
]


def test_a_wrong_search_is_a_problem(api: Any) -> None:
    for wrong in WRONG:
        answer = api.post("/internal/search/semantic", json={"text": EGGS, **wrong})
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:rejoinder:problem:invalid"), wrong
    for scope, path in (("ask", "/internal/search/semantic"), ("search", "/ask")):
        headers = {"Authorization": f"Bearer {api.token(scope)}"}
        assert api.post(path, json={"text": EGGS}, headers=headers).status_code == 403


def ask(corpus: Any) -> None:
    answer = corpus.post("/ask", json={"text": EGGS}).json()
    assert answer["is_answered"] and answer["notes"] == []
    for said in answer["statements"]:
        (cited,) = said["citations"]
        assert cited["url"] == f"https://pod.example/compost#t={int(cited['start_s'])}"
    none = corpus.post("/ask", json={"text": "Who won the football world cup of 1998?"}).json()
    assert not none["is_answered"] and none["statements"] == [] and none["reason"] and none["nearest"]


def run(*arguments: str) -> str:
    done = subprocess.run(
        [*SERVER, *arguments], cwd=ROOT, env=child_environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def signed_elsewhere(folder: Path, project_id: int) -> str:
    """A token that a service made itself, as docs/api.md has it, with a key whose public half was trusted."""
    key, at = Ed25519PrivateKey.generate(), int(datetime.now(UTC).timestamp())
    public = folder / "backend.pub.pem"
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    trusted = json.loads(run("trust", "backend", "--key", str(public), "--scope", "search", "--json"))
    claims = {
        "iss": "backend", "aud": "rejoinder-api", "sub": "worker-7", "jti": "1", "iat": at, "exp": at + 600,
        "scope": "search ask", "project_id": project_id,
    }  # fmt: skip
    return jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": trusted["kid"]})


@contextmanager
def ended(server: subprocess.Popen[str]) -> Iterator[None]:
    """The server is told to end with the block, however that ends: leaving it would wait for it without end."""
    with server:
        try:
            yield
        finally:
            server.terminate()


def test_from_upload_to_the_second_by_a_server_of_the_command_line(
    bench: Any, episode: bytes, tmp_path: Path
) -> None:
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(
            [*SERVER, "serve", "--port", "0", "--json"],
            cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    assert server.stdout
    token = run("token", "--scope", "sources:write", "--scope", "search", "--for", "crud").strip()
    headers = {"Authorization": f"Bearer {token}"}
    with ended(server), httpx.Client(headers=headers, timeout=60, trust_env=False) as client:
        client.base_url = json.loads(server.stdout.readline())["url"]
        assert client.post("/sources", files={"file": ("compost.vtt", episode)}).status_code == 202
        work_off_inputs(bench)
        for step in ("chunk", "embed_chunks"):
            run_step(bench, step)
        best = client.post("/internal/search/semantic", json={"text": EGGS, "k": 1}).json()["passages"][0]
        assert "rotten eggs" in best["text"] and best["start_s"] < 60
        theirs = {"Authorization": f"Bearer {signed_elsewhere(tmp_path, bench.project_id)}"}
        assert (
            client.post("/internal/search/semantic", json={"text": EGGS}, headers=theirs).status_code == 200
        )
        assert client.post("/ask", json={"text": EGGS}, headers=theirs).status_code == 403
        run("rotate", "--now")
        assert client.post("/internal/search/semantic", json={"text": EGGS}).status_code == 401
        server.terminate()
        assert server.wait(60) == 0
    said = (tmp_path / "log").read_text()
    assert "POST /sources 202" in said and token not in said and "Traceback" not in said
    with bench.db.transaction() as tx:
        events = tx.connection.execute("select action, actor from audit_event order by id").fetchall()
    assert [event["action"] for event in events] == ["issue", "ingest", "trust", "rotate"]
    assert events[1]["actor"] == "api:crud"
