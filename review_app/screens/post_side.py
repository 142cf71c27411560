"""The left half of a case: the post, why it was picked, and the evidence."""

import streamlit as st

from rejoinder.corpus.references import timestamp
from resources.store.review_values import CaseEvidence, ReviewCase, StageDecision
from review_app.escaped import Markup, chip, direction, html, join, link, show, show_text
from review_app.players import own_players
from review_app.texts import PLATFORMS, STAGES, TONES, author_of, when, words

METRICS = {
    "like_count": "likes",
    "quote_count": "quotes",
    "reply_count": "replies",
    "retweet_count": "reposts",
    "bookmark_count": "bookmarks",
    "impression_count": "views",
    "score": "points",
}


def show_post(case: ReviewCase) -> None:
    """The post as it was heard."""
    post = case.post
    if case.thread:
        show_thread(case)
    with st.container(border=True, key="post"):
        show(
            html(
                '<div class="rj-line whole"><span class="rj-who">{}</span><span>{}</span></div>'
                '<div class="rj-meta">{}</div>',
                author_of(post.author),
                join(_badges(case), ""),
                _origin(case),
            )
        )
        show_text(post.text, "rj-post")
        if facts := _facts(case):
            show(html('<div class="rj-meta">{}</div>', facts))


def show_thread(case: ReviewCase) -> None:
    """What stands above the post in its conversation, oldest first."""
    count = len(case.thread)
    with st.expander(f"In answer to {count} post{'s' if count > 1 else ''} above", expanded=count == 1):
        for parent in case.thread:
            line = '<div class="rj-meta">{} · {}</div>'
            show(html(line, author_of(parent.author), when(parent.created_at)))
            show_text(parent.text, "rj-post")


def _badges(case: ReviewCase) -> list[Markup]:
    chips = (
        [chip("called us", "call", "The author mentioned or quoted the account")] if case.is_summoned else []
    )
    if case.channel.is_sandbox:
        chips.append(chip("sandbox", "rehearsal", "A rehearsal: nothing leaves this machine"))
    if case.relevance is not None:
        chips.append(chip(f"relevance {case.relevance:.2f}"))
    return chips


def _origin(case: ReviewCase) -> Markup:
    post = case.post
    parts = [html("{}", PLATFORMS.get(post.platform, post.platform))]
    if post.community:
        parts.append(html("r/{}", post.community))
    parts.append(html("{}", when(post.created_at)))
    if post.url:
        parts.append(link("open the post", post.url))
    return join(parts, " · ")


def _facts(case: ReviewCase) -> str:
    post = case.post
    facts = [_counted(value, _metric(name)) for name, value in post.metrics.items() if value]
    if post.author_followers is not None:
        facts.append(f"author has {post.author_followers:,} followers")
    if post.lang:
        facts.append(f"language {post.lang}")
    return " · ".join([*facts, f"heard {when(case.heard_at)}"])


def _metric(name: str) -> str:
    """A platform's own name of a count, as words.

    >>> _metric("reply_count"), _metric("num_comments")
    ('replies', 'comments')
    """
    return METRICS.get(name, words(name.removesuffix("_count").removeprefix("num_")))


def _counted(count: int, things: str) -> str:
    """A count with its noun.

    >>> _counted(1, "replies"), _counted(3300, "views")
    ('1 reply', '3,300 views')
    """
    one = things.replace("ies", "y") if things.endswith("ies") else things.removesuffix("s")
    return f"{count:,} {one if count == 1 else things}"


def show_reasons(case: ReviewCase) -> None:
    """Why the post was picked: each step's decision with its reason, and the claims found in it."""
    if not case.stage_decisions and not case.claims:
        return
    show(html('<div class="rj-head">Why it was picked</div>'))
    # The claims themselves say more than the step that found them.
    steps = [step for step in case.stage_decisions if not (case.claims and step.step == "claims")]
    items = [_decision_line(step) for step in steps]
    items += [
        html(
            '<li>{}<span class="why" dir="{}"> {}</span></li>',
            chip(f"{claim.kind} {claim.check_worthiness:.2f}", title="How much it is worth checking, 0 to 1"),
            direction(claim.text),
            claim.text,
        )
        for claim in case.claims
    ]
    show(html('<ul class="rj-list">{}</ul>', join(items, "")))
    if case.rejection_reason:
        show(html('<div class="rj-note warn">Rejected: {}</div>', case.rejection_reason))


def _decision_line(decision: StageDecision) -> Markup:
    return html(
        '<li>{}{}<span class="why"> {}</span></li>',
        html("<b>{}</b> ", STAGES.get(decision.step, words(decision.step).capitalize())),
        chip(decision.verdict, TONES.get(decision.verdict, "")),
        decision.reason,
    )


def show_evidence(case: ReviewCase) -> None:
    """The passages that bear on the post, the strongest first, each with its second."""
    show(html('<div class="rj-head">Evidence</div>'))
    if not case.evidence:
        show(html('<div class="rj-meta">None was found.</div>'))
    quoted = {quote.evidence_id for quote in case.draft.quotes} if case.draft else set()
    for found in case.evidence:
        with st.container(border=True, key=f"evidence_{found.id}", gap="xsmall"):
            show_text(found.quote, "rj-quote")
            show(_source_line(found, is_quoted=found.id in quoted))


def _source_line(found: CaseEvidence, *, is_quoted: bool) -> Markup:
    at = timestamp(found.start_s) if found.start_s is not None else ""
    where = join([html("{}", found.source_title), *([html("<b>{}</b>", at)] if at else [])], ", ")
    parts = [html("{}", found.speaker)] if found.speaker else []
    parts.append(where)
    if found.source_url:
        parts.append(
            link(
                "listen at the second" if at else "open the source",
                found.source_url,
                found.start_s,
                own_players(),
            )
        )
    chips = [chip(found.verdict, TONES.get(found.verdict, "")), chip(f"score {found.score:.2f}")]
    chips += [chip("quoted in the draft", "call")] if is_quoted else []
    return html('<div class="rj-meta">{}</div><div>{}</div>', join(parts, " · "), join(chips, ""))
