"""Who may be answered, asked again before anything is sent: windows, caps, quiet hours, operators, opt-outs, races."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.policy import ChannelPolicy, default_policy
from rejoinder.listening.post import Post
from rejoinder.listening.quiet_hours import QuietHours
from resources.listening import HeardCounts, save_posts
from resources.publishing.claim import Idle, claim, keep_back
from resources.store.channels import Channel
from resources.store.publications import next_due, take

DAY = timedelta(days=1)
STRICT = replace(default_policy("sandbox/x/enterprise"), author_window_s=86_400)


def same_author(desk: Any, *replies: int, **columns: str) -> None:
    """Let all these replies be to one author, or in one conversation."""
    columns = columns or {"author": "Ada"}
    for column, value in columns.items():
        desk.rows(
            f"update post set {column} = %s where id in (select post_id from publication where id = any (%s))",
            value, list(replies),
        )  # fmt: skip


def states(desk: Any, *replies: int) -> list[str]:
    return [desk.publication(reply)["state"] for reply in replies]


def test_one_author_gets_one_reply_a_day_and_the_next_one_waits(desk):
    channel = desk.channel(policy=STRICT)
    replies = [desk.approved(channel) for _ in range(3)]
    same_author(desk, *replies[:2])
    report = desk.run()
    assert states(desk, *replies) == ["sent", "queued", "sent"] and report.deferred == 1
    waits = desk.publication(replies[1])
    assert (
        waits["reason_code"] == "author_window"
        and "its author has a reply within 24 hours" in waits["detail"]
    )
    assert waits["due_at"] > datetime.now(UTC) + DAY - timedelta(minutes=5)
    assert desk.run(later=DAY + timedelta(minutes=1)).sent == 1
    assert desk.platform.requests == 3


def test_two_publishers_at_once_send_one_reply_to_an_author(desk):
    one, two = (desk.channel(name, policy=STRICT, account=name) for name in ("one", "two"))
    first, second = desk.approved(one), desk.approved(two)
    same_author(desk, first, second)
    now, found = datetime.now(UTC), []
    other = threading.Thread(
        target=lambda: found.append(
            claim(desk.publisher, two, clock=desk.clock_at(now), worker=2, lease_s=60)
        )
    )
    with desk.publisher.transaction() as tx:
        due = next_due(tx, one.id, now=now)
        assert keep_back(tx, one, due, now) is None
        other.start()
        wait_for(lambda: not other.is_alive() or desk.rows(WAITING))
        take(tx, due.id, worker=1, lease_s=60)
    other.join(60)
    assert found == [Idle("kept_back", 1)]
    assert states(desk, first, second) == ["sending", "queued"]
    assert desk.publication(second)["reason_code"] == "author_window"


WAITING = "select 1 from pg_locks where classid = 21078 and not granted"


def wait_for(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_conversation_that_is_full_sends_its_reply_back(desk):
    channel = desk.channel(policy=replace(STRICT, replies_per_conversation=1))
    first, second = desk.approved(channel), desk.approved(channel)
    same_author(desk, first, second, conversation_id="c1")
    desk.run()
    assert states(desk, first, second) == ["sent", "cancelled"]
    back = desk.publication(second)
    assert (back["place"], back["reason_code"]) == ("review/pending", "conversation_cap")
    assert desk.notices() == ["policy"]


def test_nothing_is_sent_in_quiet_hours_and_everything_after_them(desk):
    now = datetime.now(UTC)
    start, end = (now - timedelta(hours=2)).time(), (now + timedelta(hours=2)).time()
    quiet = QuietHours("UTC", start.replace(second=0, microsecond=0), end.replace(second=0, microsecond=0))
    channel = desk.channel(policy=replace(STRICT, quiet_hours=quiet))
    replies = [desk.approved(channel) for _ in range(2)]
    report = desk.run()
    assert (report.sent, report.deferred, desk.platform.requests) == (0, 2, 0)
    (outlook,) = desk.outlook()
    assert (outlook.reason, outlook.waiting) == ("quiet_hours", len(replies))
    assert timedelta(hours=1, minutes=58) < outlook.allowed_from - now < timedelta(hours=2)
    assert desk.run(later=timedelta(hours=2, minutes=1)).sent == 2


def test_a_channel_without_an_operator_hands_its_replies_over(desk):
    real = default_policy("x/enterprise")
    channel = desk.channel(policy=replace(real, operator="Ada Lovelace"))
    reply = desk.approved(channel)
    set_policy(desk, channel, real)
    desk.run()
    handed = desk.publication(reply)
    assert (handed["state"], handed["place"]) == ("handoff", "post_queue/pending")
    assert "operator=NAME" in handed["detail"] and desk.platform.requests == 0


def set_policy(desk: Any, channel: Channel, policy: ChannelPolicy) -> None:
    desk.channel(channel.name, policy=policy)


def test_a_person_is_not_given_a_second_reply_to_the_same_author(desk):
    channel = desk.channel(policy=replace(STRICT, reply_mode="handoff"))
    desk.approved(channel)
    desk.numbers = iter([1, 2])
    desk.rows("update post set author = 'author1'")
    with pytest.raises(DecisionInvalid, match="its author has a reply within 24 hours"):
        desk.approved(channel, parent_id="7")


def test_an_opt_out_that_comes_last_of_all_is_honoured(desk):
    channel = desk.channel(policy=STRICT)
    reply = desk.approved(channel)
    by_hand = desk.approved(desk.channel("hand", policy=replace(STRICT, reply_mode="handoff")))
    same_author(desk, reply, by_hand)
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'ada', 'stop')")
    desk.run()
    assert states(desk, reply, by_hand) == ["cancelled", "abandoned"]
    assert desk.publication(by_hand)["place"] == "post_queue/withdrawn" and desk.platform.requests == 0


def said(text: str, **changes: Any) -> Post:
    value = Post("x", "777", text, datetime(2026, 11, 2, tzinfo=UTC), author="Ada", mentions=("rejoinder",))
    return replace(value, **changes)


def hear(desk: Any, channel: Channel, *posts: Post) -> HeardCounts:
    counts = HeardCounts()
    with desk.db.transaction() as tx:
        save_posts(tx, channel, posts, counts)
    return counts


def test_stop_withdraws_all_open_work_of_its_author_at_once(desk):
    channel = desk.channel(policy=replace(STRICT, author_window_s=0))
    replies = [desk.approved(channel) for _ in range(3)]
    same_author(desk, *replies[:2])
    hear(desk, channel, said("heat pumps?", platform_post_id="700"))
    hear(desk, channel, said("@rejoinder STOP, please!"))
    assert states(desk, *replies) == ["cancelled", "cancelled", "queued"]
    places = desk.rows(
        "select status, count(*)::int as n from post where lower(author) = 'ada' group by status"
    )
    assert places == [{"status": "withdrawn", "n": 4}]
    kept = desk.rows(
        "select o.author, o.is_asked, p.platform_post_id from opt_out o join post p on p.id = o.post_id"
    )
    assert kept == [{"author": "ada", "is_asked": True, "platform_post_id": "777"}]
    assert desk.notices() == ["opt_out"]
    (told,) = desk.rows("select lower(message) as said from notification")
    assert "ada" not in told["said"], "what is sent cannot be taken back once the author's posts are purged"
    assert [r["action"] for r in desk.rows("select action from audit_event where action = 'opt_out'")] == [
        "opt_out"
    ]
    later = hear(desk, channel, said("one more", platform_post_id="778"))
    assert (later.new, later.opted_out) == (0, 1)


def test_stop_counts_where_it_is_said_to_us(desk):
    channel = desk.channel(policy=STRICT)
    reply = desk.approved(channel)
    desk.run()
    ours = desk.publication(reply)["platform_id"]
    hear(desk, channel, said("stop", mentions=()), said("stop the war", platform_post_id="2", author="bob"))
    assert desk.rows("select author from opt_out") == []
    hear(desk, channel, said("stop", mentions=(), parent_id=ours, platform_post_id="3", author="eve"))
    assert desk.rows("select author from opt_out") == [{"author": "eve"}]


def test_an_edit_does_not_bring_back_a_post_of_who_opted_out(desk):
    channel = desk.channel(policy=STRICT)
    hear(desk, channel, said("@rejoinder stop"))
    hear(desk, channel, said("@rejoinder stop it now, or else"))
    assert desk.rows("select status, text from post") == [{"status": "withdrawn", "text": "@rejoinder stop"}]


def test_what_was_asked_for_stays_for_the_database_too(desk):
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'ada', 'stop')")
    for statement in ("delete from opt_out", "update opt_out set is_asked = false"):
        with pytest.raises(Exception, match="asked to be left alone"):
            desk.rows(statement)
