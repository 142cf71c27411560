"""Reddit heard through praw: comments of communities, a search where none is named, mentions in the inbox."""

from typing import Any

import pytest

from rejoinder.listening.rules import ListeningRule
from resources.platforms.adapters import open_platform
from resources.platforms.port import PlatformClient

RULES = (ListeningRule("keywords:asyncio", '("asyncio" OR "trio") -from:sample_account -is:retweet'),)


def comment(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "platform": "reddit", "platform_post_id": f"t1_c{number}", "community": "sample_python",
        "author": "commenter", "text": text, "created_at": f"2026-11-01T13:{number:02d}:00+00:00", "url": None,
        "metrics": {"score": 3}, "parent_id": "t3_p00001", "conversation_id": "t3_p00001", **more,
    }  # fmt: skip


@pytest.fixture
def records(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    mention = "what does u/sample_account say?"
    return [
        *records,
        comment(1, "asyncio, again"),
        comment(2, mention, community="elsewhere", mentions=["sample_account"]),
    ]


def heard(client: PlatformClient, communities: tuple[str, ...]) -> dict[str, Any]:
    return {post.platform_post_id: post for post in client.hear({}, RULES, communities).posts}


def test_comments_and_mentions_are_heard_beside_submissions(reddit_client: PlatformClient) -> None:
    found = heard(reddit_client, ("sample_python",))
    assert {"t3_p00001", "t1_c1", "t1_c2"} <= found.keys()
    assert found["t1_c1"].parent_id == "t3_p00001" and found["t1_c1"].mentions == ()
    assert found["t1_c2"].mentions == ("sample_account",) and found["t1_c2"].community == "elsewhere"
    assert [post.platform_post_id for post in reddit_client.thread(found["t1_c1"], 3)] == ["t3_p00001"]


def test_rules_are_searched_for_where_no_community_is_named(reddit_client: PlatformClient) -> None:
    found = heard(reddit_client, ())
    assert {"t3_p00001", "t3_p00002"} <= found.keys() and "t1_c1" not in found


def test_the_address_of_the_settings_stands_in_for_reddit(
    sandbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from resources.settings import load_settings

    monkeypatch.setenv("REJOINDER_REDDIT_BASE_URL", f"{sandbox.url}/")
    load_settings.cache_clear()
    client = open_platform("reddit", None, sandbox.get("credentials")["reddit"])
    client.publish("t3_p00001", "text")
    assert len(sandbox.attempts("t3_p00001")) == 1
