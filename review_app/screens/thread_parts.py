"""The parts of a reply as they will be sent: the length of each, the price of all, a split of what is too long."""

import streamlit as st

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.post import Platform
from rejoinder.posting.threads import (
    DIVIDER,
    most_parts,
    parts_of,
    propose_parts,
    text_of,
    thread_price_usd,
)
from rejoinder.review.decisions import approve_parts
from rejoinder.text.links import find_links
from rejoinder.text.weighted_length import length_limit
from resources.store.review_values import ReviewCase
from review_app.escaped import html, note, show, show_text
from review_app.places import text_key
from review_app.texts import PLATFORMS


def show_parts(case: ReviewCase, text: str) -> str | None:
    """Every part of the text with its length; why it cannot be sent as it stands, None if it can."""
    parts = parts_of(text, case.post.platform)
    for place, part in enumerate(parts, 1):
        _show_length(case.post.platform, part, f"Part {place}: " if len(parts) > 1 else "")
    if len(parts) > 1:
        _show_thread(case, parts)
    obstacle = _obstacle(case, parts)
    if most_parts(case.post.platform) > 1 and _longest(case.post.platform, parts) > 0:
        _offer_split(case)
    return obstacle


def _show_length(platform: Platform, part: str, name: str) -> None:
    limit, measure = length_limit(platform)
    length = measure(part)
    weighted = " weighted" if platform == "x" else ""
    tone = "over" if length > limit else ""
    line = '<div class="rj-count {}">{}{:,} of {:,}{} characters</div>'
    show(html(line, tone, name, length, limit, weighted))


def _show_thread(case: ReviewCase, parts: tuple[str, ...]) -> None:
    price_usd = thread_price_usd(case.channel.policy, parts, is_summoned=case.is_summoned)
    price = f", for {price_usd:.3f} USD together" if price_usd and case.way == "api" else ""
    with st.expander(f"The {len(parts)} parts as they will be sent{price}", key="parts"):
        for part in parts:
            show_text(part, "rj-diff")


def _longest(platform: Platform, parts: tuple[str, ...]) -> int:
    """By how much the longest part is too long; 0 if none is."""
    limit, measure = length_limit(platform)
    return max(0, *(measure(part) - limit for part in parts))


def _obstacle(case: ReviewCase, parts: tuple[str, ...]) -> str | None:
    platform = case.post.platform
    if parts == ("",):
        return "The text is empty: write a reply, or reject the post."
    over = _longest(platform, parts)
    if len(parts) == 1 and over:
        return f"{over:,} too long for {PLATFORMS[platform]}."
    limit, measure = length_limit(platform)
    try:
        approve_parts(parts, measure=measure, limit=limit, most=most_parts(platform))
    except DecisionInvalid as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    if not case.channel.policy.allow_links and any(True for part in parts for _ in find_links(part)):
        return "This channel takes no links: remove it from the text."
    return None


def _offer_split(case: ReviewCase) -> None:
    """Buttons that put dividers where sentences end; a person looks at them before approving."""
    with st.container(horizontal=True, gap="small"):
        for label, key, is_numbered in (
            ("Split into parts", "split_text", False),
            ("Split and number", "split_numbered", True),
        ):
            st.button(
                label,
                key=key,
                help=f"A line of {DIVIDER} stands between two parts of a thread.",
                on_click=_split,
                args=(case, is_numbered),
            )
    if problem := st.session_state.pop("split_problem", None):
        note(problem, tone="warn")


def _split(case: ReviewCase, is_numbered: bool) -> None:
    key = text_key(case.id)
    try:
        parts = propose_parts(str(st.session_state[key]), case.post.platform, is_numbered=is_numbered)
        st.session_state[key] = text_of(parts)
    except DecisionInvalid as error:
        st.session_state["split_problem"] = f"It cannot be split: {error}."
