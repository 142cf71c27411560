"""The review app: page settings, the gate before everything, and which pages there are.

Start it with ``rejoinder up``, or ``streamlit run review_app/app.py`` in the repository.
"""

from pathlib import Path

import streamlit as st

from rejoinder.errors import NotAllowed
from resources.store.screens import DeskNumbers, read_numbers, read_pulse
from review_app.desk import is_signed_in, reading, sign_out
from review_app.escaped import html, join, show
from review_app.places import remember_pages
from review_app.problems import describe, show_message
from review_app.screens import (
    ask,
    audit,
    board,
    channels,
    handoff,
    models,
    publications,
    results,
    review,
    sign_in,
    sources,
    trouble,
)
from review_app.screens.account import show_account
from review_app.texts import day_start

REFRESH_S = 5
LOOK = Path(__file__).with_name("look.css")
LOGO = str(Path(__file__).with_name("logo.svg"))


def main() -> None:
    """Draw the app; whatever fails becomes a message."""
    st.set_page_config("Rejoinder", page_icon="💬", layout="wide", initial_sidebar_state="collapsed")
    st.html(LOOK)
    st.logo(LOGO, size="large")
    try:
        if _is_let_in():
            _signed_in()
        else:
            st.navigation([st.Page(sign_in.page, title="Sign in")], position="hidden").run()
    except Exception as error:
        show_message(describe(error))
        st.button("Try again", key="try_again")


def _is_let_in() -> bool:
    try:
        return is_signed_in()
    except NotAllowed:
        sign_out()
        return False


def _signed_in() -> None:
    with reading() as tx:
        numbers = read_numbers(tx, day_start())
        st.session_state["pulse"] = read_pulse(tx)
    chosen = st.navigation(_pages(numbers), position="top")
    _heading(numbers)
    chosen.run()
    if flash := st.session_state.pop("flash", None):
        st.toast(flash)
    _watch()


def _pages(numbers: DeskNumbers) -> list[st.Page]:
    troubles = numbers.unread + numbers.dead
    pages = {
        "review": st.Page(review.page, title=_counted("Review", numbers.waiting), url_path="", default=True),
        "posts": st.Page(board.page, title="Posts", url_path="posts"),
        "handoff": st.Page(handoff.page, title=_counted("Hand-off", numbers.handoffs), url_path="hand-off"),
        "publications": st.Page(
            publications.page, title=_counted("Publications", numbers.unknown), url_path="publications"
        ),
        "results": st.Page(results.page, title="Results", url_path="results"),
        "sources": st.Page(sources.page, title="Sources", url_path="sources"),
        "ask": st.Page(ask.page, title="Ask", url_path="ask"),
        "channels": st.Page(channels.page, title="Channels", url_path="channels"),
        "models": st.Page(models.page, title="Models", url_path="models"),
        "trouble": st.Page(trouble.page, title=_counted("Trouble", troubles), url_path="trouble"),
        "audit": st.Page(audit.page, title="Audit", url_path="audit"),
    }
    remember_pages(pages)
    return list(pages.values())


def _counted(title: str, count: int) -> str:
    return f"{title} ({count})" if count else title


def _heading(numbers: DeskNumbers) -> None:
    """The day's numbers and who is signed in."""
    left, right = st.columns([80, 20], vertical_alignment="center")
    with left:
        figures = [
            (numbers.waiting, "waiting"),
            (numbers.approved_today, "approved today"),
            (numbers.rejected_today, "rejected today"),
            (numbers.sent_today, "sent today"),
            (numbers.handoffs, "to hand off"),
            (f"${numbers.spend_usd_today:,.2f}", "spent today"),
        ]
        pieces = [html('<span class="rj-number"><b>{}</b><span>{}</span></span>', *pair) for pair in figures]
        show(html('<div class="rj-numbers" title="The day begins at midnight UTC">{}</div>', join(pieces)))
    with right, st.container(horizontal=True, horizontal_alignment="right", key="person"):
        show_account()


@st.fragment(run_every=REFRESH_S)
def _watch() -> None:
    """Draw the app anew once something that people look at has changed."""
    try:
        with reading() as tx:
            pulse = read_pulse(tx)
    except Exception as error:
        describe(error)
        return
    if pulse != st.session_state.get("pulse"):
        st.rerun()


main()
