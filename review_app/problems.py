"""Errors as messages: what went wrong, in words, and never a traceback. What was typed stays."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import streamlit as st

from rejoinder.errors import (
    ConfigInvalid,
    DecisionInvalid,
    IllegalMove,
    NotAllowed,
    RejoinderError,
    ServiceUnavailable,
    StaleView,
)
from review_app.escaped import note

log = logging.getLogger(__name__)

TITLES: dict[type[RejoinderError], str] = {
    StaleView: "Someone decided in between",
    NotAllowed: "This is not allowed",
    DecisionInvalid: "This cannot be done like that",
    IllegalMove: "This is no longer possible",
    ServiceUnavailable: "A service cannot be reached",
    ConfigInvalid: "Something is not set up",
}
HINTS: dict[type[RejoinderError], str] = {
    StaleView: "Your text is kept. Look at what changed, then decide again.",
    ServiceUnavailable: "Your text is kept. Try again in a moment.",
}
UNEXPECTED = "It was written to the app's log. Your text is kept; try again, and tell an admin if it stays."


class Problem(NamedTuple):
    """What a person is told."""

    title: str
    text: str


def describe(error: Exception) -> Problem:
    """The message for an error; one that nobody foresaw goes to the log with its traceback.

    >>> describe(StaleView("post 3 is done")).title
    'Someone decided in between'
    """
    if _is_lost_connection(error):
        error = ServiceUnavailable("PostgreSQL went away")
    if not isinstance(error, RejoinderError) or type(error) not in TITLES:
        log.error("unexpected error on a page", exc_info=error)
        return Problem("Something went wrong", UNEXPECTED)
    text = str(error).rstrip(".")
    hint = HINTS.get(type(error), "")
    return Problem(TITLES[type(error)], f"{text[:1].upper()}{text[1:]}. {hint}".strip())


def _is_lost_connection(error: Exception) -> bool:
    # By name: drivers of databases belong to resources.
    return any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)


@contextmanager
def telling(place: str) -> Iterator[None]:
    """Do something; where it fails, the message is shown at this place until something else is done there."""
    key = _key(place)
    st.session_state.pop(key, None)
    try:
        yield
    except Exception as error:
        st.session_state[key] = describe(error)


def has_problem(place: str) -> bool:
    """Whether the last deed at this place failed."""
    return _key(place) in st.session_state


def show_problem(place: str) -> None:
    """The message of this place, if there is one."""
    if problem := st.session_state.get(_key(place)):
        show_message(problem)


def show_message(problem: Problem) -> None:
    """A message in a red box."""
    note(problem.text, problem.title, "bad")


def _key(place: str) -> str:
    return f"problem_{place}"
