"""`rejoinder prompts`: what it prints, what it moves, and what it refuses."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cli.app import build_app
from rejoinder.prompts.loader import load_prompt, parse_prompt
from resources.commands import people
from resources.commands.actors import machine_owner
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import load_settings
from resources.store import prompt_versions as store

PASSWORD = "correct horse battery"  # pragma: allowlist secret
FIRST = load_prompt("reply", 1)
SECOND = parse_prompt("reply.v2", FIRST.data.replace(b"one paragraph", b"one short paragraph"))


@pytest.fixture
def cli(addresses: Addresses, db: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator["Cli"]:
    monkeypatch.setattr("resources.provision.prepare", lambda _settings: addresses)
    with db.transaction() as tx:
        store.store_prompt(tx, FIRST)
        store.store_prompt(tx, SECOND)
    for name, role in (("ada", "admin"), ("eve", "approver")):
        people.add_person(db, machine_owner(), name, name.title(), role, PASSWORD)  # type: ignore[arg-type]
    yield Cli()
    load_settings.cache_clear()


class Cli:
    """Runs commands in this process."""

    def run(self, *arguments: str, code: int = 0) -> Result:
        done = CliRunner().invoke(build_app(), ["prompts", *arguments])
        assert done.exit_code == code, done.output
        return done

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code).stdout)
        return answer


def test_prompts_are_listed_with_their_alias(cli: Cli) -> None:
    found = cli.json("list", "reply")
    assert {row["version"]: row["alias"] for row in found["prompts"]} == {
        FIRST.version: "champion",
        SECOND.version: None,
    }
    assert all(row["approval_rate"] is None and "body" not in row for row in found["prompts"])
    assert {row["task"] for row in cli.json("list")["prompts"]} >= {"reply", "claims", "reply_extractive"}
    assert "reply.v2" in cli.run("list").stdout
    assert "No prompt of this task" in cli.run("list", "knitting").stdout


def test_a_prompt_is_shown_with_what_it_changes(cli: Cli) -> None:
    assert "one short paragraph" in cli.run("show", "reply.v2").stdout
    shown = cli.run("show", SECOND.version[:5], "--diff").stdout
    assert "+- At most {{limit}} characters, one short paragraph" in shown
    assert "one short paragraph" in cli.json("show", "reply.v2")["text"]
    assert "champion itself" in cli.run("show", "reply.v1", "--diff").stdout


def test_promoted_challenged_and_rolled_back(cli: Cli) -> None:
    done = cli.json("promote", "reply.v2")
    assert done["before"] == {"champion": FIRST.version, "challenger": None}
    assert done["after"] == {"champion": SECOND.version, "challenger": None}
    assert "1 moved" in cli.run("list").stdout
    assert cli.json("challenge", "reply.v1")["after"]["challenger"] == FIRST.version
    assert cli.json("challenge", "reply", "--none")["after"]["challenger"] is None
    assert "set prompt_challenger_share of [models.tasks.reply]" in cli.run("challenge", "reply.v1").stdout
    said = cli.run("rollback", "reply").stdout
    assert f"{FIRST.version} is the champion of reply" in said


def test_refusals_have_their_exit_codes(cli: Cli) -> None:
    assert "admin" in cli.json("promote", "reply.v2", "--as", "eve", code=3)["error"]
    refused = cli.json("promote", "reply.v1", code=4)
    assert "already" in refused["error"] and "prompts list" in refused["fix"]
    assert "no prompt 'nothing'" in cli.json("promote", "nothing", code=2)["error"]
    assert "no other champion" in cli.json("rollback", "reply", code=4)["error"]
