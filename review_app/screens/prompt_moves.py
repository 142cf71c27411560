"""Moving the aliases of prompts: a button, a question whether it is meant, and the way back."""

from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st

from rejoinder.prompts.aliases import Aliases
from resources.commands import prompts as commands
from resources.store.prompt_versions import PromptRow, read_aliases
from review_app.desk import database, me, reading, refusal
from review_app.escaped import html, note, show
from review_app.problems import has_problem, show_problem, telling
from review_app.texts import words

Deed = Literal["promote", "challenge", "drop", "rollback"]
PANEL, UNDO, PLACE = "prompt_panel", "prompt_undo", "prompts"
QUESTIONS: dict[Deed, tuple[str, str]] = {
    "promote": (
        "Make it champion",
        "From the next piece of work on, all of {task} is done with this version. Drafts that were made keep theirs.",
    ),
    "challenge": (
        "Make it challenger",
        "It gets the share of {task} that prompt_challenger_share in rejoinder.toml names, the champion does the rest.",
    ),
    "drop": ("Take it out of the test", "From the next piece of work on, the champion does all of {task}."),
    "rollback": (
        "Roll back",
        "From the next piece of work on, all of {task} is done with the champion before this one.",
    ),
}
SAID: dict[Deed, str] = {
    "promote": "{prompt} is the champion of {task} now.",
    "challenge": "{prompt} is tried beside the champion of {task} now.",
    "drop": "The champion does all of {task} now.",
    "rollback": "{prompt} is the champion of {task} again.",
}


@dataclass(frozen=True, slots=True)
class Move:
    """What is to be done with a version; seen are the aliases that the person had before them."""

    deed: Deed
    prompt: PromptRow
    seen: Aliases | None = None


def ask(label: str, move: Move, *, key: str) -> None:
    """A button that opens the question whether it is meant."""
    hindrance = refusal("manage_prompts")
    st.button(label, key=key, disabled=hindrance is not None, help=hindrance, on_click=_open, args=(move,))


def _open(move: Move) -> None:
    with reading() as tx:
        seen = read_aliases(tx, move.prompt.task)
    st.session_state[PANEL] = replace(move, seen=seen)


def _close() -> None:
    st.session_state.pop(PANEL, None)


def show_panel(of: str, *, is_of_task: bool = False) -> None:
    """The question, if one is open about this version or, for going back, about this task."""
    move: Move | None = st.session_state.get(PANEL)
    if move is None or (move.deed == "rollback") != is_of_task:
        return
    if of != (move.prompt.task if is_of_task else move.prompt.version):
        return
    label, text = QUESTIONS[move.deed]
    with st.container(border=True, key="prompt_move_panel", gap="small"):
        note(text.format(task=words(move.prompt.task)))
        with st.container(horizontal=True, gap="small"):
            pressed = st.button(label, key="confirm_prompt_move", type="primary")
            st.button("Cancel", key="cancel_prompt_move", shortcut="Esc", on_click=_close)
        if pressed:
            _do(move)
        show_problem(PLACE)


def show_lost_move() -> None:
    """Why the last move failed, where no question is open any more that could say it."""
    if PANEL not in st.session_state:
        show_problem(PLACE)


def _do(move: Move) -> None:
    with telling(PLACE):
        change = _commanded(move)
        said = SAID[move.deed].format(task=words(change.task), prompt=move.prompt.label)
        st.session_state[UNDO] = (change, said)
    if not has_problem(PLACE):
        _close()
        st.rerun()


def _commanded(move: Move) -> commands.Change:
    if move.deed == "promote":
        return commands.promote(database(), me(), move.prompt.version, seen=move.seen)
    if move.deed == "challenge":
        return commands.challenge(database(), me(), move.prompt.version, seen=move.seen)
    if move.deed == "drop":
        return commands.drop_challenger(database(), me(), move.prompt.task, seen=move.seen)
    return commands.rollback(database(), me(), move.prompt.task, seen=move.seen)


def show_undo() -> None:
    """A toast with a button that takes the last move back."""
    offered: tuple[commands.Change, str] | None = st.session_state.get(UNDO)
    if offered is None:
        return
    change, text = offered
    with st.container(key="undo", horizontal=True, vertical_alignment="center"):
        show(html('<div class="rj-undo">{}</div>', text))
        if st.button("Undo", key="undo_prompt_move"):
            _undo(change)
        if st.button("Close", key="close_prompt_undo"):
            st.session_state.pop(UNDO)
            st.rerun()


def _undo(change: commands.Change) -> None:
    st.session_state.pop(UNDO)
    with telling(PLACE):
        commands.undo(database(), me(), change)
        st.session_state["flash"] = "Taken back."
    st.rerun()
