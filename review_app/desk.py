"""What every page works with: the database, and the person who is signed in."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from rejoinder.review.roles import ROLE_NEEDED, Action, may
from resources.commands.actors import Actor, authorise
from resources.postgres import Database, Transaction
from resources.provision import prepare
from resources.settings import load_settings


@st.cache_resource(show_spinner=False, on_release=Database.close)
def open_database(url: str) -> Database:
    """One pool for all who look, opened once."""
    return Database(url).open()


def database() -> Database:
    """The domain database as the application, started and migrated if need be.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached.
        ConfigInvalid: the settings are wrong.
    """
    return open_database(prepare(load_settings()).app)


@contextmanager
def reading() -> Iterator[Transaction]:
    """A transaction to read in."""
    with database().transaction() as tx:
        yield tx


def me() -> Actor:
    """Who is signed in; pages run only behind the gate, so there is somebody."""
    actor = st.session_state["actor"]
    assert isinstance(actor, Actor)
    return actor


def is_signed_in() -> bool:
    """Whether somebody is signed in and still may look, with the role of this very moment."""
    if "actor" not in st.session_state:
        return False
    with reading() as tx:
        st.session_state["actor"] = authorise(tx, me(), "view")
    return True


def remember(actor: Actor) -> None:
    """Sign somebody in for this browser tab."""
    st.session_state["actor"] = actor


def sign_out() -> None:
    """Forget who was here and everything that was typed."""
    st.session_state.clear()


def refusal(action: Action) -> str | None:
    """Why the person may not do this, None if they may; the command asks again when it is done."""
    role = me().role
    return (
        None if may(role, action) else f"Needs the role {ROLE_NEEDED[action]}; you are signed in as {role}."
    )
