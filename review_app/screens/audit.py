"""The audit: who did what, when, from where. Nothing in it can be changed."""

from typing import Any

import streamlit as st

from resources.commands import people
from resources.store.review_values import AuditRow
from resources.store.reviews import audit_page
from review_app.desk import database, reading
from review_app.escaped import html, show
from review_app.texts import when, words

PAGE_SIZE = 100
WIDTHS_PX = {"When": 170, "Who": 180, "Did": 130, "About": 130, "From": 110}
KINDS = ("post", "publication", "person", "step", "notification", "prompt")


def page() -> None:
    """Draw the page."""
    person, kind, number = _filters()
    offset = PAGE_SIZE * (int(st.session_state.get("audit_page", 1)) - 1)
    with reading() as tx:
        found = audit_page(
            tx, entity_type=kind, entity_id=number, person=person, limit=PAGE_SIZE, offset=offset
        )
    if not found.rows:
        show(html('<div class="rj-empty"><b>Nothing here.</b>No deed matches.</div>'))
    else:
        st.dataframe(
            [_line(row) for row in found.rows],
            hide_index=True,
            key="audit_table",
            column_config=_columns(),
            height="content",
        )
    pages = max(1, -(-found.total // PAGE_SIZE))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        show(html('<div class="rj-meta">{} deeds, newest first</div>', found.total))
        if pages > 1:
            st.number_input("Page", 1, pages, key="audit_page", width=140)


def _filters() -> tuple[str | None, str | None, int | None]:
    names = [person.name for person in people.list_people(database())]
    with st.container(horizontal=True, gap="small"):
        person = st.selectbox(
            "Person",
            [None, *names],
            format_func=lambda name: name or "Everybody",
            key="audit_person",
            width=200,
        )
        kind = st.selectbox(
            "About", [None, *KINDS], format_func=lambda name: name or "Anything", key="audit_kind", width=200
        )
        number = st.number_input("Its number", value=None, min_value=1, step=1, key="audit_number", width=160)
    return person, kind, number


def _columns() -> dict[str, Any]:
    return {name: st.column_config.Column(width=width) for name, width in WIDTHS_PX.items()}


def _line(row: AuditRow) -> dict[str, object]:
    return {
        "When": when(row.created_at),
        "Who": row.actor,
        "Did": words(row.action),
        "About": f"{row.entity_type} {row.entity_id or ''}".strip(),
        "From": row.ip_address or "",
        "What": "; ".join(
            f"{words(name)}: {value}" for name, value in row.diff.items() if value not in ("", None)
        ),
    }
