"""Ask: a question to the corpus, answered with links to the second, or told that it is not in there."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import streamlit as st

from review_app.escaped import Markup, chip, direction, html, join, link, note, show
from review_app.places import asked_reply, remember_reply
from review_app.problems import show_problem, telling

if TYPE_CHECKING:
    from resources.asking import Asking, Cited, Question, Reply, Said, Written

LONGEST_QUESTION = 1_000


def page() -> None:
    """Draw the page."""
    show(
        html(
            '<div class="rj-title">Ask the corpus</div><div class="rj-meta">Answers rest on sentences of your'
            " sources, quoted word for word, each with the second at which it is said."
            " What a model writes of them says so.</div>"
        )
    )
    _form()
    show_problem("ask")
    reply = asked_reply()
    if reply is not None:
        _show_reply(reply)


def _form() -> None:
    with st.form("ask_form", border=True):
        question = st.text_input(
            "Question",
            key="ask_question",
            placeholder="What do we say about restoring a backup?",
            max_chars=LONGEST_QUESTION,
        )
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            source = st.text_input(
                "Source", key="ask_source", placeholder="Any; or words of its title", width=300
            )
            speaker = st.text_input("Speaker", key="ask_speaker", placeholder="Any; or a name", width=180)
            language = st.text_input("Language", key="ask_language", placeholder="Any; or en, de", width=150)
            since = st.date_input("Published from", value=None, key="ask_since", width=180)
            until = st.date_input("Published until", value=None, key="ask_until", width=180)
            pressed = st.form_submit_button("Ask", type="primary")
    if pressed:
        from resources.asking import Question

        _ask(
            Question(
                question,
                _given(source),
                _given(speaker),
                language.strip().lower() or None,
                published_after=_midnight(since),
                published_before=_midnight(until and until + timedelta(days=1)),
            )
        )


def _ask(asked: "Question") -> None:
    remember_reply(None)
    with telling("ask"), st.spinner("Looking through the sources"):
        remember_reply(_asking().ask(asked))


def _given(words: str) -> tuple[str, ...]:
    return (words.strip(),) if words.strip() else ()


def _asking() -> "Asking":
    """What answers, joined at the first question of this process."""
    from resources.wiring import asking
    from resources.workbench import open_workbench

    return asking(open_workbench())


def _midnight(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _show_reply(reply: "Reply") -> None:
    with st.container(border=True, key="ask_answer"):
        show(html('<div class="rj-who" dir="{}">{}</div>', direction(reply.question), reply.question))
        if reply.is_answered:
            _show_written(reply.written)
            for said in reply.statements:
                show(_statement(said))
        else:
            _show_nothing(reply)
        for text in reply.notes:
            note(text, tone="warn")
        show(html('<div class="rj-meta">{}</div>', _searched(reply)))


def _show_written(written: "Written | None") -> None:
    """What a model says of it, above the quotes that it rests on."""
    if written is None:
        return
    for said in written.statements:
        show(_statement(said, "rj-text"))
    show(html('<div class="rj-meta">Written by {}</div>', written.model))
    show(html('<div class="rj-head">What the sources say, word for word</div>'))


def _statement(said: "Said", look: str = "rj-text rj-quote") -> Markup:
    return html(
        '<div class="{}" dir="{}">{}</div><div class="rj-meta">{}</div>',
        look,
        direction(said.text),
        said.text,
        join([_place(cited) for cited in said.citations], " · "),
    )


def _place(cited: "Cited") -> Markup:
    return html("{}{}", chip(cited.id), link(cited.label, cited.url))


def _show_nothing(reply: "Reply") -> None:
    note(reply.reason, "Not in the corpus", "warn")
    if reply.nearest:
        places = [html("<li>{}</li>", link(near.label, near.url)) for near in reply.nearest]
        show(
            html('<div class="rj-head">What came closest</div><ul class="rj-list">{}</ul>', join(places, ""))
        )


def _searched(reply: "Reply") -> str:
    searched = reply.searched
    facts = [
        f"{searched.sources:,} sources searched",
        f"{searched.evidence_lines} passages read",
        f"{searched.tokens.total:,} tokens of context",
    ]
    if searched.waiting:
        facts.insert(1, f"{searched.waiting:,} more wait to be made searchable")
    return " · ".join(facts)
