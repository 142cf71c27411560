"""What X allows, counts and refuses, and the shapes in which it says so, over HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import requests

Get = Callable[..., requests.Response]
SEARCH, COUNTS = "/2/tweets/search/recent", "/2/tweets/counts/recent"


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X, with fresh rate windows and default settings."""
    shared_x.advance(minutes=16)
    shared_x.post("x", **dict.fromkeys(shared_x.get("x")))
    return shared_x


@pytest.fixture
def keys(sandbox: Any) -> dict[str, str]:
    found: dict[str, str] = sandbox.get("credentials")["x"]
    return found


@pytest.fixture
def get(sandbox: Any, keys: dict[str, str]) -> Get:
    headers = {"Authorization": f"Bearer {keys['bearer_token']}"}

    def read(path: str, **query: str) -> requests.Response:
        named = {name.replace("__", "."): value for name, value in query.items()}
        return requests.get(sandbox.url + path, params=named, headers=headers, timeout=30)

    return read


@pytest.fixture
def write(sandbox: Any, keys: dict[str, str]) -> Callable[..., requests.Response]:
    headers = {"Authorization": f"Bearer {keys['oauth2_user_token']}"}
    return lambda **body: requests.post(f"{sandbox.url}/2/tweets", json=body, headers=headers, timeout=30)


def make(sandbox: Any, count: int, text: str) -> list[str]:
    before = len(sandbox.get("flow/ids"))
    sandbox.post("flow", rate_per_s=1000, count=count, texts=[text])
    while sandbox.get("flow")["running"]:
        pass
    return list(sandbox.get("flow/ids"))[before:]


def kind(problem: dict[str, Any]) -> str:
    return str(problem["type"]).rsplit("/", 1)[-1]


def shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def now(sandbox: Any) -> datetime:
    return datetime.fromtimestamp(sandbox.get("clock")["unix_s"], UTC)


def test_counts_by_day_and_hour(sandbox: Any, get: Get) -> None:
    make(sandbox, 7, "countable thing {n}")
    by_day = get(COUNTS, query="countable", granularity="day").json()
    assert by_day["meta"] == {"total_tweet_count": 7}
    assert len(by_day["data"]) == 8 and sum(part["tweet_count"] for part in by_day["data"]) == 7
    by_hour = get(COUNTS, query="countable").json()["data"]
    assert len(by_hour) in (168, 169) and by_hour[-1]["tweet_count"] + by_hour[-2]["tweet_count"] == 7
    assert all(one["end"] == two["start"] for one, two in pairwise(by_hour))
    sandbox.post("x", naming="post")
    again = get(COUNTS, query="countable", granularity="day").json()
    assert again["meta"] == {"total_post_count": 7} and "post_count" in again["data"][0]


@pytest.mark.parametrize(("path", "total"), [(SEARCH, "result_count"), (COUNTS, "total_tweet_count")])
def test_window_of_seven_days(sandbox: Any, get: Get, path: str, total: str) -> None:
    (old,) = make(sandbox, 1, f"ancient {total}")
    assert get(path, query=total).json()["meta"][total] == 1
    sandbox.advance(days=8)
    assert get(path, query=total).json()["meta"] == {total: 0}
    make(sandbox, 1, "something of today")
    for query in (
        {"since_id": old},
        {"start_time": shown(now(sandbox) - timedelta(days=7, minutes=5))},
        {"end_time": shown(now(sandbox) + timedelta(seconds=5))},
        {
            "start_time": shown(now(sandbox) - timedelta(hours=1)),
            "end_time": shown(now(sandbox) - timedelta(hours=2)),
        },
    ):
        refused = get(path, query="asyncio", **query)
        assert refused.status_code == 400
        (error,) = refused.json()["errors"]
        assert list(error["parameters"]) == [next(iter(query))]
        assert kind(refused.json()) == "invalid-request"
    sandbox.post("x", search_days=30)
    assert get(path, query=total).json()["meta"][total] == 1


def test_search_finds_posts_late_where_that_is_wanted(sandbox: Any, get: Get) -> None:
    sandbox.post("x", search_lag_s=30)
    make(sandbox, 1, "latecomer")
    assert get(SEARCH, query="latecomer").json()["meta"]["result_count"] == 0
    sandbox.advance(seconds=31)
    assert get(SEARCH, query="latecomer").json()["meta"]["result_count"] == 1


def test_search_folds_accents_and_leaves_retweets_out(sandbox: Any, get: Get) -> None:
    make(sandbox, 1, "déjà-vu at the café")
    make(sandbox, 1, "RT @someone: deja-vu at the cafe")
    assert get(SEARCH, query='"deja vu" cafe').json()["meta"]["result_count"] == 1
    by_author = get(SEARCH, query="from:flow_1 is:retweet").json()
    assert by_author["data"][0]["text"].startswith("RT @")


def test_monthly_cap_counts_a_post_once_a_day(sandbox: Any, get: Get) -> None:
    ids = make(sandbox, 3, "metered {n}")
    before = int(get("/2/usage/tweets").json()["data"]["project_usage"])
    for _ in range(2):
        assert get("/2/tweets", ids=",".join(ids)).status_code == 200
    usage = get("/2/usage/tweets", days="2").json()["data"]
    assert int(usage["project_usage"]) == before + 3
    assert len(usage["daily_project_usage"]["usage"]) == 2
    sandbox.post("x", posts_per_month=before + 3)
    refused = get("/2/tweets", ids=ids[0])
    assert refused.status_code == 429 and kind(refused.json()) == "usage-capped"
    assert int(refused.headers["x-rate-limit-remaining"]) > 0
    sandbox.advance(days=32)
    assert get("/2/tweets", ids=ids[0]).status_code == 200


@pytest.mark.parametrize("whose", ["app", "user"])
def test_day_is_used_up_while_the_quarter_of_an_hour_is_not(
    sandbox: Any, write: Callable[..., requests.Response], whose: str
) -> None:
    sandbox.advance(days=1)
    sandbox.post("x", **{f"creates_per_day_{whose}": 1})
    assert write(text=f"the only one of the day for {whose}").status_code == 201
    refused = write(text=f"one too many for {whose}")
    assert refused.status_code == 429
    assert int(refused.headers["x-rate-limit-remaining"]) > 0
    assert refused.headers[f"x-{whose}-limit-24hour-remaining"] == "0"
    sandbox.fault("create", f"429_{whose}_day")
    sandbox.post("x", **{f"creates_per_day_{whose}": None})
    ordered = write(text=f"not even tried for {whose}")
    assert ordered.headers[f"x-{whose}-limit-24hour-remaining"] == "0"
    other = {"app": "user", "user": "app"}[whose]
    assert int(ordered.headers[f"x-{other}-limit-24hour-remaining"]) > 0


def test_headers_may_be_missing(sandbox: Any, write: Callable[..., requests.Response]) -> None:
    sandbox.post("x", missing_headers=["15min", "app_day"])
    names = {name.lower() for name in write(text="headers are missing").headers}
    assert not any(name.startswith(("x-rate-limit", "x-app-limit")) for name in names)
    assert "x-user-limit-24hour-reset" in names


@pytest.mark.parametrize(
    ("shape", "words"),
    [("plain", "about:blank"), ("code_88", '"code": 88'), ("problem", "problems/rate-limit-exceeded")],
)
def test_three_shapes_of_429(sandbox: Any, get: Get, shape: str, words: str) -> None:
    sandbox.post("x", limit_shape=shape)
    sandbox.fault("search", "429")
    refused = get(SEARCH, query="asyncio")
    assert refused.status_code == 429 and words in refused.text
    assert "x-rate-limit-reset" in refused.headers


def test_types_of_problems_name_either_host(sandbox: Any, get: Get) -> None:
    old = get("/2/tweets", ids="1").json()["errors"][0]["type"]
    sandbox.post("x", problem_host="api.x.com")
    new = get("/2/tweets", ids="1").json()["errors"][0]["type"]
    assert old == "https://api.twitter.com/2/problems/resource-not-found"
    assert new == "https://api.x.com/2/problems/resource-not-found"


@pytest.mark.parametrize(
    ("fault", "status", "expected"),
    [
        ("client_forbidden", 403, "client-forbidden"),
        ("resource_unavailable", 403, "resource-unavailable"),
        ("disallowed_resource", 403, "disallowed-resource"),
        ("429_problem", 429, "rate-limit-exceeded"),
        ("403", 403, "about:blank"),
        ("500", 500, "internal-error"),
    ],
)
def test_problems_on_order(sandbox: Any, get: Get, fault: str, status: int, expected: str) -> None:
    sandbox.fault("lookup", fault)
    refused = get("/2/tweets", ids="1")
    assert (refused.status_code, kind(refused.json())) == (status, expected)


def test_create_takes_what_the_schema_allows(sandbox: Any, write: Callable[..., requests.Response]) -> None:
    made = write(
        text="labelled", made_with_ai=True, paid_partnership=False, reply_settings="following", poll=None
    )
    assert made.status_code == 201
    bodies: tuple[dict[str, Any], ...] = (
        {"made_with_ai": "yes"},
        {"reply_settings": "nobody"},
        {"media": {"media_ids": []}},
        {"poll": {"options": ["one"], "duration_minutes": 60}},
        {"community_id": "r/python"},
        {"is_automated": True},
    )
    for body in bodies:
        refused = write(text="refused", **body)
        assert refused.status_code == 400, body
        assert list(refused.json()["errors"][0]["parameters"]) == [f"$.{next(iter(body))}"]


def test_refusals_of_a_plan(sandbox: Any, write: Callable[..., requests.Response]) -> None:
    (quoted,) = make(sandbox, 1, "quote me")
    assert kind(write(text="look", quote_tweet_id=quoted).json()) == "client-forbidden"
    assert write(text="$AAPL or $MSFT").status_code == 403
    assert write(text="only $AAPL").status_code == 201
    cold = {"in_reply_to_tweet_id": quoted}
    assert write(text="unasked", reply=cold).status_code == 403
    sandbox.post("x", is_enterprise=True)
    assert write(text="unasked", reply=cold).status_code == 201
    assert write(text="look", quote_tweet_id=quoted).status_code == 201


def test_blocked_author_takes_no_reply(sandbox: Any, write: Callable[..., requests.Response]) -> None:
    (parent,) = make(sandbox, 1, "@sample_account really?")
    sandbox.post(f"posts/{parent}", blocked=True)
    refused = write(text="yes", reply={"in_reply_to_tweet_id": parent})
    assert refused.status_code == 403 and "blocked" in refused.json()["detail"]


def test_own_post_can_be_edited_in_time(
    sandbox: Any, write: Callable[..., requests.Response], get: Get
) -> None:
    first = write(text="first words").json()["data"]["id"]
    second = write(text="better words", edit_options={"previous_post_id": first}).json()["data"]
    assert second["edit_history_tweet_ids"] == [first, second["id"]]
    sandbox.advance(minutes=31)
    late = write(text="too late", edit_options={"previous_post_id": second["id"]})
    assert late.status_code == 403


def test_app_token_may_not_act_for_a_user(sandbox: Any, get: Get, keys: dict[str, str]) -> None:
    refused = get("/2/users/me")
    assert refused.status_code == 403 and kind(refused.json()) == "unsupported-authentication"
    bearer = {"Authorization": f"Bearer {keys['oauth2_user_token']}"}
    refused = requests.get(f"{sandbox.url}{COUNTS}", params={"query": "a"}, headers=bearer, timeout=30)
    assert refused.status_code == 403 and kind(refused.json()) == "unsupported-authentication"


def test_rules_have_limits(sandbox: Any, get: Get, keys: dict[str, str]) -> None:
    url, headers = (
        f"{sandbox.url}/2/tweets/search/stream/rules",
        {"Authorization": f"Bearer {keys['bearer_token']}"},
    )

    def change(query: str = "", **body: Any) -> requests.Response:
        return requests.post(url + query, json=body, headers=headers, timeout=30)

    tried = change("?dry_run=true", add=[{"value": "limits of rules"}])
    assert tried.status_code == 201 and "limits of rules" not in get(url.removeprefix(sandbox.url)).text
    added = change(add=[{"value": "limits of rules", "tag": "a"}, {"value": "a" * 1025}, {"value": "from:"}])
    summary = added.json()["meta"]["summary"]
    assert (summary["created"], summary["invalid"]) == (1, 2)
    assert {kind(error) for error in added.json()["errors"]} == {"invalid-rules"}
    again = change(add=[{"value": "limits of rules", "tag": "another"}])
    assert kind(again.json()["errors"][0]) == "duplicate-rules"
    rules = get(url.removeprefix(sandbox.url)).json()["data"]
    assert [rule["tag"] for rule in rules if rule["value"] == "limits of rules"] == ["a"]
    many = change(add=[{"value": f"rule number {n}"} for n in range(1001)])
    assert many.status_code == 422 and kind(many.json()) == "rule-cap"
    assert change(delete={"ids": [rule["id"] for rule in rules]}).status_code == 200
