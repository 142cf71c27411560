"""Visits of links by day and by site are kept for a time; their sums, and conversions, stay."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from rejoinder.engagement.visits import Visit
from resources import rounds
from resources.link_visits import count_visits_to_fold, fold_link_visits
from resources.store.conversions import Conversion, save_conversion
from resources.store.links import follow
from resources.store.sources import default_project
from resources.tuning import Tuning
from resources.tuning_sections import Links

CODE, TODAY = "2b3c4d5f6g7h", date(2026, 11, 22)
PEOPLE, BOTS = Visit("t.co", False), Visit("", True)


@pytest.fixture
def link(newsroom: Any) -> Any:
    """A newsroom with a link that was followed for half a year, day by day, over several sites."""
    post_id = newsroom.post()
    with newsroom.db.transaction() as tx:
        tx.execute(
            "save_tracked_link", code=CODE, address=f"https://go.example/l/{CODE}", target="https://pod.example/1",
            post_id=post_id, source_id=None,
        )  # fmt: skip
        for days in range(180):
            for visit in (PEOPLE, PEOPLE, Visit(f"s{days % 3}.example", False), BOTS):
                follow(tx, CODE, visit, TODAY - timedelta(days=days))
    return newsroom


def rows(newsroom: Any) -> list[tuple[Any, ...]]:
    with newsroom.db.transaction() as tx:
        found = tx.connection.execute(
            "select day, referrer_host, is_bot, visits from link_visit order by day, referrer_host, is_bot"
        ).fetchall()
    return [tuple(row.values()) for row in found]


def sums(newsroom: Any) -> dict[bool, int]:
    return {is_bot: sum(row[3] for row in rows(newsroom) if row[2] is is_bot) for is_bot in (True, False)}


def test_old_visits_become_months_without_sites_and_no_sum_changes(link: Any) -> None:
    before, at = sums(link), link.value("select now()")
    with link.owner.transaction() as tx:
        project = default_project(tx)
        tx.connection.execute("update channel set project_id = %s", (project,))
    with link.db.transaction() as tx:
        save_conversion(tx, project, Conversion("order-1", CODE, "order", Decimal("12.5"), at))
    assert count_visits_to_fold(link.db, 90, TODAY) > 0
    assert fold_link_visits(link.db, 90, TODAY) > 0
    assert sums(link) == before == {True: 180, False: 540}
    kept_from = TODAY - timedelta(days=90)
    old = [row for row in rows(link) if row[0] < kept_from]
    assert {(row[0].day, row[1]) for row in old} == {(1, "other")}
    assert len(old) == len({(row[0], row[2]) for row in old})
    fresh = [row for row in rows(link) if row[0] >= kept_from]
    assert {row[1] for row in fresh} == {"", "t.co", "s0.example", "s1.example", "s2.example"}
    assert link.value("select count(*) from conversion") == 1


def test_the_recheck_of_posts_folds_and_is_asked_for_while_there_is_something_to_fold(link: Any) -> None:
    bench: Any = SimpleNamespace(db=link.db, tuning=Tuning(links=Links(keep_visits_days=1)))
    assert rounds.standings_due(bench) > 0
    before = sums(link)
    rounds.recheck(bench)
    assert count_visits_to_fold(link.db, 1) == 0
    assert sums(link) == before


def test_folding_again_changes_nothing_and_a_later_day_joins_its_month(link: Any) -> None:
    fold_link_visits(link.db, 90, TODAY)
    folded = rows(link)
    assert (count_visits_to_fold(link.db, 90, TODAY), fold_link_visits(link.db, 90, TODAY)) == (0, 0)
    assert rows(link) == folded
    before = sums(link)
    assert fold_link_visits(link.db, 90, TODAY + timedelta(days=40)) > 0
    assert sums(link) == before
    months = [(row[0], row[2]) for row in rows(link) if row[1] == "other"]
    assert len(months) == len(set(months))


def test_however_many_there_are_they_are_folded_a_slice_at_a_time(
    link: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, n_to_fold = sums(link), count_visits_to_fold(link.db, 90, TODAY)
    monkeypatch.setattr("resources.link_visits.FOLD_AT_ONCE", 50)
    assert n_to_fold > 150 and fold_link_visits(link.db, 90, TODAY) == n_to_fold
    assert sums(link) == before and count_visits_to_fold(link.db, 90, TODAY) == 0
    months = [(row[0], row[2]) for row in rows(link) if row[1] == "other"]
    assert len(months) == len(set(months))
