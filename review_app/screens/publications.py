"""Publications: what became of approved replies; outcomes that nobody saw are settled here."""

from typing import get_args

import streamlit as st

from rejoinder.posting.states import PublicationState
from resources.commands import publications as commands
from resources.store.screens import PublicationRow, list_publications
from review_app.desk import database, me, reading, refusal
from review_app.escaped import chip, html, join, link, note, show, show_text
from review_app.places import go_to_case
from review_app.problems import has_problem, show_problem, telling
from review_app.screens.answers import read_answers, show_answers
from review_app.screens.waiting import show_waiting, show_waiting_elsewhere
from review_app.texts import PLATFORMS, STATES, TONES, author_of, when

PAGE_SIZE = 25


def page() -> None:
    """Draw the page."""
    with reading() as tx:
        counts: dict[str, int] = {row["state"]: row["n"] for row in tx.rows("count_publications")}
    state = _state_filter(counts)
    limit = st.session_state.get("publication_limit", PAGE_SIZE)
    with reading() as tx:
        rows = list_publications(tx, state=state, limit=limit + 1)
    show_waiting_elsewhere(rows[:limit])
    answers = read_answers(row.id for row in rows[:limit])
    if not rows:
        show(html('<div class="rj-empty"><b>Nothing here.</b>Approved replies appear here.</div>'))
    for row in rows[:limit]:
        with st.container(border=True, key=f"publication_{row.id}"):
            _show(row)
            show_answers(answers.get(row.id, []))
    if len(rows) > limit and st.button("Show more", key="more_publications"):
        st.session_state["publication_limit"] = limit + PAGE_SIZE
        st.rerun()


def _state_filter(counts: dict[str, int]) -> PublicationState | None:
    chosen: PublicationState | None = st.pills(
        "State",
        [state for state in get_args(PublicationState) if counts.get(state)],
        format_func=lambda state: f"{STATES[state]} ({counts.get(state, 0)})",
        key="state_filter",
        label_visibility="collapsed",
        persist_state="session",
    )
    return chosen


def _show(row: PublicationRow) -> None:
    text_side, facts_side = st.columns([62, 38], gap="medium")
    with text_side:
        for text in row.texts:
            show_text(text)
        show(
            html('<div class="rj-meta">In answer to {}: {}</div>', author_of(row.author), row.post_text[:200])
        )
    with facts_side:
        _show_facts(row)
        if st.button("Open the case", key=f"case_{row.id}", type="tertiary"):
            go_to_case(row.post_id)
    show_waiting(row)
    if row.state == "unknown":
        _show_settling(row)
    if row.state == "refused" and row.parts_sent:
        _show_finishing(row)


def _show_facts(row: PublicationRow) -> None:
    chips = [
        chip(STATES[row.state], TONES.get(row.state, "")),
        chip(PLATFORMS.get(row.platform, row.platform)),
    ]
    if row.is_sandbox:
        chips.append(chip("sandbox", "rehearsal"))
    if row.is_simulated:
        chips.append(chip("simulated reviewer", "rehearsal"))
    lines = [html("Approved by {}, {}", row.reviewer, when(row.created_at))]
    if row.sent_at:
        lines.append(html("Sent {}", when(row.sent_at)))
    elif row.state == "queued":
        lines.append(html("Due {}, {} tries so far", when(row.due_at), row.attempts))
    if row.platform_url or row.platform_id:
        lines.append(link(f"Reply {row.platform_id or ''}".strip(), row.platform_url))
    if row.state != "sent" and (row.detail or row.reason_code):
        lines.append(html("<b>{}</b>", row.detail or row.reason_code))
    show(html('<div>{}</div><div class="rj-meta">{}</div>', join(chips, ""), join(lines, "<br>")))


def _show_settling(row: PublicationRow) -> None:
    """What a person can say about a reply whose outcome nobody saw."""
    about = "this" if len(row.texts) == 1 else f"part {row.in_hand + 1} of {len(row.texts)}"
    note(
        "Look at the account on the platform: is it there? What is left of a thread follows once you have said so.",
        f"Nobody saw whether {about} was posted",
        "warn",
    )
    hindrance = refusal("settle_unknown")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        address = st.text_input(
            "Address of the reply", key=f"settle_address_{row.id}", width=360, persist_state="session"
        )
        if st.button("It is there", key=f"found_{row.id}", disabled=bool(hindrance), help=hindrance):
            _settle(row, "sent", address or "")
        with st.popover("It is not there", key=f"absent_{row.id}", disabled=bool(hindrance), help=hindrance):
            _show_absent(row)
    show_problem(f"publication_{row.id}")


def _show_finishing(row: PublicationRow) -> None:
    """A thread of which parts stand can be finished on the platform's own page."""
    hindrance = refusal("record_handoff")
    if st.button("Finish it by hand", key=f"finish_{row.id}", disabled=bool(hindrance), help=hindrance):
        with telling(f"publication_{row.id}"):
            commands.finish_by_hand(database(), me(), row.id)
            st.session_state["flash"] = "What is left waits for you under Hand-off."
        if not has_problem(f"publication_{row.id}"):
            st.rerun()
    show_problem(f"publication_{row.id}")


def _show_absent(row: PublicationRow) -> None:
    is_sure = st.checkbox("I looked at the account: the reply is not there.", key=f"sure_{row.id}")
    if st.button("Send it again", key=f"resend_{row.id}", type="primary", disabled=not is_sure):
        _settle(row, "queued", confirm=is_sure)
    if st.button("Give it up", key=f"give_up_{row.id}"):
        _settle(row, "abandoned")


def _settle(
    row: PublicationRow, outcome: commands.Outcome, address: str | None = None, *, confirm: bool = False
) -> None:
    place = f"publication_{row.id}"
    with telling(place):
        commands.settle_unknown(database(), me(), row.id, outcome, address, confirm=confirm)
        st.session_state["flash"] = "Settled."
    if not has_problem(place):
        st.rerun()
