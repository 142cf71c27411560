"""The board: where posts stand, the newest of each stage, and why some went no further."""

from datetime import datetime

import streamlit as st

from rejoinder.review.moves import STAGES as STAGE_NAMES
from rejoinder.review.moves import Place, Stage
from resources.store.review_values import QueueFilter, QueueRow
from resources.store.reviews import counts_by_place, review_queue
from review_app.desk import reading
from review_app.escaped import Markup, chip, direction, html, join, show
from review_app.places import go_to_case
from review_app.texts import PLATFORMS, STAGES, TONES, age, author_of, utc_now, when, words

SHOWN = 12
COLUMN_HEIGHT_PX = 620


def page() -> None:
    """Draw the page."""
    with reading() as tx:
        counts = counts_by_place(tx)
        newest = {
            stage: review_queue(
                tx, QueueFilter(stage=stage, status=None, search=_search(), order="newest", limit=SHOWN)
            ).rows
            for stage in STAGE_NAMES
        }
    st.text_input(
        "Search",
        key="board_search",
        placeholder="Search posts, authors, drafts",
        label_visibility="collapsed",
        width=420,
        persist_state="session",
    )
    now = utc_now()
    for stage, column in zip(STAGE_NAMES, st.columns(len(STAGE_NAMES), gap="small"), strict=True):
        with column:
            _column(stage, counts, newest[stage], now)


def _search() -> str | None:
    return st.session_state.get("board_search") or None


def _column(stage: Stage, counts: dict[Place, int], rows: tuple[QueueRow, ...], now: datetime) -> None:
    here = {place.status: n for place, n in counts.items() if place.stage == stage}
    chips = [chip(f"{n} {words(status)}", TONES.get(status, "")) for status, n in here.items()]
    title = html('<div class="rj-line"><b>{}</b><span>{}</span></div>', STAGES[stage], sum(here.values()))
    show(html("{}<div>{}</div>", title, join(chips, "") or chip("none")))
    with st.container(height=COLUMN_HEIGHT_PX, border=False, gap="xsmall", key=f"column_{stage}"):
        for row in rows:
            with st.container(key=f"row_board_{row.id}"):
                show(_card(row, now))
                if st.button(f"Open post {row.id}", key=f"pick_board_{row.id}", width="stretch"):
                    go_to_case(row.id)


def _card(row: QueueRow, now: datetime) -> Markup:
    return html(
        '<div class="rj-line"><span class="rj-who">{}</span><span class="rj-meta" title="{}">{}</span></div>'
        '<div class="rj-excerpt" dir="{}">{}</div><div>{}{}</div><div class="rj-meta">{}</div>',
        author_of(row.author),
        when(row.created_at),
        age(row.created_at, now),
        direction(row.text),
        row.text[:400],
        chip(words(row.status), TONES.get(row.status, "")),
        chip(PLATFORMS.get(row.platform, row.platform)),
        row.rejection_reason or "",
    )
