"""What only Reddit does: its error envelope, communities; and unmodified praw."""

from datetime import timedelta
from typing import Any

import praw
import prawcore
import pytest

from resources.platforms.failures import RateLimited, Refused
from resources.platforms.port import PlatformClient

PARENT = "t3_p00001"


@pytest.fixture
def plain_praw(sandbox: Any) -> Any:
    keys = sandbox.get("credentials")["reddit"]
    return praw.Reddit(
        client_id=keys["client_id"],
        client_secret=keys["client_secret"],
        username=keys["username"],
        password=keys["password"],
        user_agent="linux:rejoinder:0.1 (by /u/sample_account)",
        oauth_url=sandbox.url,
        reddit_url=sandbox.url,
        check_for_updates=False,
    )


def test_ratelimit_is_read_from_its_number(reddit_client: PlatformClient, sandbox: Any) -> None:
    sandbox.fault("comment", "ratelimit", times=3)
    with pytest.raises(RateLimited) as caught:
        reddit_client.publish(PARENT, "text")
    assert timedelta(minutes=13) < caught.value.retry_at - reddit_client.now() <= timedelta(minutes=14)
    assert len(sandbox.attempts(PARENT)) == 1


def test_locked_thread_is_refused(reddit_client: PlatformClient, sandbox: Any) -> None:
    sandbox.post(f"posts/{PARENT}", locked=True)
    with pytest.raises(Refused) as caught:
        reddit_client.publish(PARENT, "text")
    assert caught.value.code == "thread_locked"
    sandbox.post(f"posts/{PARENT}", locked=False)
    reddit_client.publish(PARENT, "text")


def test_expired_token_is_renewed_and_nothing_is_sent_twice(
    reddit_client: PlatformClient, sandbox: Any
) -> None:
    sandbox.fault("comment", "401")
    reddit_client.publish(PARENT, "text")
    assert [entry["accepted"] for entry in sandbox.attempts(PARENT)] == [False, True]
    assert sandbox.get("summary")["duplicates"] == 0


def test_failing_token_call_was_surely_not_sent(reddit_client: PlatformClient, sandbox: Any) -> None:
    sandbox.fault("token", "503", times=9)
    with pytest.raises(Exception, match="503") as caught:
        reddit_client.publish(PARENT, "text")
    assert caught.value.kind == "unreachable"
    assert sandbox.attempts(PARENT) == []


def test_refresh_token_signs_in(sandbox: Any) -> None:
    keys = {**sandbox.get("credentials")["reddit"], "password": ""}
    from resources.platforms.adapters import open_platform

    open_platform("reddit", sandbox.url, keys).publish(PARENT, "text")
    assert sandbox.get("summary")["published"] == 1


def test_one_unreadable_community_does_not_stop_the_others(
    reddit_client: PlatformClient, sandbox: Any
) -> None:
    sandbox.fault("token", "slow", delay_s=0)
    heard = reddit_client.hear({}, (), ("Sample_Python", "no_such_place"))
    assert len(heard.posts) == 3 and heard.is_complete


def test_unmodified_praw_works(plain_praw: Any, sandbox: Any) -> None:
    assert plain_praw.user.me().name == "sample_account"
    posts = list(plain_praw.subreddit("sample_python").new(limit=None))
    assert [post.fullname for post in posts] == ["t3_p00003", "t3_p00002", "t3_p00001"]
    assert posts[0].author is None and posts[1].author.name == "reader_2"
    assert posts[2].selftext == "I measured & wondered <br>."
    comment = posts[2].reply("from praw")
    assert comment.parent_id == PARENT
    assert [each.body for each in plain_praw.submission("p00001").comments] == ["from praw"]
    assert [each.body for each in plain_praw.redditor("sample_account").comments.new()] == ["from praw"]
    sandbox.advance(hours=48)
    [again] = plain_praw.info(fullnames=[comment.fullname])
    assert again.score > comment.score
    comment.delete()
    assert not list(plain_praw.redditor("sample_account").comments.new())


def test_praw_errors_are_the_documented_ones(plain_praw: Any, sandbox: Any) -> None:
    post = plain_praw.submission("p00001")
    for text, code in (("", "NO_TEXT"), ("x" * 10_001, "TOO_LONG")):
        with pytest.raises(praw.exceptions.RedditAPIException) as caught:
            post.reply(text)
        assert caught.value.items[0].error_type == code
    with pytest.raises(prawcore.NotFound):
        plain_praw.submission("nope").title  # noqa: B018 - fetches
    assert sandbox.get("summary")["refused"] == 2


def test_the_witness_sees_praw_answer_twice(plain_praw: Any, sandbox: Any) -> None:
    """Unmodified praw repeats a POST after a lost answer: why the adapter does not let it."""
    sandbox.fault("comment", "commit_then_drop")
    plain_praw.submission("p00001").reply("twice")
    assert len(sandbox.attempts(PARENT)) == 2
    assert sandbox.get("summary")["duplicates"] == 1


def test_praw_searches_reads_comments_and_renews_a_token_that_ends(plain_praw: Any, sandbox: Any) -> None:
    found = plain_praw.subreddit("sample_python").search("asyncio 2", sort="new")
    assert [post.id for post in found] == ["p00002"]
    sandbox.post(
        "posts",
        posts=[
            comment_record("t1_c00001", PARENT, "I measured it too"),
            comment_record("t1_c00002", "t1_c00001", "and I did not"),
        ],
    )
    assert sandbox.post("tokens", platform="reddit", state="expired")["ended"] == 1
    comments = list(plain_praw.subreddit("sample_python").comments(limit=None))
    assert [(each.fullname, each.parent_id, each.link_id) for each in comments] == [
        ("t1_c00002", "t1_c00001", PARENT),
        ("t1_c00001", PARENT, PARENT),
    ]
    [top] = plain_praw.submission("p00001").comments
    assert [reply.body for reply in top.replies] == ["and I did not"]


def comment_record(name: str, parent_id: str, body: str) -> dict[str, Any]:
    where = {"platform": "reddit", "community": "sample_python", "author": "somebody"}
    return {**where, "platform_post_id": name, "parent_id": parent_id, "text": body}


def test_burst_between_two_polls_is_heard_whole(reddit_client: PlatformClient, sandbox: Any) -> None:
    cursor = reddit_client.hear({}, (), ("sample_python",)).cursor
    made = sandbox.post("posts", generate={"platform": "reddit", "count": 130, "community": "sample_python"})
    heard = reddit_client.hear(cursor, (), ("sample_python",))
    assert len(made["ids"]) == 130 and {post.platform_post_id for post in heard.posts} == set(made["ids"])
