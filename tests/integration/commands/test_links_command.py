"""`rejoinder links`: which links of ours there are, and what they brought."""

import json
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.engagement.visits import Visit
from resources.settings import load_settings
from resources.store.conversions import Conversion, save_conversion
from resources.store.links import follow
from resources.store.sources import default_project

DAY = date(2026, 11, 22)
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(newsroom: Any, addresses: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command on the newsroom's database; gives the exit code and what was printed."""
    for name in ("app", "publisher", "dagster", "mlflow"):
        monkeypatch.setenv(f"REJOINDER_{name.upper()}_DATABASE_URL", getattr(addresses, name))
    monkeypatch.setenv("REJOINDER_DATABASE_URL", addresses.owner)
    load_settings.cache_clear()

    def act(*arguments: str) -> tuple[int, str]:
        done = CliRunner(env={"COLUMNS": "200"}).invoke(build_app(), ["links", *arguments])
        return done.exit_code, done.stdout

    return act


def linked(newsroom: Any, code: str) -> int:
    """A post whose reply has a link of ours."""
    post_id = newsroom.post()
    with newsroom.db.transaction() as tx:
        tx.execute(
            "save_tracked_link",
            code=code,
            address=f"https://go.example/l/{code}",
            target="https://pod.example/1#t=64",
            post_id=post_id,
            source_id=None,
        )
    return int(post_id)


def test_without_any_it_says_how_to_have_them(run: Run) -> None:
    code, shown = run()
    assert code == 0
    assert "REJOINDER_PUBLIC_URL" in shown and "rejoinder policy set CHANNEL tracked_links=true" in shown
    assert run("--json") == (0, '{"links": []}\n')


def test_each_link_with_its_visits_and_what_visitors_did(newsroom: Any, run: Run) -> None:
    older, newer = linked(newsroom, "2b3c4d5f6g7h"), linked(newsroom, "8j9k2m3n4p5q")
    with newsroom.owner.transaction() as tx:
        project = default_project(tx)
        tx.connection.execute("update channel set project_id = %s", (project,))
    at = newsroom.value("select now()")
    with newsroom.db.transaction() as tx:
        for visit in (Visit("t.co", False), Visit("", False), Visit("", True)):
            follow(tx, "2b3c4d5f6g7h", visit, DAY)
        save_conversion(tx, project, Conversion("order-1", "2b3c4d5f6g7h", "order", Decimal("12.5"), at))
    code, shown = run("--json")
    newest, oldest = json.loads(shown)["links"]
    assert (code, newest["post_id"], oldest["post_id"]) == (0, newer, older)
    assert newest | {"created_at": 0} == {
        "code": "8j9k2m3n4p5q",
        "address": "https://go.example/l/8j9k2m3n4p5q",
        "target": "https://pod.example/1#t=64",
        "post_id": newer,
        "created_at": 0,
        "visits": 0,
        "bot_visits": 0,
        "conversions": 0,
        "value_usd": 0.0,
    }
    counted = ("visits", "bot_visits", "conversions", "value_usd")
    assert [oldest[name] for name in counted] == [2, 1, 1, 12.5]
    code, table = run("--limit", "1")
    assert code == 0 and "1 links of ours" in table
    assert "8j9k2m3n4p5q" in table and "2b3c4d5f6g7h" not in table
