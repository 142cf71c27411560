"""When an approved reply goes out: the small choice beside the button that approves."""

import streamlit as st

from rejoinder.posting.schedule import BEST_HOUR, EXAMPLES, NEXT_SLOT, NOW, Schedule, read_time
from resources.store.review_values import ReviewCase
from review_app.texts import utc_now

WAYS = {"now": "Now", "at": "At a time", "slot": "Next free slot", "best_hour": "Best hour"}


def choose_schedule(case: ReviewCase) -> None:
    """Draw the choice; nothing is drawn where a person posts the reply by hand."""
    if case.way == "handoff":
        return
    policy = case.channel.policy
    ways = [way for way in WAYS if way != "slot" or policy.slots]
    with st.popover(_label(case), key=f"when_{case.id}"):
        way = st.radio("When does it go out?", ways, format_func=WAYS.__getitem__, key=_key(case, "way"))
        if way == "at":
            st.text_input("Time", key=_key(case, "time"), placeholder="2026-12-01 09:00", help=EXAMPLES)
            st.text_input("Whose clock", key=_key(case, "zone"), placeholder=policy.zone)
        if way == "best_hour":
            st.caption("The hour of the day that earned most; at once while too few replies are measured.")


def chosen_schedule(case: ReviewCase) -> Schedule:
    """What was chosen; now where nothing was.

    Raises:
        DecisionInvalid: the time cannot be read or is over.
        ConfigInvalid: no such zone.
    """
    way = _said(case, "way") or "now"
    if case.way == "handoff" or way == "now":
        return NOW
    if way == "at":
        zone = _said(case, "zone") or case.channel.policy.zone
        return read_time(_said(case, "time"), zone=zone, now=utc_now())
    return NEXT_SLOT if way == "slot" else BEST_HOUR


def _label(case: ReviewCase) -> str:
    way = _said(case, "way") or "now"
    said = f" {_said(case, 'time')}" if way == "at" else ""
    return f"{WAYS[way]}{said}"


def _key(case: ReviewCase, name: str) -> str:
    return f"schedule_{name}_{case.id}"


def _said(case: ReviewCase, name: str) -> str:
    return str(st.session_state.get(_key(case, name)) or "").strip()
