"""The page of one source: what it is about, what was cleaned, its chapters, and steps done again."""

import streamlit as st

from resources.commands.sources import AGAIN, again
from resources.store.source_list import SourcePage, SourceRow, load_source_page
from review_app.desk import database, me, reading, refusal
from review_app.escaped import Markup, chip, direction, html, join, link, note, show
from review_app.players import own_players
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import SOURCE_STEPS, clock, counted, length, when, words

MOST_CHAPTERS = 60
ORIGINS = {
    "file": "a file", "inbox": "the inbox", "upload": "an upload", "url": "an address", "feed": "a feed",
    "api": "the API",
}  # fmt: skip


def show_source(project_id: int, row: SourceRow) -> None:
    """Draw one source."""
    with st.container(border=True, key="source_panel"):
        title = row.title or row.name
        show(html('<div class="rj-title" dir="{}">{}</div>', direction(title), title))
        show(html('<div class="rj-meta">{}</div>', join(_facts(row), " · ")))
        _show_trouble(row)
        if row.source_id is not None:
            with reading() as tx:
                page = load_source_page(tx, row.source_id)
            _show_content(row, page)
        _show_again(project_id, row)


def _facts(row: SourceRow) -> list[Markup]:
    facts = [
        html("{}", fact) for fact in (words(row.format or ""), row.language, length(row.duration_s)) if fact
    ]
    if row.published_at:
        facts.append(html("published {}", when(row.published_at)))
    if row.origin:
        facts.append(html("from {}", ORIGINS[row.origin]))
    facts.append(link(row.url, row.url) if row.url else html("{}", row.name))
    return facts


def _show_trouble(row: SourceRow) -> None:
    if row.outcome == "quarantined":
        older = " What was read before stays in use." if row.source_id is not None else ""
        text = f"{row.note or ''}.{older} Its bytes are kept. Give it corrected, or read it again."
        note(text, "Set aside: it could not be read", "bad")
    if row.status == "dead":
        note(
            f"{row.last_error or ''} ({row.attempts} tries). A retry makes it due at once.", "Given up", "bad"
        )
    elif row.status == "failed":
        note(f"{row.last_error or ''} ({row.attempts} tries).", "Failed, tried again later", "warn")
    if row.twin_title:
        note(
            f"It is kept, and searches find {row.twin_title}, the more complete of the two.",
            "Says the same as another source",
        )


def _show_content(row: SourceRow, page: SourcePage) -> None:
    if row.notes:
        _head("Cleaned while reading")
        show(html('<ul class="rj-list">{}</ul>', join([html("<li>{}</li>", text) for text in row.notes], "")))
    if page.twins:
        note("; ".join(page.twins), "Also stands for its twins")
    if page.summary:
        _head("Summary")
        show(html('<div class="rj-text" dir="{}">{}</div>', direction(page.summary), page.summary))
    if page.keywords:
        _head("Keywords")
        show(html("<div>{}</div>", join([chip(term) for term in page.keywords], "")))
    if page.speakers:
        _head("Speakers")
        show(
            html(
                "<div>{}</div>",
                join([chip(f"{name} · {counted(n, 'cue')}") for name, n in page.speakers], ""),
            )
        )
    _show_chapters(row, page)
    _show_beginning(row, page)


def _show_chapters(row: SourceRow, page: SourcePage) -> None:
    if not page.chapters:
        return
    _head(f"Chapters ({len(page.chapters)})")
    lines = [
        html("<li>{} {}</li>", link(clock(start_s), row.url, start_s, own_players()), title)
        for title, start_s in page.chapters[:MOST_CHAPTERS]
    ]
    show(html('<ul class="rj-list">{}</ul>', join(lines, "")))


def _show_beginning(row: SourceRow, page: SourcePage) -> None:
    if not page.begins:
        return
    _head(f"Begins ({counted(row.n_cues, 'cue')})")
    lines = [
        html(
            '<li><span class="why">{}</span> {}{}</li>',
            link(clock(start_s), row.url, start_s, own_players()),
            html("<b>{}</b> ", speaker) if speaker else "",
            text[:300],
        )
        for text, start_s, speaker in page.begins
    ]
    show(html('<ul class="rj-list" dir="{}">{}</ul>', direction(page.begins[0][0]), join(lines, "")))


def _head(title: str) -> None:
    show(html('<div class="rj-head">{}</div>', title))


def _show_again(project_id: int, row: SourceRow) -> None:
    """Any one step, done again; those that cannot be say why when asked."""
    hindrance = refusal("retry")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        step = st.selectbox(
            "Do again",
            AGAIN,
            index=AGAIN.index("extract"),
            format_func=lambda name: words(SOURCE_STEPS[name]),
            key="again_step",
            width=200,
            help="The steps after it follow.",
        )
        pressed = st.button("Do again", key="again", disabled=bool(hindrance), help=hindrance)
    if pressed:
        with telling("again"):
            again(database(), me(), project_id, row.name, step)
            st.session_state["flash"] = "It is due again."
        if not has_problem("again"):
            st.rerun()
    show_problem("again")
