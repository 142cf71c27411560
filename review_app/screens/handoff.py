"""Hand-off: approved replies that a person posts, and where their result is recorded."""

import streamlit as st

from rejoinder.errors import DecisionInvalid, InputUnreadable
from rejoinder.listening.post import Post
from rejoinder.posting.handoff import Handoff, compose
from rejoinder.posting.reply_ids import parse_reply_id
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
        rows = list_publications(tx, state="handoff", limit=SHOWN + 1)
        cases = {row.id: load_case(tx, row.post_id) for row in rows[:SHOWN]}
    if not rows:
        show(
            html(
                '<div class="rj-empty"><b>Nothing waits to be posted by hand.</b>'
                "Approved replies that may not go out by API appear here.</div>"
            )
        )
    for row in rows[:SHOWN]:
        if handoff := cases[row.id].handoff:
            with st.container(border=True, key=f"handoff_{row.id}"):
                _show(row, handoff, cases[row.id].post)
    if len(rows) > SHOWN:
        show(html('<div class="rj-meta">{}</div>', "More wait; they appear as these are done."))


def _show(row: PublicationRow, handoff: Handoff, post: Post) -> None:
    post_side, reply_side = st.columns([42, 58], gap="medium")
    with post_side:
        _show_post(row)
    with reply_side:
        addresses = _show_parts(row, handoff, post)
        _show_deeds(row, addresses)
        show_problem(f"handoff_{row.id}")


def _show_parts(row: PublicationRow, handoff: Handoff, post: Post) -> list[str]:
    """Each part that is left, where to post it, and a box for its address; what stands in the boxes."""
    addresses: list[str] = []
    for place, text in enumerate((handoff.text, *handoff.rest)):
        opened = _under(handoff, post, text, addresses[-1]) if addresses else handoff
        show(html('<div class="rj-head">{}</div>', _heading(row, place)))
        st.code(text, language=None, wrap_lines=True)
        _show_way(row, opened, place)
        addresses.append(_address(row, place, is_only=not handoff.rest))
    return addresses


def _heading(row: PublicationRow, place: int) -> str:
    if len(row.texts) == 1:
        return "The approved reply, word for word"
    number = row.in_hand + place + 1
    under = "" if number == 1 else f", in answer to your part {number - 1}"
    return f"Part {number} of {len(row.texts)}{under}"


def _under(handoff: Handoff, post: Post, text: str, before: str) -> Handoff | None:
    """The page for a part under the one before it; None until that one's address is known."""
    if not handoff.is_prefilled:
        return None
    try:
        return compose(post, text, answers=parse_reply_id(post.platform, before).platform_id)
    except (DecisionInvalid, InputUnreadable):
        return None


def _show_way(row: PublicationRow, opened: Handoff | None, place: int) -> None:
    platform = PLATFORMS.get(row.platform, row.platform)
    if opened and opened.url:
        opens = "with the text in it" if opened.is_prefilled else "then paste the copied text"
        st.link_button(f"Open {platform}, {opens}", opened.url, key=f"compose_{row.id}_{place}")
    elif place:
        before = row.in_hand + place
        said = f"Paste the address of part {before} above: then a button opens {platform} under it."
        show(html('<div class="rj-meta">{}</div>', said))


def _address(row: PublicationRow, place: int, *, is_only: bool) -> str:
    """The box for the address of one part; only that of the first has to be filled."""
    label = "Address of the reply that you posted"
    if not is_only:
        label = f"Address of your part {row.in_hand + place + 1}{' (may be left empty)' if place else ''}"
    given = st.text_input(
        label,
        key=f"address_{row.id}_{place}" if place else f"address_{row.id}",
        placeholder=EXAMPLES.get(row.platform, ""),
        persist_state="session",
    )
    return given or ""


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


def _show_deeds(row: PublicationRow, addresses: list[str]) -> None:
    platform, example = PLATFORMS.get(row.platform, row.platform), EXAMPLES.get(row.platform)
    hindrance = refusal("record_handoff")
    if row.is_sandbox and example:
        said = f"A rehearsal: the real {platform} does not have this post. Any address like {example} can be recorded."
        show(html('<div class="rj-meta">{}</div>', said))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        if _button("Record as posted", f"record_{row.id}", hindrance, is_primary=True):
            _record(row, addresses)
        with st.popover("Drop", key=f"drop_{row.id}", disabled=hindrance is not None, help=hindrance):
            _show_drop(row)


def _button(label: str, key: str, hindrance: str | None, *, is_primary: bool = False) -> bool:
    return st.button(
        label,
        key=key,
        type="primary" if is_primary else "secondary",
        disabled=hindrance is not None,
        help=hindrance,
    )


def _record(row: PublicationRow, addresses: list[str]) -> None:
    with telling(f"handoff_{row.id}"):
        commands.record_handoff(database(), me(), row.id, *addresses)
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
