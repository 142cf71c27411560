"""Answers to our replies, under the reply that they answer: who said what, what it was taken for, where it stands."""

from collections.abc import Iterable, Sequence

import streamlit as st

from rejoinder.ids import PostId, PublicationId
from resources.commands.follow_ups import take_up
from resources.store.follow_ups import StoredFollowUp, follow_ups_of
from review_app.desk import database, me, reading, refusal
from review_app.escaped import chip, html, join, link, show, show_text
from review_app.places import go_to_case
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import author_of, counted, when, words

# The latest of each reply; `rejoinder answers list` has all of them.
SHOWN = 20
TONES = {"question": "call", "summons": "call", "stop": "bad"}

Answers = dict[PublicationId, list[StoredFollowUp]]


def read_answers(publication_ids: Iterable[PublicationId]) -> Answers:
    """What was answered to these replies, each one's oldest first; one more than is shown where there are more."""
    found: Answers = {}
    with reading() as tx:
        for answer in follow_ups_of(tx, list(publication_ids), most=SHOWN + 1):
            found.setdefault(answer.publication_id, []).append(answer)
    return found


def show_answers(answers: Sequence[StoredFollowUp]) -> None:
    """The answers to one reply; nothing where there are none."""
    if not answers:
        return
    shown = answers[-SHOWN:]
    title = counted(len(shown), "answer") if len(shown) == len(answers) else f"The latest {SHOWN} answers"
    with st.expander(f"{title} to our reply", key=f"answers_{shown[0].publication_id}"):
        for answer in shown:
            _show(answer)


def _show(answer: StoredFollowUp) -> None:
    chips = [
        chip(words(answer.kind or "heard before"), TONES.get(answer.kind or "", "")),
        chip(f"{words(answer.stage)}, {words(answer.status)}", title=answer.rejection_reason or ""),
    ]
    origin = html("{} · {}", when(answer.created_at), link("open the post", answer.url))
    line = '<div class="rj-line"><span class="rj-who">{}</span><span>{}</span></div><div class="rj-meta">{}</div>'
    show(html(line, author_of(answer.author), join(chips, ""), origin))
    show_text(answer.text, "rj-post")
    with st.container(horizontal=True, gap="small"):
        if st.button("Open its case", key=f"answer_{answer.post_id}", type="tertiary"):
            go_to_case(PostId(answer.post_id))
        if answer.kind == "remark" and (answer.stage, answer.status) == ("triage", "rejected"):
            _offer_to_take_up(answer)
    show_problem(f"answer_{answer.post_id}")


def _offer_to_take_up(answer: StoredFollowUp) -> None:
    """A remark is only kept; a person may let it be worked on as if it had asked."""
    hindrance = refusal("reopen")
    key = f"take_up_{answer.post_id}"
    if not st.button("Take it up", key=key, type="tertiary", disabled=bool(hindrance), help=hindrance):
        return
    place = f"answer_{answer.post_id}"
    with telling(place):
        take_up(database(), me(), answer.post_id)
        st.session_state["flash"] = "It goes to triage."
    if not has_problem(place):
        st.rerun()
