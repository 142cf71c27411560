"""A line of the decide form: what the reply costs as it stands, and a switch that puts the link in or takes it out."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from rejoinder.drafting.link_proposals import SAME_USD
from rejoinder.listening.post import Platform
from rejoinder.posting.threads import parts_of, thread_price_usd
from rejoinder.review.links import carries, switched, with_link, without_link
from rejoinder.text.weighted_length import LINK_WEIGHT, length_limit
from resources.store.links import CaseLink
from resources.store.review_values import ReviewCase
from review_app.desk import refusal
from review_app.escaped import html, show
from review_app.places import text_key


def show_link_choice(case: ReviewCase, text: str) -> None:
    """Show the switch for the text in the edit box, with both prices and what was proposed before it was drafted.

    The text that is approved is the one in the box: the switch only changes that.
    """
    if case.link is None or not case.channel.policy.allow_links:
        return
    address = case.link.address
    if address is None:
        show(html('<div class="rj-meta">No link: the source has no address that everybody can open.</div>'))
        return
    prices = prices_of(case, text, address)
    key = f"link_{case.id}"
    st.session_state[key] = carries(text, address)
    with st.container(key="link_choice", gap="xxsmall"):
        st.toggle(
            label_of(prices),
            key=key,
            on_change=_switch,
            args=(case, address),
            disabled=refusal("edit_draft") is not None,
            help=address,
        )
        room = room_of(text, case.post.platform, case.link.cited, address)
        show(html('<div class="rj-meta">{} {}</div>', told_of(case.link, prices), room))


@dataclass(frozen=True, slots=True)
class Prices:
    """What a text costs to send, in USD: as it stands, with the link, and without it."""

    now_usd: float
    with_link_usd: float
    without_link_usd: float


def prices_of(case: ReviewCase, text: str, address: str) -> Prices:
    """The prices of a text, all parts together; by hand nothing costs."""
    assert case.link is not None
    cited, platform = case.link.cited, case.post.platform
    texts = (text, with_link(text, platform, cited, address), without_link(text, cited, address))
    return Prices(*(_price_usd(case, one) for one in texts))


def _price_usd(case: ReviewCase, text: str) -> float:
    if case.way != "api":
        return 0.0
    parts = parts_of(text, case.post.platform)
    return thread_price_usd(case.channel.policy, parts, is_summoned=case.is_summoned)


def room_of(text: str, platform: Platform, cited: Sequence[str], address: str) -> str:
    """How long the last part is with the link, where it has none; X counts any link alike."""
    if carries(text, address):
        return ""
    limit, measure = length_limit(platform)
    length = measure(parts_of(with_link(text, platform, cited, address), platform)[-1])
    alike = f"; X counts any link as {LINK_WEIGHT}" if platform == "x" else ""
    return f"With the link: {length:,} of {limit:,} characters{alike}."


def label_of(prices: Prices) -> str:
    """What the switch is called: with what the link costs."""
    extra_usd = prices.with_link_usd - prices.without_link_usd
    return f"With link (+{extra_usd:.3f} USD)" if extra_usd > SAME_USD else "With link (at no cost)"


def told_of(link: CaseLink, prices: Prices) -> str:
    """The price as the text stands, and what was decided before it was drafted."""
    told = f"As it stands: {prices.now_usd:.3f} USD." if prices.with_link_usd else ""
    proposal = link.proposal
    if proposal is None:
        return told
    word = "Drafted with a link" if proposal.is_proposed else "Drafted without a link"
    return f"{told} {word}: {proposal.reason}.".strip()


def _switch(case: ReviewCase, address: str) -> None:
    assert case.link is not None
    key, last = text_key(case.id), f"link_switched_{case.id}"
    done = switched(
        str(st.session_state[key]),
        case.post.platform,
        case.link.cited,
        address,
        st.session_state.get(last),
    )
    st.session_state[key], st.session_state[last] = done.text, done
