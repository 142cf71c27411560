"""Polls of Reddit's listings: bursts, shifting pages, removed anchors, gaps; its inbox, its pace, its search."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.reddit_search import reddit_query
from resources.platforms.credentials import RedditCredentials
from resources.platforms.failures import RateLimited, Refused, Unreachable
from resources.platforms.reddit_answers import mentions_in, read_posts
from resources.platforms.reddit_identity import user_agent
from resources.platforms.reddit_inbox import as_comments
from resources.platforms.reddit_pace import Pace
from resources.platforms.reddit_poll import Listing, poll_listings

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Community:
    """A listing as Reddit keeps it: newest first, a thousand at most, pages by the name of a thing."""

    def __init__(self) -> None:
        self.things: list[dict[str, Any]] = []
        self.made = 0
        self.clock_s = NOON.timestamp()
        self.pages = 0
        self.on_page = lambda: None

    def make(self, count: int, *, author: str = "ann", every_s: float = 1.0) -> None:
        for _ in range(count):
            self.made += 1
            self.clock_s += every_s
            self.things.insert(
                0,
                {
                    "name": f"t1_{self.made}", "body": f"comment {self.made}", "author": author,
                    "created_utc": self.clock_s, "subreddit": "py", "permalink": "/r/py/x", "link_id": "t3_1",
                    "parent_id": "t3_1",
                },
            )  # fmt: skip

    def fetch(self, bounds: Any) -> Any:
        self.pages += 1
        shown, after = self.things[:1000], bounds.get("after")
        names = [thing["name"] for thing in shown]
        start = 0 if after is None else names.index(after) + 1 if after in names else len(shown)
        page = shown[start : start + int(bounds["limit"])]
        more = page[-1]["name"] if page and start + len(page) < len(shown) else None
        self.on_page()
        return {"data": {"children": [{"data": dict(thing)} for thing in page], "after": more}}

    def poll(self, cursor: dict[str, str]) -> Any:
        return poll_listings([Listing("py", "r/py", self.fetch)], cursor, "rejoinder")


def ids(heard: Any) -> list[str]:
    return [post.platform_post_id for post in heard.posts]


@settings(max_examples=40)
@given(bursts=st.lists(st.integers(0, 450), max_size=6))
def test_bursts_between_polls_are_heard_whole_and_once(bursts: list[int]) -> None:
    place, cursor, heard_ids = Community(), {}, []
    for burst in bursts:
        place.make(burst)
        heard = place.poll(cursor)
        cursor, heard_ids = dict(heard.cursor), heard_ids + ids(heard)
        assert heard.gaps == () and heard.is_complete
    assert heard_ids == [f"t1_{n}" for n in range(1, sum(bursts) + 1)]


def test_more_than_reddit_lists_is_told_as_a_gap() -> None:
    place = Community()
    place.make(5)
    cursor = dict(place.poll({}).cursor)
    place.make(1200)
    heard = place.poll(cursor)
    assert len(heard.posts) == 1000 and ["r/py" in gap for gap in heard.gaps] == [True]
    place.make(3)
    assert place.poll(dict(heard.cursor)).gaps == ()


def test_a_first_poll_of_a_long_listing_is_no_gap() -> None:
    place = Community()
    place.make(1500)
    heard = place.poll({})
    assert len(heard.posts) == 1000 and heard.gaps == ()


def test_pages_that_shift_while_they_are_read_lose_nothing() -> None:
    place = Community()
    place.make(10)
    cursor = dict(place.poll({}).cursor)
    place.make(350)
    place.on_page = lambda: place.make(7)
    first = place.poll(cursor)
    place.on_page = lambda: None
    second = place.poll(dict(first.cursor))
    assert sorted(ids(first) + ids(second)) == sorted(f"t1_{n}" for n in range(11, place.made + 1))


def test_a_removed_anchor_does_not_end_the_poll() -> None:
    place = Community()
    place.make(10)
    cursor = dict(place.poll({}).cursor)
    place.make(250)
    place.on_page = lambda: place.things.pop(99) and None if place.pages == 2 else None
    place.pages = 1
    heard = place.poll(cursor)
    assert len(heard.posts) == 250


def test_a_quiet_poll_reads_one_page() -> None:
    place = Community()
    place.make(400)
    cursor = dict(place.poll({}).cursor)
    place.pages = 0
    assert ids(place.poll(cursor)) == [] and place.pages == 1


def test_own_comments_and_what_does_not_tell_its_time() -> None:
    place = Community()
    place.make(2)
    place.make(1, author="Rejoinder")
    place.things[1].pop("created_utc")
    heard = place.poll({})
    assert ids(heard) == ["t1_1"] and [item.raw_id for item in heard.unreadable] == ["t1_2"]


def failing(error: Exception) -> Any:
    def fetch(bounds: Any) -> Any:
        raise error

    return fetch


def test_one_listing_that_is_refused_does_not_hold_up_the_others() -> None:
    place = Community()
    place.make(1)
    listings = [
        Listing("a", "r/a", failing(Refused("forbidden", "private"))),
        Listing("py", "r/py", place.fetch),
    ]
    heard = poll_listings(listings, {}, "me")
    assert len(heard.posts) == 1 and heard.unreadable[0].raw_id == "r/a"


def test_a_limit_on_the_way_keeps_what_was_heard() -> None:
    place = Community()
    place.make(1)
    listings = [Listing("py", "r/py", place.fetch), Listing("b", "r/b", failing(RateLimited(NOON)))]
    heard = poll_listings(listings, {}, "me")
    assert len(heard.posts) == 1 and not heard.is_complete and "py.newest" in heard.cursor
    with pytest.raises(RateLimited):
        poll_listings(listings[1:], {}, "me")
    with pytest.raises(Unreachable):
        poll_listings([listings[0], Listing("c", "r/c", failing(Unreachable("away")))], {}, "me")


def test_a_mention_in_the_inbox_is_a_comment_that_calls_us() -> None:
    message = {
        "name": "t1_b", "body": "what do you say?", "author": "ann", "created_utc": NOON.timestamp(),
        "subreddit": "py", "parent_id": "t3_a", "context": "/r/py/comments/a/title/b/?context=3",
    }  # fmt: skip
    private = {"name": "t4_z", "body": "hello", "author": "bob"}
    page = as_comments(
        {"data": {"children": [{"data": message}, {"data": private}], "after": "t1_b"}}, "Rejoinder"
    )
    [post], broken = read_posts([child["data"] for child in page["data"]["children"]])
    assert broken == [] and page["data"]["after"] == "t1_b"
    assert (post.mentions, post.conversation_id, post.parent_id) == (("rejoinder",), "t3_a", "t3_a")
    assert post.url == "https://www.reddit.com/r/py/comments/a/title/b/"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("u/Ann, /u/bob-1!", ("ann", "bob-1")),
        ("menu/one https://a.b/u/x1y u/ab", ()),
        ("(u/a_b_c)", ("a_b_c",)),
    ],
)
def test_who_is_named_in_a_text(text: str, named: tuple[str, ...]) -> None:
    assert mentions_in(text) == named


class Watch:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pauses: list[float] = []
        self.pace = Pace(self.now, sleep=self.sleep, monotonic=lambda: self.seconds)

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds

    def told(self, **headers: str) -> None:
        self.pace.take({f"x-ratelimit-{name}": value for name, value in headers.items()})


def test_calls_are_spread_when_few_are_left_and_refused_when_none_is() -> None:
    watch = Watch()
    watch.told(remaining="900.0", used="100", reset="300")
    for _ in range(5):
        watch.pace.hold(is_write=False)
    assert watch.pauses == []
    watch.told(remaining="30.5", used="970", reset="30.5")
    watch.pace.hold(is_write=False)
    watch.pace.hold(is_write=False)
    assert watch.pauses and max(watch.pauses) <= 2.0
    watch.pauses.clear()
    watch.pace.hold(is_write=True)
    assert watch.pauses == []
    watch.told(remaining="0.0", used="1000", reset="12")
    with pytest.raises(RateLimited) as caught:
        watch.pace.hold(is_write=True)
    assert caught.value.retry_at == watch.now() + timedelta(seconds=12)
    watch.seconds += 12.1
    watch.pace.hold(is_write=False)
    assert watch.pauses == []


@given(st.text(max_size=8), st.text(max_size=8))
def test_headers_that_are_no_numbers_change_nothing(remaining: str, reset: str) -> None:
    headers = {"x-ratelimit-remaining": f"n{remaining}", "x-ratelimit-reset": reset, "server": "x"}
    watch = Watch()
    watch.pace.take(headers)
    watch.pace.hold(is_write=False)
    assert headers == {"server": "x"} and watch.pauses == []


def keys(agent: str) -> RedditCredentials:
    return RedditCredentials("id", "secret", "rejoinder_bot", password="p", user_agent=agent)


def test_a_user_agent_of_reddits_form_is_sent_as_it_is() -> None:
    assert user_agent(keys("linux:my.app:v1.2 (by /u/ann_b)")) == "linux:my.app:v1.2 (by /u/ann_b)"
    assert user_agent(keys("")) == "python:rejoinder:0.1 (by /u/rejoinder_bot)"


@pytest.mark.parametrize(
    "agent", ["python-requests/2.31", "Mozilla/5.0 (X11; Linux)", "praw", "a:b (by /u/ann)"]
)
def test_a_default_user_agent_is_refused_with_the_form(agent: str) -> None:
    with pytest.raises(ConfigInvalid, match=r"python:rejoinder:0.1 \(by /u/rejoinder_bot\)"):
        user_agent(keys(agent))


@pytest.mark.parametrize(
    ("on_x", "on_reddit"),
    [
        ('(("a b" OR "c") "d") -from:t -is:retweet', '(("a b" OR "c") AND "d") AND NOT author:t'),
        ('("a" OR @x) lang:en', '("a")'),
        ("@x OR a OR @y", "a"),
        ('-("a" b) c', 'NOT ("a" AND b) AND c'),
        ("@x -from:x", ""),
        ("", ""),
    ],
)
def test_rules_in_the_words_of_reddits_search(on_x: str, on_reddit: str) -> None:
    assert reddit_query(on_x) == on_reddit


WORDS = st.sampled_from(
    ['"a b"', "c", "-d", "@x", "from:y", "-is:retweet", "OR", "(", ")", "-(", "#tag", "has:links"]
)


@given(st.lists(WORDS, max_size=12))
def test_a_search_has_no_or_without_a_side_and_no_empty_parentheses(words: list[str]) -> None:
    found = reddit_query(" ".join(words))
    assert "()" not in found and not found.startswith("OR") and not found.endswith("OR")
    assert "OR OR" not in found and "@" not in found
