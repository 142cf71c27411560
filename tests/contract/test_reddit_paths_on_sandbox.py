"""Reddit's paths as any client meets them: search, refusals, pace, agents, tokens, accounts; in this process."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from resources.sandbox.app import build_app, open_world
from resources.sandbox.load import load_posts
from resources.sandbox.state import State
from resources.sandbox.trickle import pieces

PARENT = "t3_p00001"
AGENT = "linux:rejoinder:0.1 (by /u/sample_account)"


@dataclass
class Direct:
    """Requests as they are, with nothing of praw between."""

    client: TestClient
    keys: dict[str, str]

    def token(self, **form: str) -> dict[str, Any]:
        grant = {
            "grant_type": "password",
            "username": self.keys["username"],
            "password": self.keys["password"],
        }
        basic = (self.keys["client_id"], self.keys["client_secret"])
        found: dict[str, Any] = self.client.post(
            "/api/v1/access_token", data=form or grant, auth=basic
        ).json()
        return found

    def sign_in(self, **form: str) -> None:
        self.client.headers["Authorization"] = f"bearer {self.token(**form)['access_token']}"

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, params=query)

    def post(self, path: str, **form: str) -> Any:
        return self.client.post(path, data=form)


@dataclass
class Sandbox:
    """The sandbox's own paths, as `conftest.Sandbox` has them for the one in a process."""

    client: TestClient

    def get(self, path: str) -> Any:
        return self.client.get(f"/sandbox/{path}").json()

    def post(self, path: str, **body: Any) -> Any:
        answer = self.client.post(f"/sandbox/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, endpoint: str, kind: str, times: int = 1, **more: Any) -> None:
        self.post("faults", endpoint=endpoint, kind=kind, times=times, **more)

    def advance(self, **time: float) -> None:
        self.post("clock", advance_s=timedelta(**time).total_seconds())


@pytest.fixture
def sandbox(tmp_path: Path, records: list[dict[str, Any]]) -> Iterator[Sandbox]:
    state = State(tmp_path / "state.db")
    posts = tmp_path / "posts.jsonl"
    posts.write_text("\n".join(json.dumps(record) for record in records), "utf-8")
    load_posts(state, posts)
    with TestClient(build_app(open_world(state, "sample_account"))) as client:
        client.headers["User-Agent"] = AGENT
        yield Sandbox(client)
    state.close()


@pytest.fixture
def direct(sandbox: Sandbox) -> Direct:
    return Direct(sandbox.client, sandbox.get("credentials")["reddit"])


def test_texts_are_escaped_without_raw_json(sandbox: Any, direct: Direct) -> None:
    direct.sign_in(grant_type="client_credentials")
    shown = direct.get("/r/sample_python/new/").json()["data"]["children"][2]["data"]
    assert shown["selftext"] == "I measured &amp; wondered &lt;br&gt;."
    assert direct.post("/api/comment", text="x").status_code == 403


def names(answer: Any) -> list[str]:
    return [child["data"]["name"] for child in answer.json()["data"]["children"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("asyncio", ["t3_p00003", "t3_p00002", "t3_p00001"]),
        ("asyncio faster", ["t3_p00002", "t3_p00001"]),
        ('"asyncio faster"', ["t3_p00002", "t3_p00001"]),
        ('"faster asyncio"', []),
        ("wondered -2", ["t3_p00001"]),
        ("NOT measured", ["t3_p00003"]),
        ("title:deleted OR title:1", ["t3_p00003", "t3_p00001"]),
        ("author:reader_1 (title:asyncio)", ["t3_p00001"]),
        ("subreddit:sample_python selftext:measured", ["t3_p00002", "t3_p00001"]),
        ("subreddit:elsewhere asyncio", []),
        ("", []),
    ],
)
def test_search_speaks_reddits_language(direct: Direct, query: str, found: list[str]) -> None:
    direct.sign_in()
    assert names(direct.get("/search", q=query, sort="new")) == found


def test_search_pages_sorts_and_keeps_to_time_and_community(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    first = direct.get("/r/sample_python/search/", q="asyncio", sort="new", limit="2", restrict_sr="on")
    after = first.json()["data"]["after"]
    assert after == "t3_p00002"
    rest = direct.get("/r/sample_python/search", q="asyncio", sort="new", after=after, restrict_sr="on")
    assert names(rest) == ["t3_p00001"] and rest.json()["data"]["after"] is None
    assert names(direct.get("/r/elsewhere/search", q="asyncio", restrict_sr="1")) == []
    assert len(names(direct.get("/r/elsewhere/search", q="asyncio"))) == 3
    sandbox.advance(hours=2)
    assert names(direct.get("/search", q="asyncio", t="hour")) == []
    assert len(names(direct.get("/search", q="asyncio", t="day"))) == 3


@pytest.mark.parametrize(("kind", "wait_s"), [("ratelimit", 840), ("ratelimit_ru", 3), ("ratelimit_nl", 540)])
def test_ratelimit_in_every_language_carries_its_seconds(
    direct: Direct, sandbox: Any, kind: str, wait_s: int
) -> None:
    direct.sign_in()
    sandbox.fault("comment", kind)
    answer = direct.post("/api/comment", thing_id=PARENT, text="x")
    envelope = answer.json()["json"]
    assert answer.status_code == 200 and envelope["ratelimit"] == wait_s
    [[code, words, field]] = envelope["errors"]
    assert (code, field) == ("RATELIMIT", "ratelimit") and words
    assert names_of_log(sandbox) == [f"fault_{kind}"]


@pytest.mark.parametrize(
    "kind",
    ["too_long", "too_old", "thread_locked", "deleted_comment", "user_blocked", "user_muted",
     "muted_from_subreddit", "too_many_comments"],
)  # fmt: skip
def test_every_refusal_of_a_comment_can_be_ordered(direct: Direct, sandbox: Any, kind: str) -> None:
    direct.sign_in()
    sandbox.fault("comment", kind)
    answer = direct.post("/api/comment", thing_id=PARENT, text="x").json()
    assert answer["json"]["errors"][0][0] == kind.upper()
    assert sandbox.get("summary")["published"] == 0
    assert direct.post("/api/comment", thing_id=PARENT, text="x").json()["json"]["errors"] == []


def names_of_log(sandbox: Any) -> list[str]:
    return [entry["error"] for entry in sandbox.get("log")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"locked": True}, "THREAD_LOCKED"),
        ({"archived": True}, "TOO_OLD"),
        ({"blocked": True}, "USER_BLOCKED"),
        ({"deleted": True}, "DELETED_LINK"),
        ({"removed": "automod_filtered"}, "DELETED_LINK"),
    ],
)
def test_state_of_the_parent_refuses_a_comment(
    direct: Direct, sandbox: Any, change: dict[str, Any], code: str
) -> None:
    direct.sign_in()
    sandbox.post(f"posts/{PARENT}", **change)
    answer = direct.post("/api/comment", thing_id=PARENT, text="x").json()["json"]
    assert [error[0] for error in answer["errors"]] == [code] == names_of_log(sandbox)


def test_longest_comment_is_ten_thousand_characters(direct: Direct) -> None:
    direct.sign_in()
    codes = [
        [
            error[0]
            for error in direct.post("/api/comment", thing_id=PARENT, text="é" * size).json()["json"][
                "errors"
            ]
        ]
        for size in (10_000, 10_001)
    ]
    assert codes == [[], ["TOO_LONG"]]


def test_gone_and_edited_things_look_as_on_reddit(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    sandbox.post("posts/t3_p00001", text="Is asyncio slower?\n\nI changed my mind.")
    sandbox.post("posts/t3_p00002", removed=True)
    sandbox.post("posts/t3_p00003", deleted=True)
    found = direct.get("/api/info", id="t3_p00001,t3_p00002,t3_p00003").json()["data"]["children"]
    edited, removed, deleted = (child["data"] for child in found)
    assert edited["title"] == "Is asyncio slower?" and edited["edited"] > edited["created_utc"]
    assert (removed["selftext"], removed["removed_by_category"]) == ("[removed]", "moderator")
    assert removed["author"] == "reader_2" and removed["edited"] is False
    assert (deleted["author"], deleted["selftext"]) == ("[deleted]", "[deleted]")
    assert deleted["removed_by_category"] == "deleted"
    assert names(direct.get("/r/sample_python/new")) == ["t3_p00001"]
    assert names(direct.get("/search", q="asyncio")) == ["t3_p00001"]
    sandbox.post("posts/t3_p00002", removed=False)
    assert names(direct.get("/r/sample_python/new")) == ["t3_p00002", "t3_p00001"]


def test_removed_comment_hides_its_author(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    made = direct.post("/api/comment", thing_id=PARENT, text="mine").json()["json"]["data"]["things"][0][
        "data"
    ]
    sandbox.post(f"posts/{made['name']}", removed="moderator")
    [shown] = direct.get("/api/info", id=made["name"]).json()["data"]["children"]
    assert (shown["data"]["author"], shown["data"]["body"]) == ("[deleted]", "[removed]")


def test_window_of_ten_minutes_is_counted_and_ends(direct: Direct, sandbox: Any) -> None:
    shown = [direct.get("/r/sample_python/new.json").headers for _ in range(2)]
    assert [(each["x-ratelimit-used"], each["x-ratelimit-remaining"]) for each in shown] == [
        ("1", "99.0"),
        ("2", "98.0"),
    ]
    assert 295 <= int(shown[1]["x-ratelimit-reset"]) <= 300
    for _ in range(98):
        assert direct.get("/r/sample_python/new.json").status_code == 200
    refused = direct.get("/r/sample_python/new.json")
    assert refused.status_code == 429 and refused.headers["x-ratelimit-remaining"] == "0.0"
    assert refused.headers["retry-after"] == refused.headers["x-ratelimit-reset"]
    sandbox.advance(seconds=int(refused.headers["retry-after"]))
    again = direct.get("/r/sample_python/new.json").headers
    assert again["x-ratelimit-used"] == "1" and int(again["x-ratelimit-reset"]) > 590


def test_a_token_buys_ten_times_the_pace(direct: Direct) -> None:
    direct.sign_in()
    assert direct.get("/r/sample_python/new").headers["x-ratelimit-remaining"] == "999.0"


@pytest.mark.parametrize(
    "agent", ["", "python-requests/2.32.5", "curl/8.5.0", "Python-urllib/3.12", "Java/17.0.2"]
)
def test_default_agents_are_throttled(direct: Direct, agent: str) -> None:
    direct.client.headers["User-Agent"] = agent
    answer = direct.get("/r/sample_python/new.json")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "60")


def test_revoked_account_cannot_sign_in_until_it_is_valid(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    sandbox.post("tokens", platform="reddit", state="revoked")
    assert direct.get("/api/v1/me").status_code == 401
    assert direct.token() == {"error": "invalid_grant"}
    sandbox.post("tokens", platform="reddit", state="valid")
    direct.sign_in()
    assert direct.get("/api/v1/me").json()["name"] == "sample_account"


def test_short_lives_are_told_to_the_client(direct: Direct, sandbox: Any) -> None:
    sandbox.post("tokens", platform="reddit", life_s=90)
    assert direct.token()["expires_in"] == 90


def test_second_account_comments_in_its_own_name(direct: Direct, sandbox: Any) -> None:
    keys = sandbox.post("accounts", account="second_account")["reddit"]
    direct.keys = keys
    direct.sign_in()
    assert direct.get("/api/v1/me").json()["name"] == "second_account"
    made = direct.post("/api/comment", thing_id=PARENT, text="from the other").json()
    name = made["json"]["data"]["things"][0]["data"]["name"]
    assert [entry["account"] for entry in sandbox.get("log")] == ["second_account"]
    direct.keys = sandbox.get("credentials")["reddit"]
    direct.sign_in()
    assert direct.post("/api/del", id=name).status_code == 403
    assert sandbox.get("credentials")["accounts"]["second_account"]["reddit"] == keys


def test_inbox_holds_comments_that_name_the_account(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    comment = {"platform": "reddit", "community": "sample_python", "parent_id": PARENT}
    texts = ("u/sample_account is that so?", "nobody is named here")
    made = sandbox.post("posts", posts=[{**comment, "text": text} for text in texts])
    answer = direct.get("/message/mentions/")
    assert names(answer) == made["ids"][:1]
    number = made["ids"][0].removeprefix("t1_")
    context = answer.json()["data"]["children"][0]["data"]["context"]
    assert context == f"/r/sample_python/comments/p00001/_/{number}/?context=3"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_keep_their_status(direct: Direct, sandbox: Any, status: int) -> None:
    direct.sign_in()
    sandbox.fault("new", str(status))
    assert direct.get("/r/sample_python/new").status_code == status


def test_slow_body_is_whole_and_its_comment_stands(direct: Direct, sandbox: Any) -> None:
    direct.sign_in()
    sandbox.fault("comment", "slow_body", delay_s=0.001)
    answer = direct.post("/api/comment", thing_id=PARENT, text="slowly")
    assert answer.json()["json"]["errors"] == []
    assert len(answer.content) == int(answer.headers["content-length"])
    assert sandbox.get("summary")["published"] == 1


@pytest.mark.parametrize("size", [0, 1, 19, 20, 21, 709])
def test_a_trickle_has_a_pause_before_each_of_at_most_twenty_pieces(size: int) -> None:
    async def collect() -> list[bytes]:
        return [piece async for piece in pieces(b"x" * size, 0.0)]

    found = asyncio.run(collect())
    assert b"".join(found) == b"x" * size and len(found) <= 20
    assert size < 20 or len(found) > 10


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("tokens", {"platform": "myspace"}),
        ("tokens", {"platform": "x", "state": "tired"}),
        ("tokens", {"life_s": 0}),
        ("accounts", {"account": "with space"}),
        ("posts", {}),
        ("posts", {"posts": [{"platform": "x"}]}),
        ("posts", {"posts": [{"platform": "x", "text": "a", "colour": "red"}]}),
        ("posts", {"posts": [{"platform": "reddit", "text": "a", "community": "b", "id": PARENT}]}),
        ("posts", {"generate": {"platform": "reddit", "count": 1}}),
        ("posts", {"generate": {"platform": "x", "count": 0}}),
        ("posts", {"generate": {"platform": "x", "number": 3}}),
        ("clock", {"speed": -1}),
        ("clock", {"speed": 1e9}),
        ("faults", {"endpoint": "new", "kind": "too_long"}),
        ("faults", {"endpoint": "new", "kind": "no_tag"}),
        (f"posts/{PARENT}", {"removed": "the cat"}),
        (f"posts/{PARENT}", {"text": " "}),
    ],
)
def test_wrong_orders_say_what_is_wrong(sandbox: Sandbox, path: str, body: Any) -> None:
    answer = sandbox.client.post(f"/sandbox/{path}", json=body)
    assert answer.status_code == 400 and answer.json()["error"]
    assert sandbox.get("summary")["posts"] == 7


def test_clock_runs_faster_and_goes_on_from_there(sandbox: Sandbox) -> None:
    before = sandbox.get("clock")
    assert before["speed"] == 1
    assert sandbox.post("clock", speed=0)["speed"] == 0
    stands = sandbox.get("clock")["unix_s"]
    assert before["unix_s"] <= stands == sandbox.get("clock")["unix_s"]
    assert sandbox.post("clock", advance_s=60, speed=3600)["unix_s"] >= stands + 60
