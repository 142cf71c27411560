"""The review page: what waits at the left, one whole case at the right."""

import streamlit as st

from rejoinder.ids import PostId
from resources.store.reviews import load_case
from review_app.desk import reading
from review_app.escaped import html, show
from review_app.screens.answers import read_answers, show_answers
from review_app.screens.deciding import show_undo
from review_app.screens.draft_side import show_draft
from review_app.screens.post_side import show_evidence, show_post, show_reasons
from review_app.screens.queue_list import show_queue


def page() -> None:
    """Draw the page."""
    queue_side, case_side = st.columns([27, 73], gap="medium")
    with queue_side:
        opened = show_queue()
    with case_side:
        if opened is None:
            _show_nothing()
        else:
            _show_case(opened)
    show_undo()


def _show_nothing() -> None:
    show(
        html('<div class="rj-empty"><b>Nothing waits for you.</b>New drafts appear here by themselves.</div>')
    )


def _show_case(post_id: PostId) -> None:
    with reading() as tx:
        case = load_case(tx, post_id)
    post_side, draft_side = st.columns([50, 50], gap="medium")
    with post_side:
        show_post(case)
        show_evidence(case)
        show_reasons(case)
    with draft_side:
        show_draft(case)
        for answers in read_answers(publication.id for publication in case.publications).values():
            show_answers(answers)
