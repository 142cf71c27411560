"""The time that publishers go by: the database's, read once what they wait for is held; and when a thread may begin."""

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.listening.policy import default_policy
from resources.platforms.failures import OutcomeUnknown
from resources.publishing.claim import Idle, claim
from resources.publishing.clock import Clock, database_time
from resources.publishing.pacing import count_call, lock_windows, room_from
from resources.publishing.run import publish_due
from resources.work.stopping import StopSignal

MINUTE = timedelta(minutes=1)
TEXTS = ("It works below zero.", "At 12:04 they measure it.", "At 15:30 they say why.")


def waits_for_a_lock(desk) -> bool:
    return bool(desk.rows("select 1 from pg_locks where not granted"))


def thread(desk, channel):
    return desk.approved(channel, text="\n---\n".join(TEXTS))


def call_counts(desk, **limits):
    """Set limits of windows that are open."""
    for name, count in limits.items():
        desk.rows("update rate_window set limit_count = %s where name = %s", count, f"{name[1:]}min")


def parts(desk, reply):
    return desk.publication(reply)["parts"]


def test_the_clock_is_that_of_the_database_and_goes_on_within_a_transaction(db):
    clock = Clock()
    with pytest.raises(RuntimeError, match="look at the database's time first"):
        clock.now()
    with db.transaction() as tx:
        first, second = clock.look(tx), clock.look(tx)
        assert first < second and first.tzinfo
    assert second < clock.now() < second + MINUTE


def test_a_call_is_counted_when_the_windows_are_held_however_long_others_held_them(desk):
    channel = desk.channel()
    desk.approved(channel)
    with desk.publisher.transaction() as tx:
        clock = Clock()
        clock.look(tx)
    claimed = threading.Thread(
        target=claim, args=(desk.publisher, channel), kwargs={"clock": clock, "worker": 1, "lease_s": 60}
    )
    with desk.publisher.transaction() as tx:
        lock_windows(tx, channel, database_time(tx))
        claimed.start()
        while not waits_for_a_lock(desk):
            assert claimed.is_alive()
        freed_at = database_time(tx)
    claimed.join(30)
    [call] = desk.rows("select called_at from rate_call")
    assert call["called_at"] >= freed_at


def test_a_machine_whose_clock_is_wrong_counts_by_the_same_time(desk):
    """Nothing of what is written down comes from this machine's clock."""
    desk.approved(desk.channel())
    time = datetime.now(UTC) + timedelta(days=3)
    report = publish_due(
        desk.publisher,
        open_client=lambda channel, credential: desk.platform,
        tuning=desk.tuning,
        stop=StopSignal(),
        clock=desk.clock_at(time),
    )
    [call] = desk.rows("select called_at from rate_call")
    assert report.sent == 1 and call["called_at"] == time


def test_a_thread_begins_once_the_limits_have_room_for_all_of_it(desk):
    channel = desk.channel()
    desk.approved(channel)
    assert desk.run().sent == 1
    call_counts(desk, _15=3)
    reply, later = thread(desk, channel), desk.approved(channel)
    assert desk.run().items == 0 and parts(desk, reply) == "queued,queued,queued"
    [one] = desk.outlook()
    assert one.reason == "thread_room" and one.due == 2
    assert desk.run(later=14 * MINUTE).items == 0
    report = desk.run(later=16 * MINUTE)
    assert (report.sent, report.parts) == (1, 2) and parts(desk, reply) == "sent,sent,sent"
    assert desk.publication(later)["state"] == "queued", "the thread took every call"


def test_a_thread_longer_than_a_limit_begins_once_the_window_is_free(desk):
    channel = desk.channel()
    desk.approved(channel)
    desk.run()
    call_counts(desk, _15=2)
    reply = thread(desk, channel)
    assert desk.run().items == 0
    desk.run(later=16 * MINUTE)
    assert parts(desk, reply) == "sent,sent,queued"
    desk.run(later=33 * MINUTE)
    assert parts(desk, reply) == "sent,sent,sent"


def test_a_reported_window_has_room_too(desk):
    channel, now = desk.channel(), datetime.now(UTC)
    with desk.publisher.transaction() as tx:
        lock_windows(tx, channel, now)
        tx.execute(
            "report_rate_window", account_key=channel.account_key, action="create", name="reported:endpoint",
            limit_count=10, used_count=8, length_s=900, reset_at=now + 5 * MINUTE,
        )  # fmt: skip
        assert [room_from(tx, channel, calls, now) for calls in (2, 3, 11)] == [now, *[now + 5 * MINUTE] * 2]
        assert room_from(tx, channel, 3, now + 6 * MINUTE) == now + 6 * MINUTE, "it is over"


def test_what_is_left_of_a_thread_waits_for_no_more_room_than_its_next_part_needs(desk):
    channel = desk.channel()
    reply = thread(desk, channel)
    desk.platform.script = [lambda: call_counts(desk, _15=2)]
    desk.run()
    assert parts(desk, reply) == "sent,sent,queued"
    desk.run(later=16 * MINUTE)
    assert parts(desk, reply) == "sent,sent,sent"


class Late(StopSignal):
    """A stop that was asked for so long ago."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def since_s(self) -> float:
        return self.seconds if self.is_set() else 0.0


@pytest.mark.parametrize(("seconds", "sent"), [(0, "sent,sent,sent"), (60, "sent,queued,queued")])
def test_a_stop_lets_a_thread_go_on_for_a_while_and_the_rest_goes_first_next_time(desk, seconds, sent):
    channel, stop = desk.channel(), Late(seconds)
    reply = thread(desk, channel)
    other = desk.approved(channel)
    desk.platform.script = [stop.set]
    desk.run(stop=stop)
    assert parts(desk, reply) == sent and desk.publication(other)["state"] == "queued"
    desk.run()
    assert parts(desk, reply) == "sent,sent,sent" and len(desk.platform.replies) == 4
    assert [text for _, text, _ in desk.platform.replies][:3] == list(TEXTS)


def test_nothing_is_claimed_while_a_thread_waits_for_room(desk):
    channel = desk.channel()
    desk.approved(channel)
    desk.run()
    call_counts(desk, _15=2)
    thread(desk, channel)
    clock = desk.clock_at(datetime.now(UTC))
    assert claim(desk.publisher, channel, clock=clock, worker=1, lease_s=60) == Idle("waiting")
    assert [row["state"] for row in desk.rows("select state from publication order by id")] == [
        "sent",
        "queued",
    ]


def fits(called, windows, calls, at):
    """Whether so many calls may follow one another then: each window has room, or counts nothing where it never has."""
    rooms = [
        (count, sum(at - timedelta(seconds=length) < one for one in called)) for count, length in windows
    ]
    return all(used + min(calls, count) <= count for count, used in rooms)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    ages=st.lists(st.integers(0, 120), max_size=12),
    windows=st.lists(st.tuples(st.integers(1, 6), st.integers(1, 100)), min_size=1, max_size=3),
    calls=st.integers(1, 8),
)
def test_room_is_found_at_the_first_time_at_which_a_model_finds_it(desk, ages, windows, calls):
    channel, now = Account(f"a{next(desk.numbers)}"), datetime(2026, 6, 1, 12, tzinfo=UTC)
    called = [now - timedelta(seconds=age) for age in ages]
    for number, (count, length) in enumerate(windows):
        desk.rows(
            "insert into rate_window (account_key, action, name, limit_count, length_s, reset_at)"
            " values (%s, 'create', %s, %s, %s, %s)",
            channel.account_key, f"w{number}", count, length, now,
        )  # fmt: skip
    with desk.publisher.transaction() as tx:
        for at in sorted(called):
            count_call(tx, channel, at)
        found = room_from(tx, channel, calls, now)
    moments = [now + timedelta(seconds=later) for later in range(121)]
    assert found == next(at for at in moments if fits(called, windows, calls, at))


@dataclass(frozen=True)
class Account:
    """What a count of calls needs of a channel."""

    account_key: str


def take(desk, channel, at):
    return claim(desk.publisher, channel, clock=desk.clock_at(at), worker=1, lease_s=60)


def test_a_thread_that_waited_for_room_goes_before_replies_of_other_channels(desk):
    """A channel that is asked first would take a call each time that there is room, and it would never begin."""
    one, two = (desk.channel(name, account="same") for name in ("one", "two"))
    desk.approved(one)
    assert desk.run().sent == 1
    call_counts(desk, _15=3)
    thread(desk, two)
    desk.approved(one)
    now = datetime.now(UTC)
    assert take(desk, two, now) == take(desk, one, now) == Idle("waiting")
    [shown] = [each for each in desk.outlook() if each.channel.id == two.id]
    assert take(desk, one, shown.allowed_from) == Idle("waiting"), "the room is the thread's"
    assert not isinstance(take(desk, two, shown.allowed_from), Idle)
    call_counts(desk, _15=9)
    assert not isinstance(take(desk, one, shown.allowed_from), Idle), "it waits no longer than that"


def test_a_thread_that_does_not_come_for_its_room_keeps_the_other_channels_waiting_no_longer(desk):
    one, two = (desk.channel(name, account="same") for name in ("one", "two"))
    desk.approved(one)
    desk.run()
    call_counts(desk, _15=3)
    thread(desk, two)
    desk.approved(one)
    desk.run()
    [shown] = [each for each in desk.outlook() if each.channel.id == two.id]
    desk.rows("update channel set is_enabled = false where id = %s", two.id)
    assert isinstance(take(desk, one, shown.allowed_from + timedelta(seconds=59)), Idle)
    assert not isinstance(take(desk, one, shown.allowed_from + MINUTE), Idle)


def test_of_two_channels_of_an_account_the_one_whose_reply_waited_longest_goes_first(desk):
    policy = replace(default_policy("sandbox/x/enterprise"), min_interval_s=60.0, jitter_share=0.0)
    one, two = (desk.channel(name, account="same", policy=policy) for name in ("one", "two"))
    replies = [desk.approved(each) for each in (one, two, one)]
    for passes in range(3):
        assert desk.run(later=passes * 2 * MINUTE).sent == 1
        assert [desk.publication(each)["state"] for each in replies].count("sent") == passes + 1
        assert desk.publication(replies[passes])["state"] == "sent"


@pytest.mark.parametrize("ahead", [timedelta(days=-1), timedelta(days=1)])
def test_absence_is_told_a_quarter_of_an_hour_after_the_attempt_whatever_the_machine_s_clock_shows(
    desk, ahead
):
    """A person who is asked too early may send again what the platform has not listed yet."""
    reply = desk.approved(desk.channel(is_sandbox=False, base_url=None))
    desk.platform.script = [OutcomeUnknown("503")]
    assert desk.run().unknown == 1
    desk.platform.advanced = ahead + timedelta(days=400)  # it stands 400 days back by itself
    assert desk.run(later=5 * MINUTE).absent == 0
    assert desk.run(later=16 * MINUTE).absent == 1
    assert desk.publication(reply)["reason_code"] == "read_back_absent"
