"""Of the page Channels: the kill switch, what binds a channel's account now, and what is planned."""

from collections.abc import Callable, Sequence
from datetime import datetime

import streamlit as st

from rejoinder.posting.schedule import shown_time
from rejoinder.review.roles import Action
from resources.commands import pauses
from resources.publishing.outlook import Outlook, Window, said
from resources.publishing.switch import Pause
from resources.store.schedules import Planned
from review_app.desk import database, me, refusal
from review_app.escaped import Markup, chip, html, join, show
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import when

EVERYTHING = "everything"
PLANNED_SHOWN = 5
UNSAID = "no reason given"


def show_switch(pause: Pause | None) -> None:
    """The switch of everything: who pulled it, when and why, in red; or the button that pulls it."""
    _switch(EVERYTHING, pause, None)


def show_pace(one: Outlook, own: Pause | None, planned: Sequence[Planned], now: datetime) -> None:
    """How one channel stands: when it may send next and why then, its windows, what is planned, its own switch."""
    name = one.channel.name
    lines = [_next(one), _windows(one.windows, now), *(_planned(each) for each in planned[:PLANNED_SHOWN])]
    show(html('<div class="rj-meta">{}</div>', join([line for line in lines if line], "<br>")))
    _switch(name, own, name)


def _next(one: Outlook) -> Markup:
    may_send, because = said(one)
    tone = "bad" if one.pause else "warn" if one.reason else "good"
    counts = f"{one.due} due, {one.queued} planned in all, {one.in_hand} in hand"
    return html("{} {} · {}", chip(f"may send: {may_send}", tone), because, counts)


def _windows(windows: Sequence[Window], now: datetime) -> Markup | None:
    used = [window for window in windows if window.used and window.reset_at > now]
    pieces = [
        html(
            "{}{}: {} of {}, free again {}",
            "! " if w.is_binding else "",
            w.name,
            w.used,
            w.limit,
            when(w.reset_at),
        )
        for w in used
    ]
    return join(pieces, " · ") if pieces else None


def _planned(one: Planned) -> Markup:
    at = one.schedule.at
    moment = shown_time(at, one.schedule.zone) if at else "as soon as it may"
    return html("Reply {} goes out {}, approved by {}", one.id, moment, one.approved_by)


def _switch(key: str, pause: Pause | None, channel: str | None) -> None:
    place = f"switch_{key}"
    if pause:
        by = pause.paused_by or "the owner of the machine"
        show(html("{} <b>by {}, {}</b>: {}", chip("paused", "bad"), by, when(pause.paused_at), pause.reason))
        _resume_button(place, key, channel)
    else:
        _pause_button(place, key, channel)
    show_problem(place)


def _pause_button(place: str, key: str, channel: str | None) -> None:
    hindrance = refusal("pause")
    label = "Pause everything" if channel is None else "Pause this channel"
    with st.popover(label, key=f"pause_{key}", disabled=bool(hindrance), help=hindrance):
        reason = st.text_input("Why?", key=f"pause_reason_{key}", max_chars=pauses.LONGEST_REASON)
        # Never disabled: who is in a hurry presses it with the reason still being written.
        if st.button("Stop now", key=f"stop_{key}", type="primary"):
            why = (reason or "").strip() or UNSAID
            _turn(place, lambda: pauses.pause(database(), me(), channel, reason=why))


def _resume_button(place: str, key: str, channel: str | None) -> None:
    hindrance = refusal(_RESUME)
    if st.button("Resume", key=f"resume_{key}", disabled=bool(hindrance), help=hindrance):
        _turn(place, lambda: pauses.resume(database(), me(), channel))


_RESUME: Action = "resume"


def _turn(place: str, deed: Callable[[], pauses.Paused]) -> None:
    with telling(place):
        done = deed()
        in_hand = f" What is in hand ({done.in_hand}) will still come to an outcome." if done.in_hand else ""
        st.session_state["flash"] = ("Paused." if done.in_force else "Resumed.") + in_hand
    if not has_problem(place):
        st.rerun()
