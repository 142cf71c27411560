"""The list at the left of the review page: what waits, searched, filtered and ordered."""

from datetime import datetime
from typing import get_args

import streamlit as st

from rejoinder.ids import PostId
from rejoinder.listening.post import Platform
from resources.store.channels import enabled_channels
from resources.store.review_values import QueueFilter, QueueOrder, QueuePage, QueueRow
from resources.store.reviews import review_queue
from review_app.desk import reading
from review_app.escaped import Markup, chip, direction, html, join, show
from review_app.places import choose, open_post, remember_queue
from review_app.texts import PLATFORMS, age, author_of, utc_now, when, words

PAGE_SIZE = 50
LIST_HEIGHT_PX = 720
ORDERS: dict[QueueOrder, str] = {
    "priority": "Most urgent first",
    "relevance": "Most relevant first",
    "newest": "Newest first",
    "oldest": "Oldest first",
}


def show_queue() -> PostId | None:
    """Draw the list; the post whose case is to be shown, None if nothing waits."""
    wanted = _filters()
    with reading() as tx:
        page = review_queue(tx, wanted)
    remember_queue([row.id for row in page.rows])
    opened = open_post() or (page.rows[0].id if page.rows else None)
    _summary(page, wanted)
    with st.container(height=LIST_HEIGHT_PX, border=False, key="queue", gap="xsmall"):
        now = utc_now()
        for row in page.rows:
            _row(row, row.id == opened, now)
        if page.total > len(page.rows) and st.button("Show more", key="more_rows", width="stretch"):
            st.session_state["queue_limit"] = wanted.limit + PAGE_SIZE
            st.rerun()
    return opened


def _filters() -> QueueFilter:
    with st.container(horizontal=True, gap="xsmall", key="filters"):
        search = st.text_input(
            "Search",
            key="search",
            placeholder="Search posts, authors, drafts",
            label_visibility="collapsed",
            persist_state="session",
        )
        with st.popover("Filter", key="filter"):
            platform = _choice("Platform", get_args(Platform), PLATFORMS)
            channel = _choice("Channel", _channel_names(), {})
            order = _order()
    limit = st.session_state.get("queue_limit", PAGE_SIZE)
    return QueueFilter(platform=platform, channel=channel, search=search or None, order=order, limit=limit)


def _channel_names() -> tuple[str, ...]:
    with reading() as tx:
        return tuple(channel.name for channel in enabled_channels(tx))


def _choice(label: str, names: tuple[str, ...], shown: dict[str, str]) -> str | None:
    chosen: str = st.selectbox(
        label,
        ["", *names],
        format_func=lambda name: shown.get(name, name) or "All",
        key=label.lower(),
        persist_state="session",
    )
    return chosen or None


def _order() -> QueueOrder:
    chosen: QueueOrder = st.selectbox(
        "Order", list(ORDERS), format_func=ORDERS.__getitem__, key="order", persist_state="session"
    )
    return chosen


def _summary(page: QueuePage, wanted: QueueFilter) -> None:
    is_filtered = any((wanted.platform, wanted.channel, wanted.search))
    text = f"{page.total} {'match' if is_filtered else 'waiting'}"
    show(html('<div class="rj-meta">{}</div>', text))


def _row(row: QueueRow, is_open: bool, now: datetime) -> None:
    """One post, the whole of it a button."""
    with st.container(key=f"row_{'open_' if is_open else ''}{row.id}"):
        show(_row_face(row, now))
        if st.button(f"Open post {row.id}", key=f"pick_{row.id}", width="stretch"):
            choose(row.id)
            st.rerun()


def _row_face(row: QueueRow, now: datetime) -> Markup:
    return html(
        '<div class="rj-line"><span class="rj-who">{}</span><span class="rj-meta" title="{}">{}</span></div>'
        '<div class="rj-excerpt" dir="{}">{}</div><div>{}</div>',
        author_of(row.author),
        when(row.created_at),
        age(row.created_at, now),
        direction(row.text),
        row.text[:400],
        join(_row_chips(row), ""),
    )


def _row_chips(row: QueueRow) -> list[Markup]:
    chips = [chip(f"r/{row.community}" if row.community else PLATFORMS.get(row.platform, row.platform))]
    if row.is_summoned:
        chips.append(chip("called us", "call", "The author mentioned or quoted the account"))
    if row.relevance is not None:
        chips.append(chip(f"relevance {row.relevance:.2f}"))
    if row.strategy:
        chips.append(chip(words(row.strategy)))
    if row.failed_checks:
        chips.append(chip(f"{row.failed_checks} failed", "bad", "Checks of the draft that failed"))
    return chips
