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
from review_app.screens.result_rows import View, kinds_of
from review_app.screens.results import SHOWN

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
             "stage_order": 0, "posts": n, "platform": "x", "is_sandbox": c == "stage"}
            for c, age, n in (("news", 0, 5), ("deals", 0, 2), ("news", 20, 40), ("stage", 0, 9))
        ),
    )  # fmt: skip
    write(
        home,
        "approval",
        *(
            {"period_days": days, "is_simulated": simulated, "is_sandbox": simulated, "channel": c, "split": split,
             "name": name, "decided": n, "approved": n // 2, "edited": 1, "rejected": n // 2,
             "sent_back": 0, "approval_rate": 0.5,
             "rate_low": 0.3, "rate_high": 0.7, "edit_share": 0.1, "edit_low": 0.05, "edit_high": 0.2,
             "decide_p50_s": 90.0, "decide_p95_s": 900.0}
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
            {"period_days": 30, "is_simulated": False, "is_sandbox": False, "channel": None, "split": split,
             "name": name,
             "window_s": 3600, "snapshots": n + 1, "late": 1, "deleted": 0, "n": n, "likes_mean": 4.0,
             "likes_low": 1.5 if n > 1 else None, "likes_high": 6.5 if n > 1 else None,
             "impressions_n": 0, "reward_n": n - 1, "reward_mean": 0.5 if n > 1 else None,
             "reward_low": 0.25 if n > 1 else None, "reward_high": 0.75 if n > 1 else None}
            for split, name, n in (("all", None, 13), ("strategy", "quote", 12), ("strategy", "question", 1))
        ),
    )  # fmt: skip
    of_people = {"day": today, "channel": "news", "is_sandbox": False, "is_simulated": False}
    write(home, "faults", {**of_people, "what": "refused", "reason": "not_summoned", "n": 3})
    write(
        home,
        "links",
        {**of_people, "strategy": "quote", "replies": 2, "tracked": 1, "link_cost_usd": 0.37, "visits": 0},
        {**of_people, "strategy": "quote", "visits": 7, "bot_visits": 9, "conversions": 1, "value_usd": 12.5},
        {**of_people, "strategy": "question", "visits": 1, "day": today - timedelta(days=20)},
        {**of_people, "channel": "stage", "is_sandbox": True, "is_simulated": True, "visits": 1000},
    )
    return home


def test_an_empty_installation_is_told_what_comes(db: Database) -> None:
    assert "No results yet." in words_of(drawn()) and "rejoinder marts refresh" in words_of(drawn())
    refresh_marts(db, load_settings().home_dir)
    assert "no post was heard" in words_of(drawn())


def test_figures_come_with_their_intervals_and_counts(home: Path) -> None:
    page = drawn()
    said = words_of(page)
    assert (
        "as of" in said
        and "approved (30% to 70%)" in said
        and "of them edited (5% to 20%)" in said
        and "compare the approval rates too" in said
    )
    tables = [frame.value for frame in page.dataframe]
    engagement = next(t for t in tables if "replies (n)" in t.columns)
    assert engagement.to_dict("records")[0]["likes"] == "4.00 (1.50 to 6.50)"
    assert engagement.to_dict("records")[1]["likes"] == "4.00", "one reply has no interval"
    assert engagement.to_dict("records")[0]["reward"] == "0.50 (0.25 to 0.75), n 11", "not all are rewarded"
    decided = next(t for t in tables if "share edited" in t.columns)
    assert decided.to_dict("records")[0]["share edited"] == "10% (5% to 20%)"
    faults = next(t for t in tables if "times" in t.columns)
    assert faults.to_dict("records") == [
        {"what": "Refused by the platform", "reason": "not summoned", "times": 3}
    ]


def test_a_channel_is_chosen(home: Path) -> None:
    page = drawn()
    page.selectbox(key="results_channel_real").select("deals").run()
    assert not page.exception
    assert "<b>2</b><span>decided</span>" in words_of(page)
    assert "No reply was on its way in this period." in words_of(page), "none went at all"


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


def test_links_stand_with_their_cost_their_visits_and_conversions(home: Path) -> None:
    page = drawn()
    assert "$0.370 more for links; conversions worth $12.50" in words_of(page)
    table = next(f.value for f in page.dataframe if "visits" in f.value.columns)
    quote, question = table.to_dict("records")
    assert (quote["name"], quote["replies with a link"], quote["cost more"]) == ("quote", 2, "$0.370")
    assert (quote["visits"], quote["visits of programs"], quote["conversions"]) == (7, 9, 1)
    assert (question["visits"], question["worth"]) == (1, "$0.00")
    page.segmented_control(key="results_by_links").select("channel").run()
    (row,) = next(f.value for f in page.dataframe if "visits" in f.value.columns).to_dict("records")
    assert (row["name"], row["visits"]) == ("news", 8), "the rehearsal's are not among them"


def test_no_link_says_so(home: Path) -> None:
    write(home, "links")
    assert "No reply of this period has a link, and no link was followed." in words_of(drawn())


def test_what_was_spent_without_a_post_is_shown(db: Database, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
            " values ('embed', 'm', 1, 1, 0, 0.25, 1, true)"
        )
    refresh_marts(db, load_settings().home_dir)
    said = words_of(drawn())
    assert "What it cost: $0.250" in said and "Nothing was heard in this period." in said
    assert "No results yet." not in said


def test_a_click_reads_no_mart_again_and_a_refresh_is_seen(home: Path, db: Database) -> None:
    page = drawn()
    for name in SHOWN:
        path = mart_path(home, name)
        kept = pl.read_parquet_metadata(path)
        pl.read_parquet(path).clear().write_parquet(path, metadata=kept)
    page.segmented_control(key="results_days").select(90).run()
    assert "<b>22</b><span>decided</span>" in words_of(page), "the same moment: what was read serves"
    refresh_marts(db, home)
    assert "No results yet." in words_of(page.run()), "another moment: read anew"


def test_marts_of_an_earlier_version_are_no_empty_installation(home: Path) -> None:
    funnel = mart_path(home, "funnel")
    older = {**pl.read_parquet_metadata(funnel), "made_by": "another"}
    pl.read_parquet(funnel).drop("is_sandbox").write_parquet(funnel, metadata=older)
    assert "does not mean that nothing has happened" in words_of(drawn())


def test_a_view_keeps_to_its_period() -> None:
    today = date(2026, 3, 31)
    ages = (0, 6, 7, 3000)
    mart = pl.DataFrame(
        {
            "day": [today - timedelta(days=age) for age in ages],
            "channel": "c",
            "is_sandbox": False,
            "age": ages,
        }
    )
    assert View(7, None, "people", today).by_day(mart)["age"].to_list() == [0, 6]
    assert View(0, None, "people", today).by_day(mart).height == 4
    assert View(0, None, "rehearsal", today).by_day(mart).is_empty()


@pytest.mark.parametrize(
    ("decided", "heard", "kinds"),
    [
        ([], [], ["people"]),
        ([(False, False), (True, True)], [False, True], ["people", "simulated"]),
        ([(True, True)], [False, True], ["simulated", "people"]),
        ([(False, True)], [True], ["rehearsal"]),
        ([], [True], ["rehearsal"]),
    ],
)
def test_only_deciders_that_have_something_to_show_are_offered(
    decided: list[tuple[bool, bool]], heard: list[bool], kinds: list[str]
) -> None:
    funnel = pl.DataFrame({"is_sandbox": heard}, schema={"is_sandbox": pl.Boolean})
    approval = pl.DataFrame(
        decided, schema={"is_simulated": pl.Boolean, "is_sandbox": pl.Boolean}, orient="row"
    )
    assert kinds_of(funnel, approval) == kinds
