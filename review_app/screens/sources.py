"""Sources: what was brought in, where each stands, bringing in more."""

from collections.abc import Sequence

import streamlit as st

from resources.store.source_list import (
    SHOWS,
    FeedRow,
    Show,
    SourceFilter,
    SourceList,
    SourceRow,
    list_feeds,
    list_sources,
)
from resources.store.sources import default_project
from review_app.desk import database, reading
from review_app.escaped import Markup, chip, direction, html, join, show
from review_app.screens.source_intake import show_intake
from review_app.screens.source_page import show_source
from review_app.texts import SOURCE_STEPS, age, counted, length, utc_now, when, words

PAGE_SIZE = 50
REFRESH_S = 4
LIST_HEIGHT_PX = 720
TONES = {"ready": "good", "quarantined": "bad", "dead": "bad", "failed": "warn", "twin": "call"}
LABELS: dict[Show, str] = {
    "all": "All", "ready": "Ready", "under way": "Under way", "trouble": "Trouble", "twins": "Twins",
}  # fmt: skip


def page() -> None:
    """Draw the page."""
    with database().transaction() as tx:
        project_id = default_project(tx)
    show_intake(project_id)
    _lists(project_id)


@st.fragment(run_every=REFRESH_S)
def _lists(project_id: int) -> None:
    """The part that follows the work while somebody looks."""
    wanted = _filters()
    with reading() as tx:
        steps = tx.rows("count_by_step")
        found = list_sources(tx, project_id, wanted)
        feeds = list_feeds(tx, project_id)
    _show_steps(steps)
    if not found.rows:
        _show_nothing(wanted)
        _show_feeds(feeds)
        return
    left, right = st.columns([42, 58], gap="medium")
    with left:
        opened = _show_list(found, wanted)
    with right:
        show_source(project_id, opened)
    _show_feeds(feeds)


def _filters() -> SourceFilter:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        search = st.text_input(
            "Search",
            key="source_search",
            placeholder="Search titles and names",
            label_visibility="collapsed",
            persist_state="session",
            width=320,
        )
        chosen = st.pills(
            "Show",
            SHOWS,
            format_func=lambda name: LABELS[name],
            key="source_show",
            default="all",
            label_visibility="collapsed",
            persist_state="session",
        )
    top = st.session_state.get("source_limit", PAGE_SIZE)
    return SourceFilter(show=chosen or "all", search=search.strip() or None, top=top)


def _show_steps(steps: Sequence[dict[str, object]]) -> None:
    """How much stands at which step, in the order of the walk."""
    pieces = []
    for row in steps:
        step, status = str(row["step"]), str(row["status"])
        label = "ready" if step == "ready" else f"{SOURCE_STEPS[step]}: {words(status)}"
        pieces.append(chip(f"{row['n']} {label}", TONES.get("ready" if step == "ready" else status, "")))
    show(html('<div aria-label="Where sources stand">{}</div>', join(pieces, "")))


def _show_nothing(wanted: SourceFilter) -> None:
    if wanted.search or wanted.show != "all":
        text = html('<div class="rj-empty"><b>Nothing here.</b>No source matches.</div>')
    else:
        text = html(
            '<div class="rj-empty"><b>No sources yet.</b>Add files or addresses above: transcripts, pages, '
            "documents, or a feed that links to transcripts.</div>"
        )
    show(text)


def _show_list(found: SourceList, wanted: SourceFilter) -> SourceRow:
    """The rows; the one that is open."""
    names = {row.name: row for row in found.rows}
    opened = names.get(st.session_state.get("open_source", ""), found.rows[0])
    show(html('<div class="rj-meta">{} of {}, the latest changed first</div>', len(found.rows), found.total))
    with st.container(height=LIST_HEIGHT_PX, border=False, gap="xsmall", key="sources"):
        for number, row in enumerate(found.rows):
            is_open = row.name == opened.name
            with st.container(key=f"row_{'open_' if is_open else ''}source_{number}"):
                show(_card(row))
                if st.button(f"Open source {number + 1}", key=f"pick_source_{number}", width="stretch"):
                    st.session_state["open_source"] = row.name
                    st.rerun()
        if found.total > len(found.rows) and st.button("Show more", key="more_sources", width="stretch"):
            st.session_state["source_limit"] = wanted.top + PAGE_SIZE
            st.rerun()
    return opened


def _card(row: SourceRow) -> Markup:
    title = row.title or row.name
    return html(
        '<div class="rj-line"><span class="rj-who" dir="{}" title="{}">{}</span>'
        '<span class="rj-meta" title="{}">{}</span></div><div>{}</div><div class="rj-meta">{}</div>',
        direction(title),
        row.name,
        title,
        when(row.changed_at),
        age(row.changed_at, utc_now()),
        join(_chips(row), ""),
        _progress(row),
    )


def _chips(row: SourceRow) -> list[Markup]:
    standing = row.standing
    label = (
        standing
        if standing in {"ready", "twin", "quarantined"}
        else f"{SOURCE_STEPS[row.step]}: {words(standing)}"
    )
    chips = [chip(label, TONES.get(standing, ""))]
    if row.outcome == "quarantined" and standing != "quarantined":
        chips.append(chip("new content quarantined", "bad"))
    chips += [chip(fact) for fact in (row.language, length(row.duration_s), words(row.format or "")) if fact]
    return chips


def _progress(row: SourceRow) -> Markup:
    """Why it stands still, or how far its vectors are."""
    if row.reason:
        return html('<span class="rj-excerpt">{}</span>', row.reason)
    if row.twin_title:
        return html("says the same as {}", row.twin_title)
    if not row.n_chunks:
        return html("{}", counted(row.n_cues, "cue")) if row.n_cues else html("{}", row.name)
    share = round(100 * row.n_embedded / row.n_chunks)
    bar = html('<span class="rj-bar"><i style="width:{}%"></i></span>', share)
    cut = f"{counted(row.n_cues, 'cue')} · {counted(row.n_chunks, 'chunk')}"
    return html("{} · {}{} % with vectors", cut, bar, share)


def _show_feeds(feeds: Sequence[FeedRow]) -> None:
    if not feeds:
        return
    show(html('<div class="rj-title">Feeds <span class="rj-meta">{}</span></div>', len(feeds)))
    st.dataframe(
        [
            {
                "Title": feed.title or "",
                "Address": feed.name,
                "Items": feed.n_items,
                "Without transcript": feed.n_without_transcript,
                "Looked at": when(feed.checked_at),
                "Next": when(feed.next_at) if feed.is_followed else "not followed",
                "Trouble": feed.last_error or "",
            }
            for feed in feeds
        ],
        hide_index=True,
        key="feeds_table",
    )
