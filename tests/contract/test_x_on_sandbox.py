"""What only X does: summoned replies, duplicates, limits, rules, the stream; and unmodified tweepy."""

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
import requests
import tweepy

from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import RateLimited, Refused
from resources.platforms.port import PlatformClient

ROOT = Path(__file__).resolve().parents[2]
SUMMONED, ALSO_SUMMONED, NOT_SUMMONED, QUOTING = (str(2_100_000_000_000_000_000 + n) for n in (1, 2, 3, 4))
ASYNCIO = ListeningRule("keywords:asyncio", "asyncio")


class Redirect(requests.adapters.HTTPAdapter):
    """All that tweepy needs to talk to the sandbox: another address."""

    def __init__(self, base: str) -> None:
        self.base = urlsplit(base)
        super().__init__()

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        url = urlsplit(str(request.url))
        request.url = urlunsplit((self.base.scheme, self.base.netloc, url.path, url.query, ""))
        return super().send(request, *args, **kwargs)


@pytest.fixture
def plain_tweepy(sandbox: Any) -> Any:
    keys = sandbox.get("credentials")["x"]
    names = ("bearer_token", "consumer_key", "consumer_secret", "access_token", "access_token_secret")
    client = tweepy.Client(*(keys[name] for name in names))
    client.session.mount("https://api.twitter.com", Redirect(sandbox.url))
    return client


def append_posts(sandbox: Any, records: list[dict[str, Any]]) -> None:
    """Load more posts from another process while the server runs."""
    path = sandbox.folder / "more.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from resources.sandbox.state import State;"
        "from resources.sandbox.load import load_posts;"
        "report = load_posts(State(Path(sys.argv[1])), Path(sys.argv[2])); print(report.loaded)"
    )
    command = [sys.executable, "-c", program, str(sandbox.folder / "state.db"), str(path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == str(len(records))


def test_reply_needs_a_summons(x_client: PlatformClient, sandbox: Any) -> None:
    with pytest.raises(Refused) as caught:
        x_client.publish(NOT_SUMMONED, "unasked advice")
    assert caught.value.code == "not_summoned"
    assert [entry["error"] for entry in sandbox.attempts(NOT_SUMMONED)] == ["not_summoned"]
    x_client.publish(QUOTING, "you quoted us")


def test_a_thread_answers_its_own_parts_uncalled(x_client: PlatformClient, sandbox: Any) -> None:
    long_ago = x_client.now() - timedelta(days=400)
    first = x_client.publish(SUMMONED, "the first part")
    second = x_client.publish(first.platform_id, "the second part")
    found = x_client.read_back(first.platform_id, "the second part", long_ago).found
    assert found is not None and found.platform_id == second.platform_id
    assert x_client.read_back(SUMMONED, "the second part", long_ago).found is None
    assert sandbox.get("summary")["duplicates"] == 0


def test_duplicate_content_is_refused_and_counts_once(x_client: PlatformClient, sandbox: Any) -> None:
    x_client.publish(SUMMONED, "the same text")
    for parent_id in (SUMMONED, ALSO_SUMMONED):
        with pytest.raises(Refused) as caught:
            x_client.publish(parent_id, "the same text")
        assert caught.value.code == "duplicate_content"
    summary = sandbox.get("summary")
    assert (summary["published"], summary["duplicates"], summary["refused"]) == (1, 0, 2)


def test_deleted_reply_may_be_sent_again(x_client: PlatformClient, plain_tweepy: Any, sandbox: Any) -> None:
    sent = x_client.publish(SUMMONED, "first")
    plain_tweepy.delete_tweet(sent.platform_id)
    assert x_client.metrics([sent.platform_id])[sent.platform_id].is_deleted
    assert x_client.read_back(SUMMONED, "first", x_client.now() - timedelta(hours=1)).found is None
    x_client.publish(SUMMONED, "first")
    assert sandbox.get("summary")["duplicates"] == 1


def test_usage_cap_is_not_worth_waiting_for(x_client: PlatformClient, sandbox: Any) -> None:
    sandbox.fault("create", "usage_capped")
    with pytest.raises(Refused) as caught:
        x_client.publish(SUMMONED, "text")
    assert caught.value.code == "usage_capped"


def test_sent_reports_the_limits(x_client: PlatformClient) -> None:
    windows = x_client.publish(SUMMONED, "text").rate_windows
    assert [(window.limit, window.remaining) for window in windows] == [
        (100, 99),
        (10_000, 9999),
        (10_000, 9999),
    ]


def test_create_limit_holds_over_a_restart_and_ends(sandbox: Any) -> None:
    client = sandbox.client("x")
    for number in range(60):
        client.publish(SUMMONED, f"reply {number}")
    sandbox.end(signal.SIGKILL)
    client = sandbox.start().client("x")
    for number in range(60, 100):
        client.publish(SUMMONED, f"reply {number}")
    with pytest.raises(RateLimited) as caught:
        client.publish(SUMMONED, "one too many")
    assert timedelta(0) < caught.value.retry_at - client.now() <= timedelta(minutes=15, seconds=1)
    sandbox.advance(minutes=15, seconds=2)
    client.publish(SUMMONED, "one too many")


def test_quoted_author_and_followers_are_heard(x_client: PlatformClient) -> None:
    heard = {post.platform_post_id: post for post in x_client.hear({}, [ASYNCIO], ()).posts}
    assert heard[QUOTING].quoted_author == "sample_account"
    assert heard[SUMMONED].mentions == ("sample_account",)
    assert heard[SUMMONED].author_followers == 11
    assert heard[NOT_SUMMONED].author is None and heard[NOT_SUMMONED].quoted_author is None


def test_rate_limit_in_a_poll_keeps_what_was_heard(x_client: PlatformClient, sandbox: Any) -> None:
    sandbox.fault("search", "429")
    heard = x_client.hear({}, [ASYNCIO], ())
    assert {post.platform_post_id for post in heard.posts} == {SUMMONED, ALSO_SUMMONED}
    assert not heard.is_complete
    rest = x_client.hear(heard.cursor, [ASYNCIO], ())
    assert {post.platform_post_id for post in rest.posts} >= {NOT_SUMMONED, QUOTING}


def test_stream_delivers_what_appears(x_client: PlatformClient, sandbox: Any) -> None:
    make = sandbox.records[0]
    stop, heard = threading.Event(), []

    def listen() -> None:
        for post in x_client.stream([ASYNCIO, ListeningRule("t", "nothing")], stop):
            heard.append(post)
            if len(heard) == 2:
                stop.set()

    thread = threading.Thread(target=listen)
    thread.start()
    wait_for(lambda: len(rule_tags(sandbox)) == 2)
    wait_for_the_stream(sandbox)
    texts = ("asyncio at last", "something else", "more ASYNCIO")
    posts = [
        {**make, "platform_post_id": str(2_100_000_000_000_100_000 + n), "text": text}
        for n, text in enumerate(texts)
    ]
    append_posts(sandbox, posts)
    thread.join(120)
    assert not thread.is_alive()
    assert [post.text for post in heard] == ["asyncio at last", "more ASYNCIO"]


def test_rule_without_a_tag_does_not_stop_the_stream(x_client: PlatformClient, sandbox: Any) -> None:
    """X delivers matches of such a rule without a tag, at which tweepy's own reader stops."""
    stop, heard = threading.Event(), []
    thread = threading.Thread(target=lambda: heard.extend(x_client.stream([ASYNCIO], stop)))
    thread.start()
    wait_for(lambda: rule_tags(sandbox))
    keys = sandbox.get("credentials")["x"]
    added = requests.post(
        f"{sandbox.url}/2/tweets/search/stream/rules",
        json={"add": [{"value": "threads"}]},
        headers={"Authorization": f"Bearer {keys['bearer_token']}"},
        timeout=60,
    )
    assert "tag" not in added.json()["data"][0]
    wait_for_the_stream(sandbox)
    texts = ("threads are fine", "asyncio is too")
    make = sandbox.records[0]
    append_posts(
        sandbox,
        [
            {**make, "platform_post_id": f"210000000000020000{n}", "text": text}
            for n, text in enumerate(texts)
        ],
    )
    wait_for(lambda: len(heard) == len(texts))
    stop.set()
    thread.join(120)
    assert [post.text for post in heard] == list(texts)


def rule_tags(sandbox: Any) -> dict[str, str]:
    keys = sandbox.get("credentials")["x"]
    headers = {"Authorization": f"Bearer {keys['bearer_token']}"}
    answer = requests.get(f"{sandbox.url}/2/tweets/search/stream/rules", headers=headers, timeout=60).json()
    return {rule.get("tag", ""): rule["id"] for rule in answer.get("data", [])}


def wait_for_the_stream(sandbox: Any) -> None:
    """A client sets its rules and connects then; what appears before it has connected it never hears."""
    wait_for(lambda: sandbox.get("health")["open_streams"] == 1)


def wait_for(condition: Any, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def test_rules_are_synced_by_difference(x_client: PlatformClient, sandbox: Any) -> None:
    stop = threading.Event()
    stop.set()
    assert list(x_client.stream([ASYNCIO, ListeningRule("keywords:old", "old")], stop)) == []
    first = rule_tags(sandbox)
    assert list(x_client.stream([ASYNCIO, ListeningRule("keywords:new", "new")], stop)) == []
    second = rule_tags(sandbox)
    assert set(first) == {"keywords:asyncio", "keywords:old"}
    assert set(second) == {"keywords:asyncio", "keywords:new"}
    assert first["keywords:asyncio"] == second["keywords:asyncio"]


def test_bad_rule_is_refused_by_name(x_client: PlatformClient) -> None:
    with pytest.raises(Refused, match="a term is missing"):
        list(x_client.stream([ListeningRule("bad", "asyncio ( OR )")], threading.Event()))


def test_second_stream_is_refused(sandbox: Any, x_client: PlatformClient) -> None:
    stop = threading.Event()
    stop.set()
    list(x_client.stream([ASYNCIO], stop))
    keys = sandbox.get("credentials")["x"]
    headers, url = (
        {"Authorization": f"Bearer {keys['bearer_token']}"},
        f"{sandbox.url}/2/tweets/search/stream",
    )
    with open_stream(url, headers):
        second = requests.get(url, headers=headers, timeout=60)
        assert second.status_code == 429
        assert second.json()["connection_issue"] == "TooManyConnections"


def open_stream(url: str, headers: dict[str, str]) -> requests.Response:
    """An open stream; the sandbox may need a moment to notice that the one before has gone."""
    for _ in range(600):
        answer = requests.get(url, headers=headers, stream=True, timeout=60)
        if answer.status_code == 200:
            return answer
        answer.close()
        time.sleep(0.1)
    raise AssertionError(answer.text)


def test_unmodified_tweepy_works(plain_tweepy: Any, sandbox: Any) -> None:
    assert plain_tweepy.get_me().data.username == "sample_account"
    found = plain_tweepy.search_recent_tweets(
        "asyncio -is:reply", max_results=10, tweet_fields=["created_at", "public_metrics"]
    )
    assert found.meta["result_count"] == 4
    assert found.data[0].public_metrics["like_count"] == 40
    made = plain_tweepy.create_tweet(text="from tweepy", in_reply_to_tweet_id=SUMMONED)
    looked = plain_tweepy.get_tweets(
        [made.data["id"], "123"], tweet_fields=["referenced_tweets", "public_metrics"]
    )
    assert looked.data[0].referenced_tweets[0].id == int(SUMMONED)
    assert looked.errors[0]["title"] == "Not Found Error"
    mentions = plain_tweepy.get_users_mentions(plain_tweepy.get_me().data.id)
    assert [post.id for post in mentions.data] == [int(ALSO_SUMMONED), int(SUMMONED)]
    pages = tweepy.Paginator(plain_tweepy.search_recent_tweets, "asyncio", max_results=10)
    assert len(list(pages.flatten())) == 4


def test_tweepy_errors_are_the_documented_ones(plain_tweepy: Any, sandbox: Any) -> None:
    with pytest.raises(tweepy.Forbidden, match="not been mentioned"):
        plain_tweepy.create_tweet(text="hi", in_reply_to_tweet_id=NOT_SUMMONED)
    with pytest.raises(tweepy.BadRequest):
        plain_tweepy.search_recent_tweets("asyncio (")
    with pytest.raises(tweepy.BadRequest):
        plain_tweepy.search_recent_tweets("asyncio", max_results=9)
    with pytest.raises(tweepy.BadRequest, match="not defined in the schema"):
        plain_tweepy.request("POST", "/2/tweets", json={"text": "a", "colour": "red"}, user_auth=True)
    with pytest.raises(tweepy.Forbidden, match="Application-Only"):
        plain_tweepy.get_me(user_auth=False)
    sandbox.fault("lookup", "429")
    with pytest.raises(tweepy.TooManyRequests) as caught:
        plain_tweepy.get_tweets([SUMMONED])
    assert caught.value.reset_time is not None


def test_wrong_signature_is_refused(sandbox: Any, plain_tweepy: Any) -> None:
    plain_tweepy.access_token_secret = "not the secret"
    with pytest.raises(tweepy.Unauthorized):
        plain_tweepy.create_tweet(text="hi", in_reply_to_tweet_id=SUMMONED)


def test_oauth2_user_token_may_write(sandbox: Any) -> None:
    token = sandbox.get("credentials")["x"]["oauth2_user_token"]
    answer = requests.post(
        f"{sandbox.url}/2/tweets",
        json={"text": "hi", "reply": {"in_reply_to_tweet_id": SUMMONED}},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 201
    assert answer.headers["x-rate-limit-remaining"] == "99"
