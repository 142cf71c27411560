"""The page before all others: sign in, or how to make the first account."""

import streamlit as st

from resources.commands import people
from review_app.desk import database, remember
from review_app.escaped import html, show
from review_app.problems import has_problem, show_problem, telling

FIRST_ACCOUNT = "rejoinder user add NAME --role admin"


def page() -> None:
    """Draw the page."""
    with st.container(key="sign_in", gap="medium"):
        show(html('<div class="rj-brand">Rejoinder</div>'))
        if any(person.is_active and not person.is_simulated for person in people.list_people(database())):
            _form()
        else:
            _first_account()


def _first_account() -> None:
    st.write("There is no account yet. Make the first one, an admin, in a terminal on this machine:")
    st.code(FIRST_ACCOUNT, language=None)
    st.caption("Then come back here and sign in.")
    st.button("I have made one", key="look_again")


def _form() -> None:
    with st.form("sign_in_form", border=False):
        name = st.text_input("Name", key="sign_in_name", autocomplete="username")
        password = st.text_input(
            "Password", type="password", key="sign_in_password", autocomplete="current-password"
        )
        pressed = st.form_submit_button("Sign in", key="sign_in_button", type="primary", width="stretch")
    if pressed:
        with telling("sign_in"):
            remember(people.sign_in(database(), name, password, st.context.ip_address))
        if not has_problem("sign_in"):
            st.rerun()
    show_problem("sign_in")
