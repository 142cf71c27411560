"""Hand-off: approved replies that a person posts, and where their result is recorded."""

import streamlit as st

from rejoinder.posting.handoff import Handoff
from resources.commands import publications as commands
from resources.store.reviews import load_case
from resources.store.screens import PublicationRow, list_publications
from review_app.desk import database, me, reading, refusal
from review_app.escaped import chip, html, join, link, show, show_text
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import PLATFORMS, author_of, when

SHOWN = 25
EXAMPLES = {
    "x": "https://x.com/NAME/status/123",
    "reddit": "https://www.reddit.com/r/NAME/comments/abc/title/def/",
}


def page() -> None:
    """Draw the page."""
    with reading() as tx:
        rows = list_publications(tx, state="handoff", limit=SHOWN)
        handoffs = {row.id: load_case(tx, row.post_id).handoff for row in rows}
    if not rows:
        show(
            html(
                '<div class="rj-empty"><b>Nothing waits to be posted by hand.</b>'
                "Approved replies that may not go out by API appear here.</div>"
            )
        )
    for row in rows:
        if handoff := handoffs[row.id]:
            with st.container(border=True, key=f"handoff_{row.id}"):
                _show(row, handoff)


def _show(row: PublicationRow, handoff: Handoff) -> None:
    post_side, reply_side = st.columns([42, 58], gap="medium")
    with post_side:
        _show_post(row)
    with reply_side:
        show(html('<div class="rj-head">The approved reply, word for word</div>'))
        st.code(handoff.text, language=None, wrap_lines=True)
        _show_steps(row, handoff)
        for place, text in enumerate(handoff.rest, 1):
            show(html('<div class="rj-meta">{}</div>', f"Then, in answer to your part {place}:"))
            st.code(text, language=None, wrap_lines=True)


def _show_post(row: PublicationRow) -> None:
    facts = [html("{}", PLATFORMS.get(row.platform, row.platform))]
    facts += [html("r/{}", row.community)] if row.community else []
    facts += [link("open the post", row.post_url)] if row.post_url else []
    mark = chip("sandbox", "rehearsal") if row.is_sandbox else html("")
    show(
        html(
            '<div class="rj-line"><span class="rj-who">{}</span>{}</div><div class="rj-meta">{}</div>',
            author_of(row.author),
            mark,
            join(facts, " · "),
        )
    )
    show_text(row.post_text, "rj-post")
    simulated = " (simulated)" if row.is_simulated else ""
    said = f"Approved by {row.reviewer}{simulated}, {when(row.created_at)}"
    show(html('<div class="rj-meta">{}</div>', said))


def _show_steps(row: PublicationRow, handoff: Handoff) -> None:
    platform = PLATFORMS.get(row.platform, row.platform)
    hindrance = refusal("record_handoff")
    opens = "with the text in it" if handoff.is_prefilled else "then paste the copied text"
    if handoff.url:
        st.link_button(f"Open {platform}, {opens}", handoff.url, key=f"compose_{row.id}")
    if row.is_sandbox:
        show(
            html(
                '<div class="rj-meta">A rehearsal: the real {} does not have this post. Any address in the form '
                "{} can be recorded.</div>",
                platform,
                EXAMPLES[row.platform],
            )
        )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        address = st.text_input(
            "Address of the reply that you posted",
            key=f"address_{row.id}",
            placeholder=EXAMPLES[row.platform],
            persist_state="session",
            width=380,
        )
        if _button("Record as posted", f"record_{row.id}", hindrance, is_primary=True):
            _record(row, address or "")
        with st.popover("Drop", key=f"drop_{row.id}", disabled=hindrance is not None, help=hindrance):
            _show_drop(row)
    show_problem(f"handoff_{row.id}")


def _button(label: str, key: str, hindrance: str | None, *, is_primary: bool = False) -> bool:
    return st.button(
        label,
        key=key,
        type="primary" if is_primary else "secondary",
        disabled=hindrance is not None,
        help=hindrance,
    )


def _record(row: PublicationRow, address: str) -> None:
    with telling(f"handoff_{row.id}"):
        commands.record_handoff(database(), me(), row.id, address)
        st.session_state["flash"] = "Recorded: the reply counts as sent."
    if not has_problem(f"handoff_{row.id}"):
        st.rerun()


def _show_drop(row: PublicationRow) -> None:
    remark = st.text_input("Why will nobody post it?", key=f"drop_note_{row.id}")
    if st.button("Drop this reply", key=f"confirm_drop_{row.id}", type="primary"):
        with telling(f"handoff_{row.id}"):
            commands.abandon_handoff(database(), me(), row.id, remark or "")
            st.session_state["flash"] = "Dropped: nobody will post it."
        st.rerun()
