"""Notices on the page Trouble: unread ones by kind, the gravest first, and messages that did not arrive."""

from itertools import groupby
from typing import Any

import streamlit as st

from rejoinder.notices.kinds import kind_of, rank
from resources.commands.notices import mark_all_read, mark_some_read, retry_messages
from review_app.desk import database, me, refusal
from review_app.escaped import chip, html, show
from review_app.places import go_to_case
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import when, words

TONES = {"critical": "bad", "error": "bad", "warning": "warn", "info": ""}
OPEN_AT_FIRST = 5


def show_notices(notices: list[dict[str, Any]]) -> None:
    """Draw unread notices, a group for each kind."""
    show(
        html(
            '<div class="rj-title">Notices <span class="rj-meta">{}</span></div><div class="rj-meta">{}</div>',
            len(notices),
            "Shown until somebody has read them.",
        )
    )
    if len(notices) > 1 and st.button("Mark all as read", key="read_all"):
        _mark(None, None)
    ordered = sorted(notices, key=lambda n: (-rank(n["severity"]), n["kind"], -n["id"]))
    for kind, group in groupby(ordered, key=lambda n: n["kind"]):
        _show_kind(kind, list(group))
    show_problem("notices")


def _show_kind(kind: str, notices: list[dict[str, Any]]) -> None:
    known = kind_of(kind)
    with st.container(border=True, key=f"kind_{kind}", gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"head_{kind}"):
            mark = chip(known.severity, TONES[known.severity])
            show(
                html(
                    '<div>{} <b>{}</b> <span class="rj-meta">{}</span></div>', mark, known.title, len(notices)
                )
            )
            if len(notices) > 1 and st.button("Mark these as read", key=f"read_kind_{kind}", type="tertiary"):
                _mark(None, kind)
        for notice in notices[:OPEN_AT_FIRST]:
            _show_one(notice)
        if len(notices) > OPEN_AT_FIRST:
            with st.expander(f"{len(notices) - OPEN_AT_FIRST} more"):
                for notice in notices[OPEN_AT_FIRST:]:
                    _show_one(notice)


def _show_one(notice: dict[str, Any]) -> None:
    over = f"over since {when(notice['ended_at'])}" if notice["ended_at"] else ""
    facts = " · ".join(
        filter(None, (words(notice["kind"]), notice["about"], when(notice["created_at"]), over))
    )
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key=f"notice_{notice['id']}"
    ):
        show(html('<div>{}</div><div class="rj-meta">{}</div>', notice["message"], facts))
        _link(notice)
        if st.button("Mark as read", key=f"read_{notice['id']}"):
            _mark([notice["id"]], None)


def _link(notice: dict[str, Any]) -> None:
    """The way to what the notice is about, where the app has a page for it."""
    post_id, is_of_channel = notice["post_id"], notice["entity_type"] == "channel"
    if post_id is None and not is_of_channel:
        return
    words_on_it = "Open channels" if is_of_channel else "Open the case"
    if not st.button(words_on_it, key=f"notice_open_{notice['id']}", type="tertiary"):
        return
    if is_of_channel:
        st.switch_page(st.session_state["pages"]["channels"])
    go_to_case(post_id)


def _mark(ids: list[int] | None, kind: str | None) -> None:
    with telling("notices"):
        if ids is not None:
            mark_some_read(database(), me(), ids)
        else:
            mark_all_read(database(), me(), kind)
    if not has_problem("notices"):
        st.rerun()


def show_dead_messages(messages: list[dict[str, Any]]) -> None:
    """Draw messages that a sink never took; nothing where there are none."""
    if not messages:
        return
    show(
        html(
            '<div class="rj-title">Messages that did not arrive <span class="rj-meta">{}</span></div>'
            '<div class="rj-meta">Given up after their attempts. A retry makes them due at once.</div>',
            len(messages),
        )
    )
    st.dataframe(
        [
            {
                "sink": row["sink"],
                "notices": row["notices"],
                "attempts": row["attempts"],
                "reason": row["last_error"],
                "since": when(row["created_at"]),
            }
            for row in messages
        ],
        hide_index=True,
        key="dead_messages",
    )
    hindrance = refusal("retry")
    if st.button("Send them again", key="retry_messages", disabled=bool(hindrance), help=hindrance):
        _retry()
    show_problem("messages")


def _retry() -> None:
    with telling("messages"):
        count = retry_messages(database(), me())
        st.session_state["flash"] = f"{count} {'is' if count == 1 else 'are'} due again."
    if not has_problem("messages"):
        st.rerun()
