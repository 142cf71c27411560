"""The stream of the sandbox's X: what it delivers, and one test for each way in which it fails."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

RULE = {"value": "asyncio", "tag": "keywords:asyncio"}
DISCONNECT = "operational-disconnect"


class Listener:
    """A plain client of the stream: the lines that came, the status, how it ended."""

    def __init__(self, sandbox: Any, bearer: dict[str, str]) -> None:
        self.url, self.bearer = f"{sandbox.url}/2/tweets/search/stream", bearer
        self.came = threading.Condition()
        self.raw: list[bytes] = []
        self.error: Exception | None = None
        self.answer = requests.get(self.url, headers=bearer, stream=True, timeout=(5, 60))
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self) -> None:
        try:
            for chunk in self.answer.iter_content(None):
                with self.came:
                    self.raw.append(chunk)
                    self.came.notify_all()
        except requests.RequestException as error:
            self.error = error
        with self.came:
            self.came.notify_all()

    @property
    def items(self) -> list[dict[str, Any]]:
        whole = b"".join(self.raw).split(b"\r\n")
        return [json.loads(line) for line in whole[:-1] if line]

    @property
    def ids(self) -> list[str]:
        return [item["data"]["id"] for item in self.items if "data" in item]

    def wait(self, count: int) -> list[dict[str, Any]]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.items) >= count, 60), self.raw
        return self.items

    def end(self) -> None:
        self.thread.join(60)
        assert not self.thread.is_alive()


@pytest.fixture
def sandbox(shared_x: Any) -> Any:
    """The sandbox of this folder's tests of X, with fresh rate windows."""
    shared_x.advance(minutes=16)
    return shared_x


@pytest.fixture
def bearer(sandbox: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {sandbox.get('credentials')['x']['bearer_token']}"}


@pytest.fixture
def ruled(sandbox: Any, bearer: dict[str, str]) -> None:
    add_rule(sandbox, bearer, RULE)


def add_rule(sandbox: Any, bearer: dict[str, str], rule: dict[str, str]) -> None:
    url = f"{sandbox.url}/2/tweets/search/stream/rules"
    assert requests.post(url, json={"add": [rule]}, headers=bearer, timeout=30).ok


@pytest.fixture
def listener(sandbox: Any, bearer: dict[str, str], ruled: None) -> Iterator[Listener]:
    opened = Listener(sandbox, bearer)
    assert opened.answer.status_code == 200
    yield opened
    requests.delete(f"{sandbox.url}/2/connections/all", headers=bearer, timeout=30)
    opened.end()
    opened.answer.close()


def connect(sandbox: Any, bearer: dict[str, str]) -> requests.Response:
    """The answer to a connection that is closed again; the next one waits until that is noticed."""
    url = f"{sandbox.url}/2/tweets/search/stream"
    with requests.get(url, headers=bearer, stream=True, timeout=30) as answer:
        if answer.status_code != 200:
            assert answer.content
    while sandbox.get("health")["open_streams"]:
        pass
    return answer


def make(sandbox: Any, count: int, **more: Any) -> list[str]:
    """Posts that match, made one flow after the other; their ids in order."""
    before = len(sandbox.get("flow/ids"))
    sandbox.post("flow", rate_per_s=1000, count=count, texts=["asyncio no {n}"], **more)
    wait_for_the_flow(sandbox)
    return list(sandbox.get("flow/ids"))[before:]


def wait_for_the_flow(sandbox: Any) -> None:
    for _ in range(1200):
        if not sandbox.get("flow")["running"]:
            return
    raise AssertionError("the flow does not end")


def test_flow_is_delivered_whole(sandbox: Any, listener: Listener) -> None:
    made = make(sandbox, 300)
    listener.wait(300)
    assert listener.ids == made and len(set(made)) == 300
    assert sandbox.get("flow")["made"] == 300


def test_faults_of_items_that_come_at_once_happen_to_one_batch_after_the_other(
    sandbox: Any, listener: Listener
) -> None:
    sandbox.fault("stream", "disorder", times=2)
    made: list[str] = []
    for batch in (1, 2):
        posts = [{"platform": "x", "text": f"asyncio {batch} {n}"} for n in range(3)]
        made += sandbox.post("posts", posts=posts)["ids"]
        listener.wait(3 * batch)
    assert listener.ids == [made[place] for place in (1, 0, 2, 4, 3, 5)]


@pytest.fixture
def new_month(sandbox: Any) -> None:
    """A month in which nothing was read."""
    sandbox.advance(days=40)


def test_the_monthly_cap_ends_a_stream_that_is_older_than_a_day(
    sandbox: Any, new_month: None, listener: Listener
) -> None:
    sandbox.advance(days=1)
    make(sandbox, 5)
    listener.wait(5)
    sandbox.post("x", posts_per_month=5)
    make(sandbox, 1)
    listener.end()
    sandbox.post("x", posts_per_month=None)
    assert listener.items[-1]["errors"][0]["type"].endswith("/usage-capped")


def test_in_band_disconnect_ends_the_stream(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "disconnect")
    listener.end()
    assert listener.error is None
    (error,) = listener.items[-1]["errors"]
    assert error["title"] == DISCONNECT and error["type"].endswith(f"/problems/{DISCONNECT}")


def test_second_connection_may_be_told_in_band(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "too_many_in_band")
    listener.end()
    assert listener.items[-1]["errors"][0]["connection_issue"] == "TooManyConnections"


def test_cut_leaves_half_a_line_and_holds_its_place(
    sandbox: Any, listener: Listener, bearer: dict[str, str]
) -> None:
    sandbox.fault("stream", "cut", delay_s=600)
    listener.end()
    assert listener.error is not None
    assert not listener.raw[-1].endswith(b"\r\n")
    refused = connect(sandbox, bearer)
    assert refused.status_code == 429 and refused.json()["connection_issue"] == "TooManyConnections"
    (held,) = requests.get(f"{sandbox.url}/2/connections", headers=bearer, timeout=30).json()["data"]
    assert held["disconnect_reason"] == "connection_lost"
    killed = requests.delete(
        f"{sandbox.url}/2/connections", json={"uuids": [held["id"], "nobody"]}, headers=bearer, timeout=30
    ).json()["data"]
    assert (killed["successful_kills"], killed["failed_kills"]) == (1, 1)
    assert connect(sandbox, bearer).status_code == 200


def test_open_stream_can_be_ended_from_outside(
    sandbox: Any, listener: Listener, bearer: dict[str, str]
) -> None:
    ended = requests.delete(f"{sandbox.url}/2/connections/all", headers=bearer, timeout=30).json()["data"]
    assert ended["successful_kills"] == 1
    listener.end()
    assert listener.items[-1]["errors"][0]["disconnect_type"] == "ForceDisconnect"
    assert "data" not in requests.get(f"{sandbox.url}/2/connections", headers=bearer, timeout=30).json()


def test_silence_comes_without_keep_alives(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "silent", delay_s=1)
    made = make(sandbox, 2)
    assert listener.ids == []
    listener.wait(2)
    assert listener.ids == made


def test_duplicates_and_disorder(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "duplicate")
    one = make(sandbox, 1)
    listener.wait(2)
    assert listener.ids == one * 2
    sandbox.fault("stream", "disorder")
    two = make(sandbox, 2)
    listener.wait(4)
    assert listener.ids[2:] == two[::-1]


def test_single_item_that_is_held_back_comes_in_the_end(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "disorder")
    made = make(sandbox, 1)
    listener.wait(1)
    assert listener.ids == made


def test_item_without_a_tag(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "no_tag")
    make(sandbox, 1)
    make(sandbox, 1)
    first, second = (item["matching_rules"] for item in listener.wait(2))
    assert [set(rule) for rule in first] == [{"id"}]
    assert second == [{"id": first[0]["id"], "tag": RULE["tag"]}]


def test_torn_item_is_whole_in_the_end(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "torn", delay_s=0.2)
    made = make(sandbox, 1)
    listener.wait(1)
    assert listener.ids == made


def test_message_of_an_unknown_type(sandbox: Any, listener: Listener) -> None:
    sandbox.fault("stream", "unknown")
    made = make(sandbox, 1)
    assert set(listener.wait(2)[0]) == {"notice"}
    assert listener.ids == made


@pytest.mark.parametrize(
    ("kind", "status", "words"),
    [
        ("too_many", 429, "TooManyConnections"),
        ("409", 409, "define rules"),
        ("503", 503, "Service Unavailable"),
        ("429", 429, "Too Many Requests"),
        ("429_no_headers", 429, "Rate limit exceeded"),
        ("usage_capped", 429, "usage-capped"),
        ("401", 401, "Unauthorized"),
    ],
)
def test_refused_connections(
    sandbox: Any, bearer: dict[str, str], ruled: None, kind: str, status: int, words: str
) -> None:
    sandbox.fault("stream", kind)
    refused = connect(sandbox, bearer)
    assert refused.status_code == status and words in refused.text
    assert ("x-rate-limit-reset" in refused.headers) == (kind == "429")
    assert refused.headers["content-type"].startswith("text/plain" if kind == "503" else "application/json")
    assert connect(sandbox, bearer).status_code == 200


def test_slow_and_dropped_connections(sandbox: Any, bearer: dict[str, str], ruled: None) -> None:
    sandbox.fault("stream", "drop")
    with pytest.raises(requests.ConnectionError):
        connect(sandbox, bearer)
    sandbox.fault("stream", "slow", delay_s=0.3)
    assert connect(sandbox, bearer).elapsed.total_seconds() >= 0.3


def test_no_rules_no_stream(sandbox: Any, bearer: dict[str, str]) -> None:
    url = f"{sandbox.url}/2/tweets/search/stream/rules"
    rules = requests.get(url, headers=bearer, timeout=30).json().get("data", [])
    gone = {"delete": {"ids": [rule["id"] for rule in rules]}}
    assert requests.post(url, json=gone, headers=bearer, timeout=30).ok
    assert connect(sandbox, bearer).status_code == 409


def test_rules_change_without_reconnecting(sandbox: Any, listener: Listener, bearer: dict[str, str]) -> None:
    add_rule(sandbox, bearer, {"value": "threads", "tag": "t"})
    sandbox.post("flow", rate_per_s=1000, count=1, texts=["threads at last"])
    assert [rule["tag"] for rule in listener.wait(1)[0]["matching_rules"]] == ["t"]


def test_edited_post_comes_again_with_its_history(sandbox: Any, listener: Listener) -> None:
    (first,) = make(sandbox, 1)
    listener.wait(1)
    second = sandbox.post(f"posts/{first}", text="asyncio, better said", new_id=True)["id"]
    item = listener.wait(2)[1]["data"]
    assert item["id"] == second and item["edit_history_tweet_ids"] == [first, second]


def test_stream_matches_quoted_text_and_delivers_retweets(sandbox: Any, listener: Listener) -> None:
    (original,) = make(sandbox, 1)
    texts = {"quoted_id": "what do you make of this?", "retweeted_id": "RT @flow_1: asyncio no 1"}
    made = [
        sandbox.post("posts", posts=[{"platform": "x", "author": "reader", "text": text, name: original}])[
            "ids"
        ][0]
        for name, text in texts.items()
    ]
    listener.wait(3)
    assert listener.ids == [original, *made]
    url, headers = f"{sandbox.url}/2/tweets/search/recent", listener.bearer
    wanted = {"query": "asyncio", "since_id": original}
    assert "data" not in requests.get(url, params=wanted, headers=headers, timeout=30).json()


def test_accents_count_in_the_stream(sandbox: Any, listener: Listener, bearer: dict[str, str]) -> None:
    add_rule(sandbox, bearer, {"value": "déjà", "tag": "accents"})
    sandbox.post("flow", rate_per_s=1000, count=2, texts=["deja vu", "déjà vu"])
    listener.wait(1)
    assert [rule["tag"] for rule in listener.items[0]["matching_rules"]] == ["accents"]
    wait_for_the_flow(sandbox)
    assert len(make(sandbox, 1)) == 1
    listener.wait(2)
    assert len(listener.ids) == 2


def test_rule_changes_may_count_late(sandbox: Any, listener: Listener, bearer: dict[str, str]) -> None:
    sandbox.post("x", rule_delay_s=600)
    make(sandbox, 1)
    add_rule(sandbox, bearer, {"value": "later", "tag": "later"})
    sandbox.post("flow", rate_per_s=1000, count=1, texts=["later than you think"])
    wait_for_the_flow(sandbox)
    (last,) = make(sandbox, 1)
    sandbox.post("x", rule_delay_s=None)
    listener.wait(2)
    assert len(listener.ids) == 2 and listener.ids[1] == last


def test_stream_ends_at_the_monthly_cap(sandbox: Any, listener: Listener, bearer: dict[str, str]) -> None:
    usage = requests.get(f"{sandbox.url}/2/usage/tweets", headers=bearer, timeout=30).json()["data"]
    sandbox.post("x", posts_per_month=int(usage["project_usage"]), problem_host="api.x.com")
    make(sandbox, 1)
    listener.end()
    assert listener.items[-1]["errors"][0]["type"] == "https://api.x.com/2/problems/usage-capped"
    assert "usage-capped" in connect(sandbox, bearer).text
    sandbox.post("x", posts_per_month=None, problem_host=None)


def test_second_account_has_its_own_token_and_limits(sandbox: Any) -> None:
    keys = sandbox.post("accounts", account="second_voice")["x"]
    headers = {"Authorization": f"Bearer {keys['oauth2_user_token']}"}
    me = requests.get(f"{sandbox.url}/2/users/me", headers=headers, timeout=30).json()["data"]
    assert me["username"] == "second_voice"
    body = {"text": "said by the second account"}
    made = requests.post(f"{sandbox.url}/2/tweets", json=body, headers=headers, timeout=30)
    assert made.status_code == 201 and made.headers["x-rate-limit-remaining"] == "99"
    (entry,) = (one for one in sandbox.get("log") if one["text"] == body["text"])
    assert entry["account"] == "second_voice"
    timeline = requests.get(f"{sandbox.url}/2/users/{me['id']}/tweets", headers=headers, timeout=30).json()
    assert [post["text"] for post in timeline["data"]] == [body["text"]]
    sandbox.post("tokens", platform="x", account="second_voice", state="expired")
    ended = requests.get(f"{sandbox.url}/2/users/me", headers=headers, timeout=30)
    assert ended.status_code == 401
