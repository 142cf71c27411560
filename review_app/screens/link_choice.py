"""A line of the decide form: what the reply costs as it stands, and a switch that puts the link in or takes it out."""

import streamlit as st

from rejoinder.drafting.link_proposals import LinkProposal
from rejoinder.review.links import carries, has_link, with_link, without_link
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
    key = f"link_{case.id}"
    st.session_state[key] = carries(text, address)
    with st.container(key="link_choice", horizontal=True, vertical_alignment="center", gap="small"):
        st.toggle(
            label_of(case.link.now),
            key=key,
            on_change=_switch,
            args=(case, address),
            disabled=refusal("edit_draft") is not None,
            help=address,
        )
        show(html('<div class="rj-meta">{}</div>', told_of(case.link, is_linked=has_link(text))))


def label_of(prices: LinkProposal) -> str:
    """What the switch is called: with what the link costs."""
    return f"With link (+{prices.extra_usd:.3f} USD)" if prices.extra_usd else "With link (at no cost)"


def told_of(link: CaseLink, *, is_linked: bool) -> str:
    """The price as the text stands, and what was decided before it was drafted."""
    price = link.now.price_with_link_usd if is_linked else link.now.price_usd
    told = f"As it stands: {price:.3f} USD." if price or link.now.extra_usd else ""
    proposal = link.proposal
    if proposal is None:
        return told
    word = "Drafted with a link" if proposal.is_proposed else "Drafted without a link"
    return f"{told} {word}: {proposal.reason}.".strip()


def _switch(case: ReviewCase, address: str) -> None:
    assert case.link is not None
    key, text = text_key(case.id), str(st.session_state[text_key(case.id)])
    if st.session_state[f"link_{case.id}"]:
        st.session_state[key] = with_link(text, case.post.platform, case.link.cited, address)
    else:
        st.session_state[key] = without_link(text, case.link.cited, address)
