"""Of the page Publications: an approved reply that waits can go out at another time, or be taken back.

What a button does is done before the page is drawn anew: a publisher may have taken the reply meanwhile, then there is
no button any more, and whoever pressed it has to be told.
"""

from collections.abc import Sequence

import streamlit as st

from rejoinder.posting.schedule import Schedule
from resources.commands.publications import take_back
from resources.commands.schedules import move_schedule
from resources.store.channels import Channel, load_channel
from resources.store.screens import PublicationRow
from review_app.desk import database, me, reading, refusal
from review_app.escaped import html, show
from review_app.problems import show_problem, telling
from review_app.screens.schedule_choice import draw_choice, in_full, read_choice

TRIED = "waiting_tried"  # the reply that somebody last wanted to change


def show_waiting(row: PublicationRow) -> None:
    """When it goes out, the two things that a person may still do about it, and why the last one was not done."""
    if row.state == "queued":
        _show_choices(row)
    show_problem(_place(row.id))


def show_waiting_elsewhere(rows: Sequence[PublicationRow]) -> None:
    """Why nothing was changed about a reply that is not among these rows any more."""
    tried = st.session_state.get(TRIED)
    if tried is not None and tried not in {row.id for row in rows}:
        show_problem(_place(tried))


def _show_choices(row: PublicationRow) -> None:
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
        st.button(
            "Take back",
            key=f"take_back_{row.id}",
            disabled=bool(hindrance),
            help=hindrance,
            on_click=_take_back,
            args=(row,),
        )


def _place(publication_id: int) -> str:
    return f"waiting_{publication_id}"


def _offer_another_time(row: PublicationRow, channel: Channel) -> None:
    hindrance = refusal("reschedule")
    with st.popover("Another time", key=f"move_{row.id}", disabled=bool(hindrance), help=hindrance):
        draw_choice(f"publication_{row.id}", channel.policy)
        st.button(
            "Change it", key=f"confirm_move_{row.id}", type="primary", on_click=_move, args=(row, channel)
        )


def _move(row: PublicationRow, channel: Channel) -> None:
    st.session_state[TRIED] = row.id
    with telling(_place(row.id)):
        schedule = read_choice(f"publication_{row.id}", channel.policy)
        moved = move_schedule(database(), me(), row.id, schedule)
        st.session_state["flash"] = f"It goes out {in_full(moved)}."


def _take_back(row: PublicationRow) -> None:
    st.session_state[TRIED] = row.id
    with telling(_place(row.id)):
        take_back(database(), me(), row.id)
        left = "What is left of the thread will not be sent." if row.parts_sent else ""
        st.session_state["flash"] = f"Taken back. {left or 'The post waits for review again.'}"
