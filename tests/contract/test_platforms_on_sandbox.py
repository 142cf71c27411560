"""What X and Reddit show only on the real sandbox, in a process of its own: paging, restarts, its clock."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.listening.rules import ListeningRule
from resources.platforms.adapters import open_platform
from resources.platforms.failures import (
    AuthExpired,
    Unreachable,
)
from resources.platforms.port import PlatformClient

RULES = (ListeningRule("keywords:asyncio", "asyncio", ("sample_python",)),)
TEXT = "Measured at 12:04 in the episode: R&D says it depends. https://example.com/e1?t=724 ✅"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_publish_stands_under_its_parent(client: PlatformClient, case: Any, sandbox: Any) -> None:
    before = client.now()
    sent = client.publish(case.parent_id, TEXT)
    [entry] = sandbox.attempts(case.parent_id)
    assert (entry["platform_id"], entry["text"], entry["accepted"]) == (sent.platform_id, TEXT, True)
    assert before - timedelta(seconds=1) <= sent.sent_at <= client.now()
    assert sandbox.get("summary").items() >= {"published": 1, "duplicates": 0}.items()


def test_refused_credentials_are_told_apart(client: PlatformClient, case: Any, sandbox: Any) -> None:
    credentials = {name: "wrong" for name in sandbox.get("credentials")[case.platform]}
    with pytest.raises(AuthExpired) as caught:
        open_platform(case.platform, sandbox.url, credentials).publish(case.parent_id, TEXT)
    assert "wrong" not in str(caught.value)
    assert sandbox.get("summary")["published"] == 0


def test_unreadable_answers_of_reads_are_unreachable(client: PlatformClient, case: Any, sandbox: Any) -> None:
    client.publish(case.parent_id, TEXT)
    for endpoint in ("timeline", "user_comments"):
        sandbox.fault(endpoint, "503", times=3)
    with pytest.raises(Unreachable):
        client.read_back(case.parent_id, TEXT, LONG_AGO)


def test_metrics_grow_with_the_clock_and_saturate(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sent = client.publish(case.parent_id, TEXT)
    seen = [client.metrics([sent.platform_id])[sent.platform_id]]
    for hours in (6, 24, 240, 240):
        sandbox.advance(hours=hours)
        seen.append(client.metrics([sent.platform_id])[sent.platform_id])
    likes = [each.likes for each in seen]
    assert likes == sorted(likes) and likes[-1] > likes[0]
    assert seen[-1] == seen[-2]
    assert seen[-1].replies >= seen[0].replies and not seen[-1].is_deleted


def test_metrics_take_more_than_a_page(client: PlatformClient, case: Any) -> None:
    unknown = [case.unknown_id[:3] + str(number) for number in range(250)]
    counts = client.metrics([case.other_parent_id, *unknown, case.parent_id])
    assert not counts[case.parent_id].is_deleted and not counts[case.other_parent_id].is_deleted
    assert all(counts[one].is_deleted for one in unknown if one in counts)


def test_now_follows_the_sandbox(client: PlatformClient, sandbox: Any) -> None:
    before = client.now()
    sandbox.advance(hours=3)
    assert timedelta(hours=3) <= client.now() - before < timedelta(hours=3, minutes=1)


def test_account_is_the_sandbox_account(client: PlatformClient) -> None:
    assert client.account == "sample_account"


def hear_all(client: PlatformClient) -> tuple[list[Any], dict[str, str]]:
    heard = client.hear({}, RULES, ())
    posts, cursor = list(heard.posts), dict(heard.cursor)
    while not heard.is_complete:
        heard = client.hear(cursor, RULES, ())
        posts, cursor = posts + list(heard.posts), dict(heard.cursor)
    return posts, cursor


def test_paging_loses_nothing_and_repeats_nothing(case: Any, sandbox: Any) -> None:
    sandbox.end(signal.SIGTERM)
    sandbox.records += [case.make(100 + n, f"asyncio question {n}") for n in range(260)]
    client = sandbox.start().client(case.platform)
    posts, cursor = hear_all(client)
    ids = [post.platform_post_id for post in posts]
    wanted = {r["platform_post_id"] for r in sandbox.records if r["platform"] == case.platform}
    assert set(ids) == wanted and len(ids) == len(wanted)
    assert not client.hear(cursor, RULES, ()).posts

    sandbox.end(signal.SIGTERM)
    late = [case.make(500 + n, f"asyncio again {n}") for n in range(3)]
    sandbox.records += late
    heard = sandbox.start().client(case.platform).hear(cursor, RULES, ())
    assert [post.platform_post_id for post in heard.posts] == [r["platform_post_id"] for r in late]


def test_heard_posts_are_what_was_loaded(client: PlatformClient, case: Any, sandbox: Any) -> None:
    heard = {post.platform_post_id: post for post in client.hear({}, RULES, ()).posts}
    for record in sandbox.records:
        if record["platform"] != case.platform:
            continue
        post = heard[record["platform_post_id"]]
        assert (post.text, post.author, post.community) == (
            record["text"],
            record["author"],
            record["community"],
        )
        assert post.created_at.isoformat() == record["created_at"]
        assert post.metrics.items() >= record["metrics"].items()


def test_own_replies_are_not_heard(client: PlatformClient, case: Any) -> None:
    client.publish(case.parent_id, "asyncio: it depends")
    assert "asyncio: it depends" not in [post.text for post in client.hear({}, RULES, ()).posts]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_restart_keeps_replies_clock_and_keys(
    client: PlatformClient, case: Any, sandbox: Any, how: signal.Signals
) -> None:
    sandbox.advance(hours=5)
    sent = client.publish(case.parent_id, TEXT)
    log, keys, before = sandbox.get("log"), sandbox.get("credentials"), client.now()
    sandbox.end(how)
    sandbox.start()
    assert sandbox.get("log") == log and sandbox.get("credentials") == keys
    again = sandbox.client(case.platform)
    assert before <= again.now() < before + timedelta(minutes=2)
    found = again.read_back(case.parent_id, TEXT, LONG_AGO).found
    assert found is not None and found.platform_id == sent.platform_id
