"""`rejoinder models`: what it prints, and what it refuses."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner, Result

from cli.app import build_app
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import load_settings


@pytest.fixture
def cli(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator["Cli"]:
    monkeypatch.setattr("resources.provision.prepare", lambda _settings: addresses)
    yield Cli()
    load_settings.cache_clear()


class Cli:
    """Runs commands in this process."""

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(build_app(), ["models", *arguments])

    def json(self, *arguments: str) -> dict[str, object]:
        found = self.run(*arguments, "--json")
        assert found.exit_code == 0, found.output
        answer: dict[str, object] = json.loads(found.stdout)
        return answer


def test_models_and_indexes_are_listed(cli: Cli, db: Database) -> None:
    with db.transaction() as tx:
        tx.value("ensure_embedding_index", model="test::one", dim=8)
        tx.value("ensure_embedding_index", model="test::two", dim=16)
    found = cli.json("list")
    configured = [m["name"] for m in found["models"] if m["is_configured"]]
    assert configured == ["all-MiniLM-L6-v2"]
    assert [(i["model"], i["dim"], i["state"], i["coverage_pct"]) for i in found["indexes"]] == [
        ("test::one", 8, "active", 100.0),
        ("test::two", 16, "building", 100.0),
    ]
    assert "multilingual" in cli.run("list").stdout


def test_an_index_in_use_stays_and_another_goes_with_an_audit_row(
    cli: Cli, db: Database, owner_db: Database
) -> None:
    with db.transaction() as tx:
        kept = tx.value("ensure_embedding_index", model="test::one", dim=8)
        gone = tx.value("ensure_embedding_index", model="test::two", dim=16)
    refused = cli.run("drop", str(kept))
    assert refused.exit_code == 2 and "is the one that searches read" in refused.stderr
    assert cli.json("drop", str(gone)) == {"dropped": gone}
    with owner_db.transaction() as tx:
        row = tx.connection.execute(
            "select action, entity_id, diff from audit_event order by id desc limit 1"
        ).fetchone()
    assert row == {"action": "drop_embedding_index", "entity_id": gone, "diff": {"model": "test::two"}}
