"""When an approved reply goes out: the small choice beside the button that approves, and beside one that waits."""

from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from rejoinder.errors import ConfigInvalid, DecisionInvalid
from rejoinder.listening.policy import ChannelPolicy
from rejoinder.posting.schedule import BEST_HOUR, EXAMPLES, NEXT_SLOT, NOW, Schedule, read_time, shown_time
from resources.store.review_values import ReviewCase
from review_app.escaped import html, note, show
from review_app.texts import utc_now

WAYS = {"now": "Now", "at": "At a time", "slot": "Next free slot", "best_hour": "Best hour"}


def choose_schedule(case: ReviewCase) -> None:
    """Draw the choice; nothing is drawn where a person posts the reply by hand."""
    if case.way != "handoff":
        with st.popover(_label(str(case.id)), key=f"when_{case.id}"):
            draw_choice(str(case.id), case.channel.policy)


def chosen_schedule(case: ReviewCase) -> Schedule:
    """What was chosen; now where nothing was.

    Raises:
        DecisionInvalid: the time cannot be read or is over.
        ConfigInvalid: no such zone.
    """
    return NOW if case.way == "handoff" else read_choice(str(case.id), case.channel.policy)


def draw_choice(name: str, policy: ChannelPolicy) -> None:
    """The ways, and for a time its box and zone with what that time means; kept until the tab is closed."""
    ways = [way for way in WAYS if way != "slot" or policy.slots]
    way = st.radio(
        "When does it go out?",
        ways,
        format_func=WAYS.__getitem__,
        key=_key(name, "way"),
        persist_state="session",
    )
    if way == "at":
        _draw_time(name, policy)
    if way == "best_hour":
        st.caption("The hour of the day that earned most; at once while too few replies are measured.")


def _draw_time(name: str, policy: ChannelPolicy) -> None:
    st.text_input(
        "Date and time",
        key=_key(name, "time"),
        placeholder="2026-12-01 09:00, or 09:00",
        persist_state="session",
    )
    st.selectbox(
        "Whose clock",
        _zones(policy.zone),
        index=0,
        key=_key(name, "zone"),
        persist_state="session",
    )
    if not _said(name, "time"):
        show(html('<div class="rj-meta">{}</div>', f"{EXAMPLES[:1].upper()}{EXAMPLES[1:]}."))
        return
    try:
        show(html('<div class="rj-meta">It goes out {}.</div>', in_full(read_choice(name, policy))))
    except (DecisionInvalid, ConfigInvalid) as error:
        note(f"{str(error)[:1].upper()}{str(error)[1:]}", tone="warn")


def read_choice(name: str, policy: ChannelPolicy) -> Schedule:
    """What was chosen under this name; now where nothing was.

    Raises:
        DecisionInvalid: the time cannot be read or is over.
        ConfigInvalid: no such zone.
    """
    way = _said(name, "way") or "now"
    if way == "at":
        zone = _said(name, "zone") or policy.zone
        return read_time(_said(name, "time"), zone=zone, now=utc_now())
    return {"slot": NEXT_SLOT, "best_hour": BEST_HOUR}.get(way, NOW)


def in_full(schedule: Schedule) -> str:
    """A schedule with its instant in UTC, and what a person should know of its time.

    >>> from datetime import UTC, datetime
    >>> in_full(Schedule("at", datetime(2026, 12, 1, 8, tzinfo=UTC), "Europe/Berlin"))
    'at 2026-12-01 09:00 Europe/Berlin (2026-12-01 08:00 UTC)'
    >>> in_full(Schedule("at", datetime(2026, 3, 29, 1, tzinfo=UTC), note="the clock skips that time"))
    'at 2026-03-29 01:00 UTC (the clock skips that time)'
    """
    instant = shown_time(schedule.at, None) if schedule.at and schedule.zone not in (None, "UTC") else ""
    notes = "; ".join(filter(None, (instant, schedule.note)))
    return f"{schedule} ({notes})" if notes else str(schedule)


@cache
def _zones(first: str) -> tuple[str, ...]:
    """Every zone with a place, the channel's own first."""
    named = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    return tuple(dict.fromkeys((first, "UTC", *named)))


def _label(name: str) -> str:
    way = _said(name, "way") or "now"
    said = f" {_said(name, 'time')}" if way == "at" else ""
    return f"{WAYS[way]}{said}"


def _key(name: str, part: str) -> str:
    return f"schedule_{part}_{name}"


def _said(name: str, part: str) -> str:
    return str(st.session_state.get(_key(name, part)) or "").strip()
