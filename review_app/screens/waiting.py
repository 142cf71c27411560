"""Of the page Publications: an approved reply that waits can go out at another time, or be taken back."""

import streamlit as st

from rejoinder.posting.schedule import Schedule
from resources.commands.publications import take_back
from resources.commands.schedules import move_schedule
from resources.store.channels import Channel, load_channel
from resources.store.screens import PublicationRow
from review_app.desk import database, me, reading, refusal
from review_app.escaped import html, show
from review_app.problems import has_problem, show_problem, telling
from review_app.screens.schedule_choice import draw_choice, in_full, read_choice


def show_waiting(row: PublicationRow) -> None:
    """When it goes out, and the two things that a person may still do about it."""
    with reading() as tx:
        planned = tx.row("publication_schedule", id=row.id)
        if planned is None:
            return
        channel = load_channel(tx, planned["channel_id"])
    schedule = Schedule(planned["schedule"], planned["scheduled_for"], planned["schedule_zone"])
    if schedule.kind != "now":
        show(html('<div class="rj-meta">It is planned {}.</div>', in_full(schedule)))
    with st.container(horizontal=True, gap="small"):
        _offer_another_time(row, channel)
        hindrance = refusal("cancel")
        if st.button("Take back", key=f"take_back_{row.id}", disabled=bool(hindrance), help=hindrance):
            _take_back(row)
    show_problem(_place(row))


def _place(row: PublicationRow) -> str:
    return f"waiting_{row.id}"


def _offer_another_time(row: PublicationRow, channel: Channel) -> None:
    hindrance = refusal("reschedule")
    with st.popover("Another time", key=f"move_{row.id}", disabled=bool(hindrance), help=hindrance):
        name = f"publication_{row.id}"
        draw_choice(name, channel.policy)
        if st.button("Change it", key=f"confirm_move_{row.id}", type="primary"):
            with telling(_place(row)):
                moved = move_schedule(database(), me(), row.id, read_choice(name, channel.policy))
                st.session_state["flash"] = f"It goes out {in_full(moved)}."
            _again(row)


def _take_back(row: PublicationRow) -> None:
    with telling(_place(row)):
        take_back(database(), me(), row.id)
        left = "What is left of the thread will not be sent." if row.parts_sent else ""
        st.session_state["flash"] = f"Taken back. {left or 'The post waits for review again.'}"
    _again(row)


def _again(row: PublicationRow) -> None:
    if not has_problem(_place(row)):
        st.rerun()
