"""One behaviour suite for every adapter, against the real sandbox in a process of its own."""

import signal
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.errors import ConfigInvalid, PlatformRefusal
from rejoinder.listening.rules import ListeningRule
from resources.platforms.adapters import open_platform
from resources.platforms.failures import (
    AuthExpired,
    OutcomeUnknown,
    PlatformFailure,
    RateLimited,
    Refused,
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


def test_own_reply_is_found_by_parent_and_text(client: PlatformClient, case: Any) -> None:
    sent = client.publish(case.parent_id, TEXT)
    found = client.read_back(case.parent_id, TEXT, LONG_AGO).found
    assert found is not None and found.platform_id == sent.platform_id
    assert abs(found.sent_at - sent.sent_at) < timedelta(seconds=1.5)
    assert client.read_back(case.other_parent_id, TEXT, LONG_AGO).found is None
    assert client.read_back(case.parent_id, "another text", LONG_AGO).found is None


def test_read_back_says_how_far_it_looked(client: PlatformClient, case: Any) -> None:
    look = client.read_back(case.parent_id, TEXT, client.now() - timedelta(hours=1))
    assert look.found is None and look.is_complete and look.searched_until <= client.now()


@pytest.mark.parametrize("kind", ["commit_then_503", "commit_then_drop"])
def test_lost_answer_is_unknown_and_sent_once(
    client: PlatformClient, case: Any, sandbox: Any, kind: str
) -> None:
    sandbox.fault(case.create, kind)
    with pytest.raises(OutcomeUnknown):
        client.publish(case.parent_id, TEXT)
    [entry] = sandbox.attempts(case.parent_id)
    found = client.read_back(case.parent_id, TEXT, LONG_AGO).found
    assert found is not None and found.platform_id == entry["platform_id"]


@pytest.mark.parametrize("kind", ["503", "drop"])
def test_untaken_write_is_unknown_and_sent_once(
    client: PlatformClient, case: Any, sandbox: Any, kind: str
) -> None:
    sandbox.fault(case.create, kind, times=3)
    with pytest.raises(OutcomeUnknown):
        client.publish(case.parent_id, TEXT)
    assert [entry["accepted"] for entry in sandbox.attempts(case.parent_id)] == [False]
    assert client.read_back(case.parent_id, TEXT, LONG_AGO).found is None


def test_429_says_when_to_come_back(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sandbox.fault(case.create, "429", times=3)
    with pytest.raises(RateLimited) as caught:
        client.publish(case.parent_id, TEXT)
    assert caught.value.retry_at is not None
    assert timedelta(seconds=30) < caught.value.retry_at - client.now() <= timedelta(minutes=16)
    assert len(sandbox.attempts(case.parent_id)) == 1


def test_429_without_headers_has_no_time(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sandbox.fault(case.create, "429_no_headers")
    with pytest.raises(RateLimited) as caught:
        client.publish(case.parent_id, TEXT)
    assert caught.value.retry_at is None


def test_refused_credentials_are_told_apart(client: PlatformClient, case: Any, sandbox: Any) -> None:
    credentials = {name: "wrong" for name in sandbox.get("credentials")[case.platform]}
    with pytest.raises(AuthExpired) as caught:
        open_platform(case.platform, sandbox.url, credentials).publish(case.parent_id, TEXT)
    assert "wrong" not in str(caught.value)
    assert sandbox.get("summary")["published"] == 0


def test_connection_refused_was_surely_not_sent(case: Any, sandbox: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        client = open_platform(case.platform, address, sandbox.get("credentials")[case.platform])
        with pytest.raises(Unreachable):
            client.publish(case.parent_id, TEXT)


def test_unreadable_answers_of_reads_are_unreachable(client: PlatformClient, case: Any, sandbox: Any) -> None:
    client.publish(case.parent_id, TEXT)
    for endpoint in ("timeline", "user_comments"):
        sandbox.fault(endpoint, "503", times=3)
    with pytest.raises(Unreachable):
        client.read_back(case.parent_id, TEXT, LONG_AGO)


def test_failures_carry_no_secret_and_no_request(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sandbox.fault(case.create, "drop")
    with pytest.raises(PlatformFailure) as caught:
        client.publish(case.parent_id, TEXT)
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    shown = repr(caught.value) + str(caught.value) + repr(client.__dict__.get("_credentials"))
    assert not [secret for secret in secrets_of(sandbox, case) if secret in shown]


def secrets_of(sandbox: Any, case: Any) -> list[str]:
    return [value for name, value in sandbox.get("credentials")[case.platform].items() if name != "username"]


def test_parent_that_is_gone_is_refused(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sandbox.post(f"posts/{case.parent_id}", deleted=True)
    with pytest.raises(Refused) as caught:
        client.publish(case.parent_id, TEXT)
    assert caught.value.code == "parent_gone"
    assert isinstance(caught.value, PlatformRefusal)


def test_text_over_the_limit_is_refused(client: PlatformClient, case: Any) -> None:
    with pytest.raises(Refused) as caught:
        client.publish(case.parent_id, "x" * (client.text_limit + 1))
    assert caught.value.code == "too_long"
    client.publish(case.parent_id, "x" * client.text_limit)


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


def test_metrics_of_the_unknown_are_deleted(client: PlatformClient, case: Any) -> None:
    found = client.metrics([case.parent_id, case.unknown_id])
    assert not found[case.parent_id].is_deleted and found[case.parent_id].likes > 0
    assert found[case.unknown_id].is_deleted


def test_metrics_take_more_than_a_page(client: PlatformClient, case: Any) -> None:
    ids = [case.unknown_id[:3] + str(number) for number in range(250)] + [case.parent_id]
    assert len(client.metrics(ids)) == 251


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


def test_slow_answers_are_waited_for(client: PlatformClient, case: Any, sandbox: Any) -> None:
    sandbox.fault(case.create, "slow", delay_s=0.5)
    started = time.monotonic()
    client.publish(case.parent_id, TEXT)
    assert time.monotonic() - started >= 0.5


def test_missing_credentials_are_named(case: Any) -> None:
    with pytest.raises(ConfigInvalid, match="lack"):
        open_platform(case.platform, "http://127.0.0.1:1", {})


def test_unknown_platform_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match="reddit, x"):
        open_platform("myspace", None, {})
