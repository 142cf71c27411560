"""Answers of X and Reddit as values, whatever their shape; no network."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.platforms import reddit_answers, x_answers
from resources.platforms.credentials import RedditCredentials, XCredentials, read_credentials
from resources.platforms.failures import OutcomeUnknown, RateLimited, Refused, Unreachable
from resources.platforms.wire import connection_failure
from resources.platforms.x_poll import Collected, poll_search

NOW = datetime(2026, 11, 21, tzinfo=UTC)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
X_FIELDS = ("id", "text", "created_at", "author_id", "entities", "public_metrics", "referenced_tweets")
REDDIT_FIELDS = (
    "name",
    "title",
    "selftext",
    "body",
    "author",
    "created_utc",
    "subreddit",
    "permalink",
    "link_id",
)


@settings(deadline=None)
@given(st.lists(JSON | st.dictionaries(st.sampled_from(X_FIELDS), JSON), max_size=4))
def test_every_item_of_x_is_a_post_or_unreadable(items: list[Any]) -> None:
    posts, unreadable = x_answers.read_posts({"data": items})
    assert len(posts) + len(unreadable) == len(items)
    assert all(each.reason for each in unreadable)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(REDDIT_FIELDS), JSON), max_size=4))
def test_every_item_of_reddit_is_a_post_or_unreadable(items: list[Any]) -> None:
    posts, unreadable = reddit_answers.read_posts(items)
    assert len(posts) + len(unreadable) == len(items)


@settings(deadline=None)
@given(JSON)
def test_any_answer_of_a_comment_can_be_judged(body: Any) -> None:
    for shape in (
        body,
        {"json": body},
        {"json": {"errors": body}},
        {"json": {"errors": [body], "ratelimit": body}},
    ):
        failure = reddit_answers.envelope_failure(shape, lambda: NOW)
        assert failure is None or failure.kind in ("refused", "rate_limited")


@pytest.mark.parametrize(
    "sentence",
    [
        "Looks like you've been doing that a lot. Take a break for 14 minutes before trying again.",
        "Похоже, вы слишком часто это делаете. Подождите 3 с перед следующей попыткой.",
        "Je doet dat te vaak. Neem 3 seconden pauze voordat je het opnieuw probeert.",
    ],
)
def test_ratelimit_does_not_depend_on_the_language(sentence: str) -> None:
    body = {"json": {"ratelimit": 814.4, "errors": [["RATELIMIT", sentence, "ratelimit"]]}}
    failure = reddit_answers.envelope_failure(body, lambda: NOW)
    assert isinstance(failure, RateLimited)
    assert failure.retry_at == NOW + timedelta(seconds=814.4)


def test_x_takes_both_names_of_a_repost() -> None:
    for name in ("retweet_count", "repost_count"):
        body = {"data": [{"id": "1", "public_metrics": {name: 4, "quote_count": 1, "like_count": 2}}]}
        assert x_answers.read_metrics(body)["1"].reposts == 5


def test_day_window_binds_when_it_is_used_up() -> None:
    headers = {
        "x-rate-limit-limit": "100",
        "x-rate-limit-remaining": "50",
        "x-rate-limit-reset": "1000",
        "x-app-limit-24hour-limit": "10000",
        "x-app-limit-24hour-remaining": "0",
        "x-app-limit-24hour-reset": "90000",
    }
    assert x_answers.retry_time(headers) == datetime.fromtimestamp(90000, UTC)
    assert x_answers.retry_time({}) is None


def refused_connection() -> requests.ConnectionError:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", 1)
    reason = urllib3.exceptions.NewConnectionError(pool, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/", reason))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refused_connection(), Unreachable),
        (requests.ConnectTimeout("slow"), Unreachable),
        (requests.ReadTimeout("slow"), OutcomeUnknown),
        (requests.ConnectionError("reset"), OutcomeUnknown),
        (requests.exceptions.ChunkedEncodingError("cut"), OutcomeUnknown),
        (requests.ConnectionError(), OutcomeUnknown),
        (RuntimeError("anything else"), OutcomeUnknown),
    ],
)
def test_what_an_error_proves(error: Exception, kind: type) -> None:
    assert isinstance(connection_failure(error, is_write=True), kind)
    assert isinstance(connection_failure(error, is_write=False), Unreachable)


class Timeline:
    """A recent search over numbered posts, newest first, as X pages it."""

    def __init__(self, ids: list[int], page: int) -> None:
        self.ids, self.page, self.calls = sorted(ids), page, 0

    def fetch(self, bounds: Mapping[str, str]) -> dict[str, Any]:
        self.calls += 1
        low, high = int(bounds.get("since_id", 0)), int(bounds.get("until_id", 10**9))
        matching = [number for number in reversed(self.ids) if low < number < high]
        shown = matching[: self.page]
        meta: dict[str, Any] = {"result_count": len(shown)}
        if shown:
            meta |= {"newest_id": str(shown[0]), "oldest_id": str(shown[-1])}
        if len(matching) > len(shown):
            meta["next_token"] = "more"
        created = NOW.isoformat()
        return {"data": [{"id": str(n), "text": "t", "created_at": created} for n in shown], "meta": meta}


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 10**6), max_size=40), min_size=1, max_size=4),
    st.integers(1, 7),
    st.integers(1, 3),
)
def test_bounded_polls_lose_nothing(arrivals: list[list[int]], page: int, max_pages: int) -> None:
    """Posts keep arriving (with higher ids) while polls stop at their bound; at the end all were heard."""
    timeline, cursor, found = Timeline([], page), {}, Collected()
    newest = 0
    for batch in arrivals:
        fresh = [newest + number for number in batch]
        newest = max([newest, *fresh])
        timeline.ids = sorted({*timeline.ids, *fresh})
        poll_search("k", timeline.fetch, cursor, found, own="me", max_pages=max_pages)
    for _ in range(300):
        found.is_complete = True
        poll_search("k", timeline.fetch, cursor, found, own="me", max_pages=max_pages)
        if found.is_complete and cursor.get("k.since") == (str(newest) if newest else None):
            break
    assert {int(post_id) for post_id in found.posts} == set(timeline.ids)


def test_since_id_that_is_too_old_is_given_up() -> None:
    timeline = Timeline([5], 10)

    def fetch(bounds: Mapping[str, str]) -> dict[str, Any]:
        if "since_id" in bounds:
            raise Refused("invalid", "since_id must be a tweet id created after yesterday")
        return timeline.fetch(bounds)

    cursor, found = {"k.since": "1"}, Collected()
    poll_search("k", fetch, cursor, found, own="me", max_pages=3)
    assert list(found.posts) == ["5"] and cursor == {"k.since": "5"}
    assert len(found.gaps) == 1 and "seven days" in found.gaps[0].reason


@pytest.mark.parametrize("shape", [XCredentials, RedditCredentials])
def test_credentials_do_not_show(shape: Any) -> None:
    names = shape.__dataclass_fields__
    shown = repr(
        read_credentials(
            shape,
            {name: f"secret-{name}" for name in names if name not in ("username", "user_id", "access")}
            | {"username": "u"},
        )
    )
    assert "secret-" not in shown.replace("secret-user_agent", "")


def test_raw_of_the_unreadable_is_json() -> None:
    _, [broken] = x_answers.read_posts({"data": [{"id": "7", "text": "no time"}]})
    assert (broken.raw_id, json.loads(broken.raw)) == ("7", {"id": "7", "text": "no time"})
    assert "created_at" in broken.reason
