"""Limits of an account: shared by its channels, never passed by two publishers, corrected by what is reported."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.listening.policy import default_policy
from rejoinder.posting.pacing import RateWindow
from resources.platforms.failures import RateLimited
from resources.publishing.channel_time import ChannelTime
from resources.publishing.claim import Idle, claim
from resources.publishing.pacing import correct_windows, count_call, forget_calls, lock_windows, pace_of

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
CLOCK = ChannelTime(NOON, NOON - timedelta(days=400))
POLICY = default_policy("sandbox/x/enterprise")


def limit(desk, count: int) -> None:
    """Let every account have so many replies in 15 minutes from now on; its windows have to be open."""
    desk.rows("update rate_window set limit_count = %s where name = '15min'", count)


def open_windows(desk, channel) -> None:
    with desk.publisher.transaction() as tx:
        lock_windows(tx, channel, datetime.now(UTC))


def test_two_publishers_and_two_channels_stay_within_the_limit_of_their_account(desk):
    channels = [desk.channel(name, account="Shared") for name in ("one", "two")]
    assert {each.account_key for each in channels} == {"x:sandbox:shared"}
    open_windows(desk, channels[0])
    limit(desk, 7)
    for _ in range(8):
        [desk.approved(each) for each in channels]
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: desk.run(), range(2)))
    assert sum(report.sent for report in reports) == desk.platform.requests == 7
    sent = desk.rows("select channel_id, count(*)::int n from publication where state = 'sent' group by 1")
    assert all(abs(row["n"] - 3.5) <= 2.5 for row in sent) and len(sent) == 2
    assert all(one.reason == "rate_limited" for one in desk.outlook())


def test_what_waits_for_a_limit_is_left_as_it_is(desk):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(5)]
    open_windows(desk, channel)
    limit(desk, 1)
    assert desk.run().sent == 1
    before = desk.rows("select id, updated_at, due_at from publication order by id")
    report = desk.run()
    assert (report.items, report.deferred) == (0, 4)
    assert (
        desk.rows("select id, updated_at, due_at from publication order by id") == before
        and len(replies) == 5
    )


def test_the_pause_between_two_replies_is_drawn_anew_and_holds_for_the_account(desk):
    policy = replace(POLICY, min_interval_s=100.0, jitter_share=0.5)
    one, two = (desk.channel(name, policy=policy, account="same") for name in ("one", "two"))
    for each in (one, two, one, two):
        desk.approved(each)
    now, draws = datetime.now(UTC) + timedelta(seconds=1), iter([0.0, 1.0])
    worker = 1

    def take(channel, later_s):
        at = now + timedelta(seconds=later_s)
        named = {"worker": worker, "lease_s": 60, "draw": lambda: next(draws)}
        return claim(desk.publisher, channel, clock=desk.clock_at(at), **named)

    assert not isinstance(take(one, 0), Idle)
    assert take(two, 49) == Idle("waiting")
    assert not isinstance(take(two, 51), Idle), "drawn: 50 seconds"
    assert take(one, 51 + 149) == Idle("waiting")
    outlook = desk.outlook(later=timedelta(seconds=150))[0]
    assert (outlook.reason, outlook.allowed_from) == ("pacing", now + timedelta(seconds=51 + 150))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(0, 500), min_size=5, max_size=25), st.integers(1, 4), st.integers(0, 10**9))
def test_in_no_stretch_of_its_length_are_there_more_calls_than_a_window_allows(desk, gaps, most, number):
    channel = desk.channel(f"c{number}", account=f"a{next(desk.numbers)}")
    open_windows(desk, channel)
    limit(desk, most)
    moment, called = NOON, []
    for gap in gaps:
        moment += timedelta(seconds=gap)
        with desk.publisher.transaction() as tx:
            if pace_of(lock_windows(tx, channel, moment), moment).allowed_from <= moment:
                count_call(tx, channel, moment)
                called.append(moment)
            else:
                recent = [at for at in called if at > moment - timedelta(seconds=935)]
                assert len(recent) >= most, "it waits only where it has to"
    for at in called:
        assert sum(at <= other < at + timedelta(seconds=935) for other in called) <= most


def reported(desk, channel, used: int, reset_s: float, *, of: int = 10) -> int:
    """What is used of the endpoint's window after a report."""
    window = RateWindow(of, of - used, CLOCK.platform + timedelta(seconds=reset_s), "endpoint")
    with desk.publisher.transaction() as tx:
        correct_windows(tx, channel, (window,), CLOCK)
    (row,) = desk.rows("select used_count, reset_at from rate_window where name = 'reported:endpoint'")
    assert abs((row["reset_at"] - NOON).total_seconds() - reset_s) < 0.1
    return int(row["used_count"])


def test_a_report_gives_nothing_back_within_its_window_and_a_new_window_begins_anew(desk):
    channel = desk.channel()
    assert reported(desk, channel, 4, 600) == 4
    assert reported(desk, channel, 3, 601) == 4, "an answer that was overtaken"
    assert reported(desk, channel, 6, 600) == 6
    assert reported(desk, channel, 1, 1500) == 1
    with desk.publisher.transaction() as tx:
        count_call(tx, channel, NOON)
    assert reported(desk, channel, 0, 2500) == 0


def test_a_platform_that_names_a_year_far_ahead_keeps_an_account_for_a_day(desk):
    channel, never = desk.channel(), datetime(2286, 11, 20, tzinfo=UTC)
    desk.approved(channel)
    desk.platform.script = [RateLimited(never)]
    assert desk.run().requeued == 1
    with desk.publisher.transaction() as tx:
        correct_windows(tx, channel, (RateWindow(10, 0, never, "endpoint"),), CLOCK)
    assert desk.outlook()[0].reason == "rate_limited"
    assert desk.run(later=timedelta(hours=25)).sent == 1


def test_what_was_claimed_since_the_last_report_stays_counted(desk):
    channel = desk.channel()
    assert reported(desk, channel, 4, 600) == 4
    with desk.publisher.transaction() as tx:
        count_call(tx, channel, NOON)
    assert reported(desk, channel, 4, 600) == 5


def test_calls_are_forgotten_once_no_window_counts_them(desk):
    channel = desk.channel()
    for ahead_h in (0, 20, 25):
        with desk.publisher.transaction() as tx:
            count_call(tx, channel, NOON + timedelta(hours=ahead_h))
    with desk.publisher.transaction() as tx:
        forget_calls(tx, NOON + timedelta(hours=25))
    assert len(desk.rows("select 1 from rate_call")) == 2
