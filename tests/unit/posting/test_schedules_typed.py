"""Times as people type them, in zones that change their clocks; calendars of slots; the best hour."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid, DecisionInvalid
from rejoinder.listening.calendar import WeeklySlot, read_slots, slots_after, write_slots
from rejoinder.listening.local_time import meaning_of
from rejoinder.listening.policy import default_policy
from rejoinder.listening.policy_changes import change, shown
from rejoinder.posting.best_hour import MeasuredReply, OwnHours
from rejoinder.posting.pacing import jittered_s
from rejoinder.posting.schedule import NOW, Schedule, is_missed, read_time

ZONES = st.sampled_from(
    ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia"]
)
MOMENTS = st.integers(0, 852_000_000).map(
    lambda s: datetime.fromisoformat("2010-01-01") + timedelta(seconds=s)
)
INSTANTS = MOMENTS.map(lambda at: at.replace(tzinfo=UTC))


@given(MOMENTS, ZONES)
def test_a_time_means_the_instant_at_which_the_clock_shows_it_or_the_first_after_it(local, zone) -> None:
    meaning, place = meaning_of(local, zone), ZoneInfo(zone)
    shown_then = meaning.at.astimezone(place).replace(tzinfo=None)
    if meaning.clock == "skipped":
        assert shown_then > local
        just_before = (meaning.at - timedelta(seconds=1)).astimezone(place).replace(tzinfo=None)
        assert just_before < local, "nothing earlier comes after the gap"
    else:
        assert shown_then == local
    if meaning.clock == "twice":
        second = meaning_of(local, zone, fold=1).at
        assert second > meaning.at and second.astimezone(place).replace(tzinfo=None) == local


@pytest.mark.parametrize(
    ("typed", "zone", "at", "note"),
    [
        ("2026-03-29 02:30", "Europe/Berlin", "2026-03-29T01:00", "the clock skips"),
        ("2026-10-25 02:30", "Europe/Berlin", "2026-10-25T00:30", "twice"),
        ("2026-10-25 02:30+01:00", "Europe/Berlin", "2026-10-25T01:30", ""),
        ("2026-03-08 02:15", "America/New_York", "2026-03-08T07:00", "the clock skips"),
        ("2026-11-01T01:30", "America/New_York", "2026-11-01T05:30", "twice"),
        # Lord Howe changes its clock by half an hour.
        ("2026-10-04 02:15", "Australia/Lord_Howe", "2026-10-03T15:30", "the clock skips"),
        ("2026-04-05 01:45", "Australia/Lord_Howe", "2026-04-04T14:45", "twice"),
        ("2026-07-01 09:00", "Asia/Kolkata", "2026-07-01T03:30", ""),
    ],
)
def test_days_on_which_a_clock_is_changed(typed, zone, at, note) -> None:
    read = read_time(typed, zone=zone, now=datetime(2026, 1, 1, tzinfo=UTC))
    assert read.at == datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert (read.kind, read.zone) == ("at", zone)
    assert (note in read.note) if note else not read.note


def test_the_second_of_two_can_be_asked_for() -> None:
    now = datetime(2026, 10, 1, tzinfo=UTC)
    read = read_time("2026-10-25 02:30", zone="Europe/Berlin", now=now, fold=1)
    assert read.at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC) and "second, +01:00" in read.note


@given(INSTANTS, ZONES, st.times())
def test_a_time_of_day_is_the_next_one(now, zone, at) -> None:
    read = read_time(f"{at:%H:%M}", zone=zone, now=now)
    assert read.at is not None and now < read.at <= now + timedelta(days=2, hours=1)


@pytest.mark.parametrize(
    "typed",
    ["", "tomorrow", "25:00", "9", "2026-12-01", "2026-02-30 09:00", "2025-01-01 09:00", "2062-01-01 09:00"],
)
def test_what_is_no_time_ahead_is_refused_in_words(typed) -> None:
    with pytest.raises(DecisionInvalid):
        read_time(typed, zone="UTC", now=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_zone_that_nobody_knows_names_one() -> None:
    with pytest.raises(ConfigInvalid, match="such as Europe/Berlin"):
        read_time("09:00", zone="Berlin", now=datetime(2026, 1, 1, tzinfo=UTC))


def test_a_schedule_has_a_time_where_it_needs_one() -> None:
    with pytest.raises(ValueError, match="schedule"):
        Schedule("at")
    with pytest.raises(ValueError, match="schedule"):
        Schedule("now", datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(ValueError, match="UTC"):
        Schedule("at", datetime(2026, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")))
    assert str(NOW) == "now"


def test_a_time_is_missed_once_its_grace_is_over() -> None:
    nine = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert not is_missed(nine, nine + timedelta(hours=1), 3600)
    assert is_missed(nine, nine + timedelta(hours=1, seconds=1), 3600)


SLOTS = st.sets(
    st.builds(WeeklySlot, st.integers(0, 6), st.times().map(lambda at: at.replace(second=0, microsecond=0))),
    max_size=6,
)


@given(SLOTS, ZONES, INSTANTS)
def test_slots_come_one_after_the_other_each_at_its_time_of_the_week(slots, zone, now) -> None:
    found = list(slots_after(tuple(slots), zone, now, n_days=15))
    assert found == sorted(set(found)) and all(at > now for at in found)
    place = ZoneInfo(zone)
    for at in found:
        local = at.astimezone(place)
        is_slot = WeeklySlot(local.weekday(), local.time().replace(second=0, microsecond=0)) in slots
        was_changed = local.utcoffset() != (at - timedelta(hours=2)).astimezone(place).utcoffset()
        assert is_slot or was_changed
    assert len(found) >= len({slot.day for slot in slots})


@given(SLOTS)
def test_a_calendar_is_read_as_it_is_written(slots) -> None:
    ordered = tuple(sorted(slots))
    if ordered:
        assert read_slots(write_slots(ordered)) == ordered


@pytest.mark.parametrize(
    "text", ["", "mon", "09:00", "mon-fri", "xyz 09:00", "mon 25:00", "mon-fry 09:00", "mon 09:00,"]
)
def test_what_is_no_calendar_is_refused_with_an_example(text) -> None:
    with pytest.raises(ConfigInvalid, match="mon-fri 09:00"):
        read_slots(text)


def test_a_policy_takes_slots_zone_and_pace_as_people_write_them() -> None:
    given_ = {
        "slots": "fri-sun 09:00",
        "zone": "Europe/Berlin",
        "min_interval_s": "90",
        "missed_schedule": "send",
    }
    policy = change(default_policy("x/self_serve"), given_)
    assert policy.slots == tuple(WeeklySlot(day, time(9)) for day in (4, 5, 6))
    assert shown("slots", policy.slots) == "fri-sun 09:00" and shown("slots", ()) == "none"
    for key, text in [
        ("zone", "Mars"),
        ("jitter_share", "2"),
        ("missed_schedule", "drop"),
        ("min_interval_s", "-1"),
    ]:
        with pytest.raises(ConfigInvalid):
            change(policy, {key: text})


@given(st.floats(0, 86_400), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_stays_within_its_share(interval_s, share, draw) -> None:
    assert (
        interval_s * (1 - share) - 1e-6
        <= jittered_s(interval_s, share, draw)
        <= interval_s * (1 + share) + 1e-6
    )


def replies(hour: int, count: int, reactions: int) -> list[MeasuredReply]:
    return [
        MeasuredReply(datetime(2026, 6, 1 + day % 28, hour, 30, tzinfo=UTC), reactions)
        for day in range(count)
    ]


def test_the_best_hour_is_the_one_whose_replies_earned_most() -> None:
    now = datetime(2026, 7, 1, 12, 20, tzinfo=UTC)
    measured = [*replies(8, 20, 2), *replies(17, 10, 9), *replies(3, 2, 500)]
    choice = OwnHours().choose(measured, "Europe/Berlin", now)
    assert choice.at == datetime(2026, 7, 1, 17, tzinfo=UTC) and "between 19:00 and 19:59" in choice.why
    assert OwnHours().choose(measured, "UTC", now.replace(hour=17)).at == now.replace(hour=17)


def test_while_too_little_is_known_the_best_hour_is_at_once() -> None:
    now = datetime(2026, 7, 1, 12, tzinfo=UTC)
    few = OwnHours().choose(replies(8, 29, 5), "UTC", now)
    assert (few.at, "29 of 30" in few.why) == (now, True)
    thin = [MeasuredReply(datetime(2026, 6, 1, hour, tzinfo=UTC), 1) for hour in range(24)] * 1
    assert "no hour has 3" in OwnHours().choose([*thin, *thin[:8]], "UTC", now).why


@given(INSTANTS, ZONES, st.integers(0, 23))
def test_the_best_hour_is_at_most_a_day_or_so_ahead(now, zone, hour) -> None:
    measured = [MeasuredReply(datetime(2026, 6, 1, hour, 30, tzinfo=ZoneInfo(zone)), 3)] * 30
    at = OwnHours().choose(measured, zone, now).at
    assert now <= at <= now + timedelta(hours=49) and at.astimezone(ZoneInfo(zone)).hour == hour
