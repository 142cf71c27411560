"""The same decisions from a terminal: what is printed, which exit code, who the audit names."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli.people
import cli.retry
import cli.review
from resources.settings import load_settings

TEXT = "The episode has it at 12:04: heat pumps work below zero."
SECRET = "heat pumps in winter\n"


@pytest.fixture
def run(newsroom, addresses, monkeypatch: pytest.MonkeyPatch):
    """Runs a command on the newsroom's database; gives the exit code and the JSON object or the text."""
    for name in ("app", "publisher", "dagster", "mlflow"):
        monkeypatch.setenv(f"REJOINDER_{name.upper()}_DATABASE_URL", getattr(addresses, name))
    monkeypatch.setenv("REJOINDER_DATABASE_URL", addresses.owner)
    load_settings.cache_clear()
    app = typer.Typer()
    for module in (cli.review, cli.people, cli.retry):
        module.register(app)

    def act(*arguments: object, input: str | None = None) -> tuple[int, Any]:
        result = CliRunner().invoke(app, [str(a) for a in arguments], input=input)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        shown = result.stdout if result.exit_code == 0 or "--json" in arguments else result.stderr
        return result.exit_code, json.loads(shown) if "--json" in arguments else shown

    return act


def test_a_first_session(newsroom, run) -> None:
    post = newsroom.post()
    code, shown = run("review", "approve", post, "--json")
    assert code == 2 and shown["error"] == "There is no account yet." and "rejoinder user add" in shown["fix"]
    assert run("user", "add", "Ada", "--role", "admin", "--password-stdin", "--json", input=SECRET) == (
        0,
        {"id": 1, "name": "ada", "role": "admin"},
    )
    code, listed = run("review", "list", "--json")
    assert code == 0 and listed["total"] == 1 and listed["posts"][0]["id"] == post
    assert run("review", "show", post, "--json")[1]["drafts"][0]["text"] == TEXT
    code, done = run("review", "approve", post, "--json")
    assert code == 0 and done["text"] == TEXT and done["way"] == "api" and done["was_edited"] is False
    [row] = newsroom.audit("approve")
    assert row["actor"].startswith("cli:") and row["actor"].endswith(" as ada") and row["person_id"] == 1
    assert run("review", "approve", post, "--json")[0] == 4
    assert run("review", "take-back", done["publication_id"], "--json") == (0, {"publication_id": 1})


def test_exit_codes(newsroom, actors, run) -> None:
    post = newsroom.post()
    assert run("review", "approve", post, "--as", "some-viewer", "--json")[0] == 3
    assert run("review", "approve", post, "--as", "nobody", "--json")[0] == 2
    assert run("review", "show", 99, "--json")[0] == 2
    assert run("review", "approve", post, "--text", "x" * 281, "--json")[0] == 2
    assert run("review", "reject", post, "--reason", "other", "--json")[0] == 2
    assert run("review", "reject", post, "--reason", "because")[0] == 2
    code, shown = run("review", "approve", post, "--version", 7)
    assert code == 4 and "error: someone decided in between" in shown and "fix: " in shown
    assert run("review", "take-back", 1, "--json")[0] == 2
    assert newsroom.place(post) == "review/pending"


def test_edit_send_back_reject_reopen(newsroom, actors, run, tmp_path: Path) -> None:
    post, file = newsroom.post(), tmp_path / "reply.txt"
    file.write_text("Own words, caf\u00e9.\n", "utf-8")
    assert run("review", "edit", post, "--text-file", file, "--as", "some-editor", "--json") == (
        0,
        {"draft_id": 2},
    )
    assert run("review", "edit", post, "--json")[0] == 2
    assert run("review", "edit", post, "--text", "a", "--text-file", file, "--json")[0] == 2
    assert run("review", "reject", post, "--reason", "tone", "--json") == (0, {"review_id": 1})
    assert run("review", "reopen", post, "--json") == (0, {"post_id": post})
    assert run("review", "send-back", post, "--note", "shorter", "--json") == (0, {"review_id": 2})
    assert newsroom.place(post) == "response/pending"
    file.write_bytes(b"\xff\xfe\x00")
    assert run("review", "edit", post, "--text-file", file, "--json")[0] == 2


def test_a_handoff_from_the_terminal(newsroom, actors, run) -> None:
    first, second = newsroom.post(summoned=False), newsroom.post(summoned=False)
    done = run("review", "approve", first, "--text", "My words.", "--json")[1]
    assert done["way"] == "handoff"
    assert "https://x.com/intent/post?in_reply_to=" in run("review", "show", first)[1]
    number = done["publication_id"]
    assert run("review", "handoff-done", number, "https://x.com/a/status/77", "--json") == (
        0,
        {"publication_id": number, "platform_id": "77"},
    )
    dropped = run("review", "approve", second, "--json")[1]["publication_id"]
    assert run("review", "handoff-drop", dropped, "--note", "locked", "--json")[0] == 0
    assert (newsroom.state(number), newsroom.state(dropped)) == ("sent", "abandoned")


def test_an_unknown_outcome_from_the_terminal(newsroom, actors, run) -> None:
    number = run("review", "approve", newsroom.post(), "--json")[1]["publication_id"]
    newsroom.force(number, "unknown")
    assert run("review", "settle", number, "queued", "--json")[0] == 2
    assert run("review", "settle", number, "queued", "--confirm", "--json")[0] == 0
    assert newsroom.state(number) == "queued"


def test_what_people_see(newsroom, actors, run, give_evidence) -> None:
    post = newsroom.post()
    give_evidence(post)
    newsroom.rows("update post set text = E'[bold]red[/] \\x1b[2J' || text returning id")
    code, shown = run("review", "show", post)
    assert code == 0 and "\x1b" not in shown and "[bold]red[/]" in shown
    for words in (
        "disputes (0.90) Heat, 12:04",
        "they work below zero",
        TEXT,
        "passed: length",
        "Once approved",
    ):
        assert words in shown
    code, shown = run("review", "list")
    assert code == 0 and "1 of 1" in shown and "\x1b" not in shown
    code, shown = run("review", "approve", post)
    assert code == 0 and TEXT in shown


def test_accounts_from_the_terminal(newsroom, run) -> None:
    assert run("user", "add", "ada", "--role", "admin", "--password-stdin", input=SECRET)[0] == 0
    assert run("user", "add", "eve", "--role", "viewer", input=SECRET * 2)[0] == 0
    assert run("user", "add", "bob", "--password-stdin", "--json", input="short\n")[0] == 2
    assert run("user", "role", "eve", "approver", "--json") == (0, {"name": "eve"})
    assert run("user", "password", "eve", "--password-stdin", "--json", input="another long one\n")[0] == 0
    assert run("user", "deactivate", "ada", "--json")[0] == 2
    assert run("user", "deactivate", "eve", "--json")[0] == 0
    people = run("user", "list", "--json")[1]["people"]
    assert [(p["name"], p["role"], p["is_active"]) for p in people] == [
        ("ada", "admin", True),
        ("eve", "approver", False),
    ]
    assert "shut" in run("user", "list")[1] and "password_hash" not in people[0]


def test_retry_from_the_terminal(newsroom, actors, run) -> None:
    post = newsroom.post(at="response/dead")
    assert run("retry", "nothing", "--json")[0] == 2
    assert run("retry", "--as", "some-viewer", "--json")[0] == 3
    assert run("retry", "decide", "--json") == (0, {"revived": {"post": 1}, "hurried": {"post": 0}})
    assert newsroom.place(post) == "response/pending"


def test_no_database_is_exit_code_5(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/none")
    load_settings.cache_clear()
    code, shown = run("review", "list", "--json")
    assert code == 5 and "cannot be reached" in shown["error"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, cli.review, cli.people, cli.retry;"
        "print([m for m in ('psycopg', 'pydantic', 'rich.table', 'numpy', 'argon2', 'rapidfuzz') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_the_first_account_is_an_admin_and_says_so(newsroom, run) -> None:
    code, shown = run("user", "add", "bob", "--role", "approver", input=SECRET * 2)
    assert code == 2 and "first account has to be an admin" in shown and "--role admin" in shown
    assert "Password" not in shown
    code, shown = run("user", "add", "bob", "--password-stdin", input=SECRET)
    assert code == 0 and "admin, as the first account is" in shown
    assert run("user", "add", "eve", "--password-stdin", "--json", input=SECRET)[1]["role"] == "approver"
    post = newsroom.post()
    assert run("review", "approve", post, "--json")[0] == 0


@pytest.mark.parametrize(
    "account", [("b o b",), ("ada",), ("eve", "--role", "king")], ids=["malformed", "taken", "role"]
)
def test_a_name_or_role_is_refused_before_a_password_is_asked_for(newsroom, run, account) -> None:
    assert run("user", "add", "ada", "--password-stdin", input=SECRET)[0] == 0
    code, shown = run("user", "add", *account, input=SECRET * 2)
    assert code == 2 and "Password" not in shown


def test_no_admin_is_another_trouble_than_no_account(newsroom, actors, run) -> None:
    with newsroom.owner.transaction() as tx:
        tx.connection.execute("update person set is_active = false where role = 'admin'")
    code, shown = run("review", "approve", newsroom.post(), "--json")
    assert code == 2 and "some-approver" in shown["error"] and "--as NAME" in shown["fix"]


@pytest.mark.parametrize(
    ("arguments", "helps"),
    [
        (("review", "show", 99999), "rejoinder review list"),
        (("review", "approve", 99999, "--as", "some-admin"), "rejoinder review list"),
        (("review", "take-back", 99999, "--as", "some-admin"), "rejoinder review show"),
        (("review", "approve", 99999, "--as", "nobody"), "rejoinder user list"),
        (("user", "role", "nobody", "viewer"), "rejoinder user list"),
    ],
)
def test_the_fix_fits_the_error(newsroom, actors, run, arguments, helps) -> None:
    code, shown = run(*arguments, "--json")
    assert code == 2 and "There is no" in shown["error"] and helps in shown["fix"]
