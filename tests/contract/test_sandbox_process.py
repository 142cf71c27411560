"""The sandbox as a program: start, port in use, bad lines, control paths, the page, independence."""

import ast
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from resources.platforms.port import PlatformClient

ROOT = Path(__file__).resolve().parents[2]
SUMMONED = "2100000000000000001"


def program(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "resources.sandbox", "--state", str(folder / "other.db"), *arguments]


def test_port_in_use_has_an_exit_code_of_its_own(sandbox: Any, tmp_path: Path) -> None:
    port = sandbox.url.rpartition(":")[2]
    done = subprocess.run(
        program(tmp_path, "--port", port), cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr and done.stdout == ""


def test_it_ends_cleanly_and_writes_a_ready_file(tmp_path: Path) -> None:
    command = program(tmp_path, "--ready-file", str(tmp_path / "ready"))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = json.loads(process.stdout.readline())
        assert json.loads((tmp_path / "ready").read_text()) == line
        assert requests.get(f"{line['url']}/sandbox/health", timeout=10).json()["status"] == "ok"
        process.send_signal(signal.SIGTERM)
    assert process.returncode == 0


def test_loading_again_changes_nothing(sandbox: Any) -> None:
    before = sandbox.get("summary")
    sandbox.end(signal.SIGTERM)
    sandbox.start()
    assert sandbox.get("summary") == before
    assert "0 posts loaded, 7 known, 0 skipped" in (sandbox.folder / "stderr").read_text()


def test_log_is_every_write_request(
    sandbox: Any, x_client: PlatformClient, reddit_client: PlatformClient
) -> None:
    x_client.publish(SUMMONED, "one")
    reddit_client.publish("t3_p00001", "two")
    with pytest.raises(Exception, match="duplicate"):
        x_client.publish(SUMMONED, "one")
    log = sandbox.get("log")
    assert [(entry["platform"], entry["error"]) for entry in log] == [
        ("x", None),
        ("reddit", None),
        ("x", "duplicate"),
    ]
    assert {reply["text_sha256"] for reply in sandbox.get("replies")} == {
        log[0]["text_sha256"],
        log[1]["text_sha256"],
    }
    assert sandbox.get("summary") == {
        "published": 2, "duplicates": 0, "refused": 1, "write_requests": 3, "posts": 7,
        "published_by_platform": {"reddit": 1, "x": 1},
    }  # fmt: skip


def test_page_shows_replies_and_escapes(sandbox: Any, reddit_client: PlatformClient) -> None:
    reddit_client.publish("t3_p00001", "<script>alert(1)</script>")
    page = requests.get(sandbox.url, timeout=10).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page and "<script>" not in page
    assert page.index("&lt;script&gt;") < page.index("no 2")


def test_page_allows_nothing_from_outside_and_its_parts_come_alone(sandbox: Any) -> None:
    sandbox.post("posts", posts=[{"platform": "x", "text": "<img src=x onerror=alert(1)>"}])
    sandbox.fault("search", "503")
    whole, parts = (
        requests.get(sandbox.url, timeout=10),
        requests.get(f"{sandbox.url}/sandbox/page", timeout=10),
    )
    policy = whole.headers["content-security-policy"]
    nonce = policy.partition("script-src 'nonce-")[2].partition("'")[0]
    assert policy.startswith("default-src 'none'") and f"<script nonce='{nonce}'>" in whole.text
    assert "http" not in whole.text.lower().replace("http-equiv", "")
    for text in (whole.text, parts.text):
        assert "&lt;img src=x onerror=alert(1)&gt;" in text and "<img" not in text
        assert "Faults waiting" in text and "<td>503</td>" in text and "data-speed='1.0'" in text
    assert "<script" not in parts.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("clock", {"advance_s": -1}),
        ("clock", {"advance_s": "soon"}),
        ("clock", []),
        ("faults", {"endpoint": "create", "kind": "meteor"}),
        ("faults", {"endpoint": "create", "kind": "503", "times": 0}),
        ("faults", {"kind": "503"}),
        ("faults", {"endpoint": "serch", "kind": "503"}),
        ("tokens", {"platform": "x", "account": "nobody_here"}),
        ("clock", {"advance_s": 1e15}),
        ("posts", {"posts": [{"platform": "x", "text": "a", "created_at": "0001-01-01T00:00:00+14:00"}]}),
        ("posts", {"posts": [{"platform": "x", "text": "a", "id": str(2**63 - 1)}]}),
        ("x", {"is_enterprise": "false"}),
        ("x", {"posts_per_month": True}),
        ("x", {"search_days": 1e11}),
        (f"posts/{SUMMONED}", {}),
    ],
)
def test_wrong_orders_are_answered_with_400(sandbox: Any, path: str, body: Any) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/{path}", json=body, timeout=10)
    assert answer.status_code == 400 and answer.json()["error"]
    assert sandbox.get("health")["status"] == "ok"


def test_deep_nesting_is_answered_with_400(sandbox: Any) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/faults", data="[" * 100_000, timeout=10)
    assert answer.status_code == 400 and "nested too deep" in answer.json()["error"]


def test_unknown_post_cannot_be_changed(sandbox: Any) -> None:
    answer = requests.post(f"{sandbox.url}/sandbox/posts/1", json={"deleted": True}, timeout=10)
    assert answer.status_code == 404


def test_faults_are_used_up_in_order(sandbox: Any) -> None:
    sandbox.fault("me", "503")
    sandbox.fault("me", "429", times=2)
    keys = sandbox.get("credentials")["x"]
    headers = {"Authorization": f"Bearer {keys['oauth2_user_token']}"}
    seen = [
        requests.get(f"{sandbox.url}/2/users/me", headers=headers, timeout=10).status_code for _ in range(4)
    ]
    assert seen == [503, 429, 429, 200]
    assert sandbox.get("faults") == []


def test_sandbox_knows_nothing_of_the_product() -> None:
    """It is a witness: it may not share a line with what it judges."""
    for path in (ROOT / "resources" / "sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            ours = [
                name for name in names if name.split(".")[0] in {"rejoinder", "resources", "assets", "jobs"}
            ]
            assert all(name.startswith("resources.sandbox") for name in ours), (path.name, ours)
