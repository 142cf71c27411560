"""The right half of a case: where the reply would go, the text to decide about, what changed, checks, versions."""

from pathlib import Path

import streamlit as st

from rejoinder.listening.answerable import Answerable, Unanswerable
from rejoinder.review.diffs import word_diff
from rejoinder.review.moves import Place
from rejoinder.review.wording import as_sent
from resources.publishing.switch import pauses_in_force
from resources.store.review_values import CaseCheck, CaseDraft, CasePart, CasePublication, ReviewCase
from review_app.desk import reading, refusal
from review_app.escaped import Markup, chip, html, join, link, note, show, show_text
from review_app.places import Kept, begin_text, forget_text, forget_version, seen_version, text_key
from review_app.screens.deciding import REFUSED, show_buttons
from review_app.screens.link_choice import show_link_choice
from review_app.screens.thread_parts import show_parts
from review_app.texts import STATES, TONES, way_ahead, when, words

OPEN_PLACES = (Place("review", "pending"), REFUSED)
TEXT_HEIGHT_PX = 190
# Our own scripts, with nothing of anybody else's in them.
SCRIPTS = "".join(
    f"<script>{Path(__file__).with_name(name).read_text('utf-8')}</script>"
    for name in ("live_count.js", "steady_hand.js")
)


def show_draft(case: ReviewCase) -> None:
    """The draft to decide about, or what became of it."""
    with st.container(key="desk"):
        if case.draft is None:
            note("Nothing was drafted for this post yet.")
        elif case.place in OPEN_PLACES:
            _show_open(case, case.draft)
        else:
            _show_decided(case, case.draft)


def _show_decided(case: ReviewCase, draft: CaseDraft) -> None:
    note(f"This post is at {case.place}: there is nothing to decide.")
    if not case.publications:
        show(html('<div class="rj-head">Latest draft</div>'))
        show_text(draft.text, "rj-diff")
    show_history(case)
    _show_facts(draft)


def _show_open(case: ReviewCase, draft: CaseDraft) -> None:
    _show_way(case)
    _show_changes_elsewhere(case)
    _editor(case, draft)
    _show_facts(draft)
    show_history(case)


def _show_way(case: ReviewCase) -> None:
    text = way_ahead(case.standing, case.post.platform, case.channel.account, case.price_usd)
    is_refused = isinstance(case.standing, Unanswerable) and case.standing.until is None
    is_sent = isinstance(case.standing, Answerable) and case.way == "api"
    tone = "bad" if is_refused else "good" if is_sent else "warn"
    mark = chip("sandbox", "rehearsal") if case.channel.is_sandbox else Markup()
    show(html('<div class="rj-note {}">{}{}</div>', tone, mark, text))
    with reading() as tx:
        found = [pause for pause in pauses_in_force(tx) if pause.channel_id in (None, case.channel.id)]
    if found and case.way == "api":
        note(f"{found[0]}. What you approve waits until it is resumed.", "Publishing is paused", "bad")


def _show_changes_elsewhere(case: ReviewCase) -> None:
    """Say that somebody changed the post after it was opened here; decisions wait until this was seen."""
    if seen_version(case.id, case.version) == case.version:
        return
    note("Somebody changed this post while you had it open. Your text is kept.", "It has changed", "warn")
    if st.button("Show what stands now", key="show_now"):
        forget_version(case.id)
        st.rerun()


@st.fragment
def _editor(case: ReviewCase, draft: CaseDraft) -> None:
    """The edit box with its count, the buttons and the difference; reruns alone while a person writes."""
    is_older = begin_text(case.id, Kept(draft.id, draft.text))
    show(html('<div class="rj-head">Reply</div>'))
    with st.container(key="reply_text", gap="xsmall"), st.container(key=f"of_draft_{draft.id}", gap="xsmall"):
        text = st.text_area(
            "Reply",
            key=text_key(case.id),
            height=TEXT_HEIGHT_PX,
            label_visibility="collapsed",
            disabled=refusal("edit_draft") is not None,
            persist_state="session",
        )
        obstacle = show_parts(case, text or "")
    show_link_choice(case, text or "")
    st.html(SCRIPTS, unsafe_allow_javascript=True)
    show_buttons(case, text or "", obstacle)
    if is_older:
        note("A newer version of the draft exists; the difference below is against it.", tone="warn")
    _show_difference(case, draft, text or "")


def _show_difference(case: ReviewCase, draft: CaseDraft, text: str) -> None:
    wording = as_sent(text)
    if wording == as_sent(draft.text):
        return
    tags = {"removed": "<del>{}</del>", "added": "<ins>{}</ins>", "same": "{}"}
    spans = [html(tags[span.kind], span.text) for span in word_diff(draft.text, wording)]
    show(html('<div class="rj-head">Your changes</div>'))
    show(html('<div class="rj-diff" dir="auto">{}</div>', join(spans, "")))
    st.button("Back to the draft", key="reset_text", type="tertiary", on_click=forget_text, args=(case.id,))


def _show_facts(draft: CaseDraft) -> None:
    """How the draft was made and what the checks found."""
    who = draft.author or draft.model
    chips = [
        chip(words(draft.strategy), title="Strategy"),
        chip(f"version {draft.version} by {who}"),
        chip(f"prompt {draft.prompt_version}", title="Version of the prompt"),
    ]
    show(html('<div class="rj-head">Draft</div><div>{}</div>', join(chips, "")))
    if draft.checks:
        show(html('<ul class="rj-list">{}</ul>', join([_check_line(check) for check in draft.checks], "")))


def _check_line(check: CaseCheck) -> Markup:
    mark = chip("passed", "good") if check.is_passed else chip("failed", "bad")
    return html('<li>{}<b>{}</b> <span class="why">{}</span></li>', mark, words(check.name), check.detail)


def show_history(case: ReviewCase) -> None:
    """Decisions, publications and earlier versions, as far as there are any."""
    for publication in reversed(case.publications):
        _show_publication(publication)
    if case.reviews:
        items = [
            html(
                '<li>{}<b>{}</b>{} <span class="why">{} {}</span></li>',
                chip(words(review.decision), TONES.get(review.decision, "")),
                review.reviewer,
                " (simulated)" if review.is_simulated else "",
                when(review.created_at),
                "; ".join(filter(None, (words(review.reason or ""), review.note))),
            )
            for review in case.reviews
        ]
        show(html('<div class="rj-head">Decisions</div><ul class="rj-list">{}</ul>', join(items, "")))
    if len(case.drafts) > 1:
        with st.expander("Earlier versions", key="versions"):
            for draft in reversed(case.drafts[:-1]):
                show(html('<div class="rj-meta">Version {} by {}, {}</div>', *_version_facts(draft)))
                show_text(draft.text, "rj-diff")


def _version_facts(draft: CaseDraft) -> tuple[object, str, str]:
    return draft.version, draft.author or draft.model, when(draft.created_at)


def _show_publication(publication: CasePublication) -> None:
    facts = [html("{}", when(publication.sent_at or publication.created_at))]
    if publication.platform_url:
        facts.append(link("open the reply", publication.platform_url))
    if reason := publication.detail or publication.reason_code:
        facts.append(html("{}", reason))
    show(
        html(
            '<div class="rj-head">Reply {}</div><div>{}<span class="rj-meta">{}</span></div>',
            publication.id,
            chip(STATES[publication.state], TONES.get(publication.state, "")),
            join(facts, " · "),
        )
    )
    for part in publication.parts:
        if len(publication.parts) > 1:
            show(html('<div class="rj-meta">{}</div>', _part_line(part)))
        show_text(part.text, "rj-diff")


def _part_line(part: CasePart) -> Markup:
    facts = [html("Part {}: {}", part.position + 1, STATES[part.state])]
    facts += [link("open it", part.platform_url)] if part.platform_url else []
    facts += [html("{}", part.detail)] if part.detail and part.state != "sent" else []
    return join(facts, " · ")
