"""Who is signed in: sign out, change the password."""

import streamlit as st

from resources.commands import people
from review_app.desk import database, me, sign_out
from review_app.problems import has_problem, show_problem, telling


def show_account() -> None:
    """The menu of the person at the right of every page."""
    with st.popover(f"{me().name} · {me().role}", key="account"):
        _password_form()
        if st.button("Sign out", key="sign_out", width="stretch"):
            sign_out()
            st.rerun()


def _password_form() -> None:
    with st.form("password_form", border=False, clear_on_submit=True):
        current = st.text_input("Current password", type="password", key="current_password")
        wanted = st.text_input("New password", type="password", key="new_password")
        pressed = st.form_submit_button("Change the password", key="change_password", width="stretch")
    if pressed:
        with telling("password"):
            people.change_password(database(), me(), me().name, wanted, current=current)
        if not has_problem("password"):
            st.session_state["flash"] = "The password is changed."
            st.rerun()
    show_problem("password")
