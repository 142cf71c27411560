"""The page Results: empty it teaches, with marts it shows them, by period, channel and kind of reviewer."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from resources.postgres import Database
from resources.settings import load_settings
from resources.warehouse import MARTS, mart_path, read_mart, refresh_marts
from review_app.screens.result_rows import View

pytestmark = pytest.mark.usefixtures("environment")


def drawn() -> AppTest:
    page = AppTest.from_string(
        "from review_app.screens.results import page\npage()", default_timeout=60
    ).run()
    assert not page.exception
    return page


def words_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.html)


def write(home: Path, mart: str, *rows: dict[str, Any]) -> None:
    """Rows into a mart that a refresh has written, with its moment."""
    path, empty = mart_path(home, mart), read_mart(home, mart)
    kept = pl.read_parquet_metadata(path)
    given = [{column: row.get(column) for column in empty.columns} for row in rows]
    pl.DataFrame(given, schema=empty.schema).write_parquet(path, metadata=kept)


@pytest.fixture
def home(db: Database) -> Path:
    """A home whose marts hold two channels, people's and simulated decisions."""
    home, today = load_settings().home_dir, datetime.now(UTC).date()
    refresh_marts(db, home)
    write(
        home,
        "funnel",
        *(
            {"day": today - timedelta(days=age), "channel": c, "stage": "triage", "status": "rejected",
             "stage_order": 0, "posts": n, "platform": "x"}
            for c, age, n in (("news", 0, 5), ("deals", 0, 2), ("news", 20, 40))
        ),
    )  # fmt: skip
    write(
        home,
        "approval",
        *(
            {"period_days": days, "is_simulated": simulated, "channel": c, "split": split, "name": name,
             "decided": n, "approved": n // 2, "edited": 1, "rejected": n // 2, "sent_back": 0, "approval_rate": 0.5,
             "rate_low": 0.3, "rate_high": 0.7, "edit_share": 0.1, "decide_p50_s": 90.0, "decide_p95_s": 900.0}
            for days in (7, 30, 90, 0)
            for simulated in (False, True)
            for c, n in ((None, 22), ("news", 20), ("deals", 2))
            for split, name in (("all", None), ("strategy", "quote"), ("prompt", "aaaaaaaaaaaa"))
        ),
    )  # fmt: skip
    write(
        home,
        "engagement",
        *(
            {"period_days": 30, "is_simulated": False, "channel": None, "split": split, "name": name,
             "window_s": 3600, "snapshots": n + 1, "late": 1, "deleted": 0, "n": n, "likes_mean": 4.0,
             "likes_low": 1.5 if n > 1 else None, "likes_high": 6.5 if n > 1 else None}
            for split, name, n in (("all", None, 13), ("strategy", "quote", 12), ("strategy", "question", 1))
        ),
    )  # fmt: skip
    write(
        home, "faults", {"day": today, "channel": "news", "what": "refused", "reason": "not_summoned", "n": 3}
    )
    return home


def test_an_empty_installation_is_told_what_comes(db: Database) -> None:
    assert "No results yet." in words_of(drawn()) and "rejoinder marts refresh" in words_of(drawn())
    refresh_marts(db, load_settings().home_dir)
    assert "nothing was heard" in words_of(drawn())


def test_figures_come_with_their_intervals_and_counts(home: Path) -> None:
    page = drawn()
    said = words_of(page)
    assert "as of" in said and "approved (30% to 70%)" in said and "compare the approval rates too" in said
    tables = [frame.value for frame in page.dataframe]
    engagement = next(t for t in tables if "replies (n)" in t.columns)
    assert engagement.to_dict("records")[0]["likes"] == "4.00 (1.50 to 6.50)"
    assert engagement.to_dict("records")[1]["likes"] == "4.00", "one reply has no interval"
    faults = next(t for t in tables if "times" in t.columns)
    assert faults.to_dict("records") == [
        {"what": "Refused by the platform", "reason": "not summoned", "times": 3}
    ]


def test_a_channel_is_chosen(home: Path) -> None:
    page = drawn()
    page.selectbox(key="results_channel").select("deals").run()
    assert not page.exception
    assert "<b>2</b><span>decided</span>" in words_of(page)
    assert "Every reply of this period went straight." in words_of(page)


def test_marts_that_are_behind_say_so(home: Path, db: Database, owner_db: Database) -> None:
    assert "These figures are behind" not in words_of(drawn())
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into notification (kind, message) values ('k', 'm')")
    for name in MARTS:
        path = mart_path(home, name)
        kept = {**pl.read_parquet_metadata(path), "as_of": "2020-01-01T00:00:00+00:00"}
        pl.read_parquet(path).write_parquet(path, metadata=kept)
    with owner_db.transaction() as tx:
        tx.connection.execute("update notification set created_at = now() - interval '6 minutes'")
    assert "These figures are behind" in words_of(drawn())


def test_a_view_keeps_to_its_period() -> None:
    today = date(2026, 3, 31)
    week = View(7, None, False, today)
    assert week.has_day(today) and week.has_day(today - timedelta(days=6))
    assert not week.has_day(today - timedelta(days=7))
    assert View(0, None, False, today).has_day(today - timedelta(days=3000))
