"""Trouble: what needs a person: notices, work that died, input that could not be read."""

from typing import Any

import streamlit as st

from resources.commands.upkeep import STEPS, retry
from resources.notices import read_notices
from review_app.desk import database, me, reading, refusal
from review_app.escaped import html, show
from review_app.problems import has_problem, show_problem, telling
from review_app.screens.trouble_notices import show_dead_messages, show_notices
from review_app.texts import when, words

SHOWN = 200


def page() -> None:
    """Draw the page."""
    with reading() as tx:
        notices = read_notices(tx, top=SHOWN)
        messages = tx.rows("list_dead_deliveries", top=SHOWN)
        dead = tx.rows("list_dead_letters", top=SHOWN)
        quarantine = tx.rows("list_quarantine", top=SHOWN)
    if not (notices or messages or dead or quarantine):
        show(
            html(
                '<div class="rj-empty"><b>No trouble.</b>Everything that was heard could be worked on.</div>'
            )
        )
        return
    show_notices(notices)
    show_dead_messages(messages)
    _show_dead(dead)
    _show_quarantine(quarantine)


def _heading(title: str, count: int, explanation: str) -> None:
    show(
        html(
            '<div class="rj-title">{} <span class="rj-meta">{}</span></div><div class="rj-meta">{}</div>',
            title,
            count,
            explanation,
        )
    )


def _show_dead(dead: list[dict[str, Any]]) -> None:
    _heading("Dead work", len(dead), "Tried too often. A retry makes it due at once.")
    if dead:
        _table(
            [
                {
                    "what": f"{row['item_table']} {row['item_id']}",
                    "step": words(row["step"]),
                    "reason": row["reason"],
                    "since": when(row["created_at"]),
                }
                for row in dead
            ],
            "dead",
        )
        steps = sorted({row["step"] for row in dead if row["step"] in STEPS})
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            step = st.selectbox(
                "Step",
                [None, *steps],
                format_func=lambda name: words(name) if name else "Every step",
                key="retry_step",
                width=220,
            )
            hindrance = refusal("retry")
            if st.button("Retry", key="retry", type="primary", disabled=bool(hindrance), help=hindrance):
                _retry(step)
    show_problem("retry")


def _retry(step: str | None) -> None:
    with telling("retry"):
        done = retry(database(), me(), step)
        count = sum(done.revived.values()) + sum(done.hurried.values())
        st.session_state["flash"] = f"{count} {'is' if count == 1 else 'are'} due again."
    if not has_problem("retry"):
        st.rerun()


def _show_quarantine(quarantine: list[dict[str, Any]]) -> None:
    _heading("Quarantine", len(quarantine), "Input that could not be read. Correct it and ingest it again.")
    if quarantine:
        _table(
            [
                {
                    "what": row["kind"],
                    "name": row["name"],
                    "reason": row["reason"],
                    "since": when(row["created_at"]),
                }
                for row in quarantine
            ],
            "quarantine",
        )


def _table(rows: list[dict[str, Any]], key: str) -> None:
    """A table; its cells are drawn as plain text."""
    st.dataframe(rows, hide_index=True, key=f"{key}_table")
