"""Deciding about a case: approve, reject, send back, save; afterwards the next case opens and undo is offered."""

import streamlit as st

from rejoinder.review.decisions import REASON_LABELS, REJECT_REASONS
from rejoinder.review.moves import Place
from resources.commands import publications
from resources.commands import review as commands
from resources.store.review_values import ReviewCase
from resources.store.reviews import load_case
from review_app.desk import database, me, reading, refusal
from review_app.escaped import html, show
from review_app.places import (
    Undo,
    choose,
    choose_next,
    close_panel,
    forget_text,
    forget_version,
    offer_undo,
    seen_version,
    text_key,
    toggle_panel,
    undo_on_offer,
)
from review_app.problems import has_problem, show_problem, telling
from review_app.screens.schedule_choice import choose_schedule, chosen_schedule, in_full

REFUSED = Place("post_queue", "failed")


def show_buttons(case: ReviewCase, text: str, obstacle: str | None) -> None:
    """The buttons; obstacle says why the text cannot be sent as it stands, None if it can."""
    with st.container(horizontal=True, key="buttons"):
        if _button("Approve", "approve", "A", refusal("approve") or obstacle, is_primary=True):
            _approve(case)
        choose_schedule(case)
        if case.place != REFUSED:
            _button("Reject", "reject", "X", refusal("reject"), opens="reject")
            _button("Send back", "send_back", "B", refusal("send_back"), opens="send_back")
            unchanged = None if case.draft and text != case.draft.text else "The text is the draft's own."
            if _button("Save edit", "edit_draft", "S", refusal("edit_draft") or obstacle or unchanged):
                _save(case)
    show_problem(_place(case))
    panel = st.session_state.get("panel")
    if panel == "reject":
        _reject_panel(case)
    elif panel == "send_back":
        _send_back_panel(case)


def _place(case: ReviewCase) -> str:
    return f"case_{case.id}"


def _button(
    label: str,
    key: str,
    shortcut: str,
    hindrance: str | None,
    *,
    is_primary: bool = False,
    opens: str | None = None,
) -> bool:
    """Whether it was pressed; one that opens a panel does so by itself."""
    return st.button(
        label,
        key=key,
        type="primary" if is_primary else "secondary",
        shortcut=shortcut,
        disabled=hindrance is not None,
        help=hindrance,
        on_click=toggle_panel if opens else None,
        args=(opens,) if opens else None,
    )


def _text(case: ReviewCase) -> str:
    return str(st.session_state[text_key(case.id)])


def _version(case: ReviewCase) -> int:
    return seen_version(case.id, case.version)


def _approve(case: ReviewCase) -> None:
    with telling(_place(case)):
        done = commands.approve(
            database(),
            me(),
            case.id,
            version=_version(case),
            text=_text(case),
            schedule=chosen_schedule(case),
        )
        is_queued = done.way == "api"
        said = (
            f"Approved. It will be sent by API: {in_full(done.schedule)}."
            if is_queued
            else "Approved. It waits for you under Hand-off."
        )
        _leave(case, Undo("approval", case.id, done.publication_id if is_queued else None, said))
    _after(case)


def _save(case: ReviewCase) -> None:
    with telling(_place(case)):
        commands.edit_draft(database(), me(), case.id, version=_version(case), text=_text(case))
        forget_version(case.id)
        forget_text(case.id)
        st.session_state["flash"] = "Saved as a new version of the draft."
    _after(case)


def _reject_panel(case: ReviewCase) -> None:
    with st.container(border=True, key="reject_panel"):
        reason = st.radio(
            "Why not answer?",
            REJECT_REASONS,
            index=None,
            format_func=REASON_LABELS.__getitem__,
            key=f"reason_{case.id}",
        )
        remark = st.text_input("Note", key=f"reject_note_{case.id}", placeholder="Needed for “Other”")
        if _confirmed("Reject the post", "confirm_reject", is_ready=reason is not None):
            with telling(_place(case)):
                commands.reject(
                    database(), me(), case.id, version=_version(case), reason=str(reason), note=remark or ""
                )
                _leave(case, Undo("rejection", case.id, None, "Rejected."))
            _after(case)


def _send_back_panel(case: ReviewCase) -> None:
    with st.container(border=True, key="send_back_panel"):
        remark = st.text_area(
            "What should the next draft do differently?", key=f"back_note_{case.id}", height=90
        )
        if _confirmed("Send back for another draft", "confirm_send_back"):
            with telling(_place(case)):
                commands.send_back(database(), me(), case.id, version=_version(case), note=remark or "")
                _leave(case, None)
                st.session_state["flash"] = "Sent back. Another draft will come."
            _after(case)


def _confirmed(label: str, key: str, *, is_ready: bool = True) -> bool:
    """Whether the panel's deed was confirmed; cancelling closes the panel."""
    with st.container(horizontal=True, gap="small"):
        pressed = st.button(label, key=key, type="primary", disabled=not is_ready)
        st.button("Cancel", key=f"{key}_cancel", shortcut="Esc", on_click=close_panel)
    return pressed


def _leave(case: ReviewCase, undo: Undo | None) -> None:
    offer_undo(undo)
    forget_version(case.id)
    choose_next(case.id)


def _after(case: ReviewCase) -> None:
    """The whole page again: with the next case, or with the message of what went wrong."""
    if not has_problem(_place(case)):
        close_panel()
    st.rerun()


def show_undo() -> None:
    """A toast with a button, for as long as the last decision can be taken back."""
    undo = undo_on_offer()
    if undo is None:
        return
    with st.container(key="undo", horizontal=True, vertical_alignment="center"):
        show(html('<div class="rj-undo">{}</div>', undo.text))
        if _is_legal(undo) and st.button("Undo", key="undo_decision", shortcut="U"):
            _take_back(undo)
        if st.button("Close", key="close_undo"):
            offer_undo(None)
            st.rerun()
    show_problem("undo")


def _is_legal(undo: Undo) -> bool:
    with reading() as tx:
        case = load_case(tx, undo.post_id)
    if undo.kind == "rejection":
        return case.place == Place("review", "rejected") and refusal("reopen") is None
    states = {publication.id: publication.state for publication in case.publications}
    is_queued = undo.publication_id is not None and states.get(undo.publication_id) == "queued"
    return is_queued and refusal("cancel") is None


def _take_back(undo: Undo) -> None:
    with telling("undo"):
        if undo.publication_id is not None:
            publications.take_back(database(), me(), undo.publication_id)
        else:
            with reading() as tx:
                version = load_case(tx, undo.post_id).version
            commands.reopen(database(), me(), undo.post_id, version=version)
        forget_version(undo.post_id)
        choose(undo.post_id)
        st.session_state["flash"] = "Taken back: the post waits for a decision again."
    offer_undo(None)
    st.rerun()
