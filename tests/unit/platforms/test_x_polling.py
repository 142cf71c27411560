"""Polling X's search by values: what shows late, rules that are quiet for weeks, new rules, edits, empty pages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import Refused
from resources.platforms.x_poll import (
    SEARCH_LAG,
    TIME,
    Collected,
    Gap,
    begin_at,
    in_words,
    poll_search,
    search_key,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
WINDOW = timedelta(days=7)


class Search:
    """X's recent search over posts numbered by the second in which they were written, with X's refusals."""

    def __init__(self, page: int = 5) -> None:
        self.now, self.page = START, page
        self.shown_at: dict[int, datetime] = {}
        self.edits: set[int] = set()
        self.asked: list[Mapping[str, str]] = []

    def at(self, number: int) -> datetime:
        return START + timedelta(seconds=number)

    def write(self, number: int, late_s: float = 0.0, *, is_edit: bool = False) -> None:
        self.shown_at[number] = self.at(number) + timedelta(seconds=late_s)
        self.edits |= {number} if is_edit else set()

    def fetch(self, bounds: Mapping[str, str]) -> dict[str, Any]:
        self.asked.append(bounds)
        assert not ("start_time" in bounds and bounds.keys() & {"since_id", "until_id"})
        oldest = self.now - WINDOW
        if "since_id" in bounds and self.at(int(bounds["since_id"])) < oldest:
            raise Refused("invalid", "'since_id' must be a tweet id created after a week ago")
        start = datetime.strptime(bounds.get("start_time", oldest.strftime(TIME)), TIME).replace(tzinfo=UTC)
        if start < oldest - timedelta(seconds=1):
            raise Refused("invalid", "'start_time' must be on or after a week ago")
        low, high = int(bounds.get("since_id", -1)), int(bounds.get("until_id", 10**9))
        there = [n for n in sorted(self.shown_at, reverse=True) if low < n < high]
        there = [n for n in there if self.shown_at[n] <= self.now and self.at(n) >= start]
        shown = there[: self.page]
        meta = {"oldest_id": str(shown[-1])} if shown else {}
        if len(there) > len(shown):
            meta["next_token"] = "more"
        return {"data": [self.item(n) for n in shown], "meta": meta}

    def item(self, number: int) -> dict[str, Any]:
        # The time of an edited post is that of its first version here.
        written = START if number in self.edits else self.at(number)
        versions = ["0", str(number)] if number in self.edits else [str(number)]
        return {
            "id": str(number), "text": "t", "created_at": written.isoformat(), "edit_history_tweet_ids": versions,
        }  # fmt: skip

    def poll(self, cursor: dict[str, str], *, max_pages: int = 10) -> Collected:
        found = Collected(settled_at=self.now - SEARCH_LAG)
        poll_search("k", self.fetch, cursor, found, own="me", max_pages=max_pages)
        return found


@given(
    st.lists(
        st.tuples(st.integers(1, 40), st.floats(0, SEARCH_LAG.total_seconds()), st.booleans()), max_size=60
    ),
    st.integers(1, 6),
    st.integers(1, 3),
)
def test_what_shows_late_is_found_however_polls_fall(
    posts: list[tuple[int, float, bool]], page: int, max_pages: int
) -> None:
    """Posts show within the lag and in no order, some are edits, polls stop at their bound: all is found."""
    search, cursor, found, number = Search(page), {}, set(), 0
    for step_s, late_s, is_edit in posts:
        number += step_s
        search.write(number, late_s, is_edit=is_edit)
    for now_s in range(0, number + 120, 7):
        search.now = search.at(now_s)
        found |= search.poll(cursor, max_pages=max_pages).posts.keys()
    for _ in range(200):
        poll = search.poll(cursor, max_pages=max_pages)
        found |= poll.posts.keys()
        if poll.is_complete:
            break
    assert found == {str(n) for n in search.shown_at}


def test_a_rule_that_is_quiet_for_weeks_is_no_gap_and_reads_no_week_again() -> None:
    search, cursor = Search(), {}
    search.write(5)
    search.now += timedelta(hours=1)
    assert search.poll(cursor).posts.keys() == {"5"}
    for day in range(1, 30):
        search.now = START + timedelta(days=day)
        assert search.poll(cursor).gaps == []
    assert "k.since" not in cursor
    assert search.asked[-1]["start_time"] > (search.now - timedelta(days=2)).strftime(TIME)


def test_a_poll_after_more_than_a_week_tells_the_gap_and_reads_what_there_is() -> None:
    search, cursor = Search(), {}
    search.write(5)
    search.now += timedelta(hours=1)
    search.poll(cursor)
    search.now += timedelta(days=9)
    search.write(8 * 86_400)
    heard = search.poll(cursor)
    assert len(heard.gaps) == 1 and heard.posts.keys() == {str(8 * 86_400)}
    assert search.poll(cursor).gaps == []


def test_a_new_search_begins_no_earlier_than_it_may_and_one_that_ran_stays() -> None:
    search, cursor = Search(page=2), {}
    for hour in range(48):
        search.write(hour * 3600)
    search.now = START + timedelta(hours=48)
    begin_at("k", cursor, search.now - timedelta(hours=5))
    heard = {int(one) // 3600 for one in search.poll(cursor).posts}
    # A page may reach beyond the bound; the one behind it is not asked for.
    assert heard >= {43, 44, 45, 46, 47} and min(heard) >= 42 and len(search.asked) == 3
    before = dict(cursor)
    begin_at("k", cursor, START)
    assert cursor == before and "k.since" in cursor


def test_a_page_without_posts_is_not_the_end() -> None:
    answers = [
        {"meta": {"result_count": 0, "next_token": "b26"}},
        {"data": [{"id": "7", "text": "t", "created_at": START.isoformat()}], "meta": {"oldest_id": "7"}},
    ]
    asked: list[Mapping[str, str]] = []

    def fetch(bounds: Mapping[str, str]) -> dict[str, Any]:
        asked.append(bounds)
        return answers[len(asked) - 1]

    cursor, found = {"k.since": "3"}, Collected()
    poll_search("k", fetch, cursor, found, own="me", max_pages=5)
    assert found.posts.keys() == {"7"} and asked[1]["next_token"] == "b26"
    assert cursor["k.since"] == "7"


def test_a_gap_names_what_was_searched_for() -> None:
    rule = ListeningRule("keywords:1", "(heat pump) OR (radiator) OR " + "(boiler) OR " * 20 + "(stove)", ())
    told = in_words([Gap(search_key(rule), "not polled"), Gap("mentions", "not polled")], [rule])
    assert told[0].startswith("the search for (heat pump) OR (radiator)") and len(told[0]) < 100
    assert told[1] == "mentions: not polled"
