"""Where the person is: which post is open, what was seen of it, and the way from one page to another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import streamlit as st

from rejoinder.ids import PostId, PublicationId

if TYPE_CHECKING:
    from resources.asking import Reply

Page = Callable[[], None]


class Undo(NamedTuple):
    """A decision that can be taken back for as long as the moves allow it."""

    kind: Literal["approval", "rejection"]
    post_id: PostId
    publication_id: PublicationId | None
    text: str


@dataclass(frozen=True, slots=True)
class Kept:
    """The draft that a person's own text began with."""

    draft_id: int
    text: str


def remember_pages(pages: dict[str, Any]) -> None:
    """Let pages find each other."""
    st.session_state["pages"] = pages


def open_post() -> PostId | None:
    """The post whose case is open."""
    post_id: PostId | None = st.session_state.get("open_post")
    return post_id


def choose(post_id: PostId | None) -> None:
    """Open another case; None opens the first of the queue."""
    st.session_state["open_post"] = post_id
    close_panel()


def toggle_panel(name: str) -> None:
    """Open a panel under the buttons of a case, or close it."""
    st.session_state["panel"] = None if st.session_state.get("panel") == name else name


def close_panel() -> None:
    """Close whichever panel is open."""
    st.session_state.pop("panel", None)


def go_to_case(post_id: PostId) -> None:
    """Open the case on the review page."""
    choose(post_id)
    st.switch_page(st.session_state["pages"]["review"])


def remember_queue(ids: Sequence[PostId]) -> None:
    """The order in which cases are listed at the moment."""
    st.session_state["queue_ids"] = tuple(ids)


def choose_next(decided: PostId) -> None:
    """Open the case after the one that was decided, or the first."""
    ids: tuple[PostId, ...] = st.session_state.get("queue_ids", ())
    at = ids.index(decided) if decided in ids else -1
    others = [*ids[at + 1 :], *ids[: max(at, 0)]]
    choose(others[0] if others else None)


def seen_version(post_id: PostId, current: int) -> int:
    """The version of the post that the person has seen; the current one if it was just opened."""
    seen: int = st.session_state.setdefault(f"seen_{post_id}", current)
    return seen


def forget_version(post_id: PostId) -> None:
    """Take the next version that is shown as seen."""
    st.session_state.pop(f"seen_{post_id}", None)


def text_key(post_id: PostId) -> str:
    """Where the text of the edit box is kept."""
    return f"text_{post_id}"


def forget_text(post_id: PostId) -> None:
    """Start from the latest draft again."""
    for key in (text_key(post_id), f"began_{post_id}"):
        st.session_state.pop(key, None)


def begin_text(post_id: PostId, draft: Kept) -> bool:
    """Put the draft into the edit box unless the person has changed its text; whether theirs is older."""
    key, began_key = text_key(post_id), f"began_{post_id}"
    began: Kept | None = st.session_state.get(began_key)
    if began is None or key not in st.session_state or st.session_state[key] == began.text:
        st.session_state[key], st.session_state[began_key] = draft.text, draft
        return False
    return began.draft_id != draft.draft_id


def offer_undo(undo: Undo | None) -> None:
    """Remember what can be undone."""
    st.session_state["undo"] = undo


def undo_on_offer() -> Undo | None:
    """What can be undone, if anything."""
    undo: Undo | None = st.session_state.get("undo")
    return undo


def remember_reply(reply: "Reply | None") -> None:
    """Keep the answer to the question that was asked last."""
    st.session_state["asked_reply"] = reply


def asked_reply() -> "Reply | None":
    """The answer to the question that was asked last."""
    reply: Reply | None = st.session_state.get("asked_reply")
    return reply
