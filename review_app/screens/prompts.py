"""Prompts: the versions of each task, what people said to their drafts, which one is in force, going back."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from resources.store.prompt_versions import AliasRow, PromptRow, list_aliases, list_prompts
from resources.tuning_models import Models
from review_app.desk import reading
from review_app.escaped import Markup, chip, html, join, note, show
from review_app.screens.prompt_moves import Move, ask, show_lost_move, show_panel, show_undo
from review_app.screens.prompt_text import show_text_of
from review_app.texts import counted, when, words

TONES = {"champion": "good", "challenger": "call"}


@dataclass(frozen=True, slots=True)
class Task:
    """The versions of one task's prompt, its aliases, and the share of its work that a challenger gets."""

    name: str
    versions: tuple[PromptRow, ...]
    aliases: tuple[AliasRow, ...]
    challenger_share: float

    def carrier(self, alias: str) -> PromptRow | None:
        """The version with this alias."""
        return next((row for row in self.versions if row.alias == alias), None)

    @property
    def earlier(self) -> PromptRow | None:
        """The champion before this one."""
        previous = next((row.previous for row in self.aliases if row.alias == "champion"), None)
        return next((row for row in self.versions if row.version == previous), None)


def show_prompts(models: Models) -> None:
    """The tasks at the left, the versions of the one that is open at the right."""
    with reading() as tx:
        tasks = _tasks(list_prompts(tx), list_aliases(tx), models)
    show(html('<div class="rj-title">Prompts</div>'))
    show_lost_move()
    if not tasks:
        text = "They are registered by the first command that drafts, and by rejoinder up."
        show(html('<div class="rj-empty"><b>No prompts yet.</b>{}</div>', text))
        return
    left, right = st.columns([30, 70], gap="medium")
    with left:
        task = _show_list(tasks)
    with right:
        _show_task(task)
    show_undo()


def _tasks(rows: Sequence[PromptRow], aliases: Sequence[AliasRow], models: Models) -> list[Task]:
    names = sorted({row.task for row in rows})
    return [
        Task(
            name,
            tuple(sorted((row for row in rows if row.task == name), key=_rank)),
            tuple(row for row in aliases if row.task == name),
            models.task(name).prompt_challenger_share,
        )
        for name in names
    ]


def _rank(row: PromptRow) -> int:
    """The champion first, then the challenger; the others stay as they come, the newest first."""
    return {"champion": 0, "challenger": 1}.get(row.alias or "", 2)


def _show_list(tasks: Sequence[Task]) -> Task:
    """The tasks; the one that is open."""
    opened = next((task for task in tasks if task.name == st.session_state.get("open_task")), tasks[0])
    for number, task in enumerate(tasks):
        is_open = task.name == opened.name
        with st.container(key=f"row_{'open_' if is_open else ''}task_{number}"):
            show(_task_card(task))
            if st.button(f"Open {words(task.name)}", key=f"pick_task_{number}", width="stretch"):
                st.session_state["open_task"] = task.name
                st.rerun()
    return opened


def _task_card(task: Task) -> Markup:
    champion, challenger = task.carrier("champion"), task.carrier("challenger")
    chips = [chip(champion.label, TONES["champion"], "champion")] if champion else []
    chips += [chip(challenger.label, TONES["challenger"], "challenger")] if challenger else []
    return html(
        '<div class="rj-line"><span class="rj-who">{}</span><span class="rj-meta">{}</span></div><div>{}</div>',
        words(task.name),
        counted(len(task.versions), "version"),
        join(chips, ""),
    )


def _show_task(task: Task) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        show(html('<div class="rj-title">{}</div>', words(task.name)))
        if task.earlier and task.earlier.alias != "champion":
            ask(
                f"Roll back to {task.earlier.label}",
                Move("rollback", task.earlier),
                key="roll_back",
            )
    if any(row.waits_for_mlflow for row in task.aliases):
        show(html('<div class="rj-meta">MLflow follows within a minute while Dagster runs.</div>'))
    show_panel(task.name, is_of_task=True)
    champion = task.carrier("champion")
    for row in task.versions:
        with st.container(border=True, key=f"prompt_{row.version}", gap="xsmall"):
            _show_version(row, champion, task)


def _show_version(row: PromptRow, champion: PromptRow | None, task: Task) -> None:
    show(_version_card(row, is_earlier=task.earlier is not None and row.version == task.earlier.version))
    with st.container(horizontal=True, gap="small", key=f"moves_{row.version}"):
        if row.alias != "champion":
            ask("Make champion", Move("promote", row), key=f"promote_{row.version}")
        if row.alias is None:
            ask("Make challenger", Move("challenge", row), key=f"challenge_{row.version}")
        if row.alias == "challenger":
            ask("No challenger", Move("drop", row), key=f"drop_{row.version}")
    show_panel(row.version)
    if row.alias == "challenger":
        _show_share(task)
    show_text_of(row, champion)


def _show_share(task: Task) -> None:
    """What the challenger gets, which rejoinder.toml says."""
    key = f"prompt_challenger_share of [models.tasks.{task.name}] in rejoinder.toml"
    if task.challenger_share:
        show(
            html('<div class="rj-meta">Gets {:g} % of the work: {}.</div>', 100 * task.challenger_share, key)
        )
    else:
        note(f"Set {key}: it is 0, so the challenger gets no work.", tone="warn")


def _version_card(row: PromptRow, *, is_earlier: bool) -> Markup:
    chips = [chip(row.alias, TONES[row.alias])] if row.alias else []
    chips += (
        [chip("champion before", title="The one to roll back to")] if is_earlier and not row.alias else []
    )
    return html(
        '<div class="rj-line whole"><span><span class="rj-who">{}</span> <span class="rj-meta">{}</span></span>'
        '<span class="rj-meta">{}</span></div><div>{}</div><div class="rj-meta">{}</div>',
        row.label,
        row.version,
        f"since {when(row.changed_at)}" if row.alias else f"known since {when(row.created_at)}",
        join(chips, ""),
        _worth(row),
    )


def _worth(row: PromptRow) -> str:
    """How often it was used, and what people said to its drafts."""
    facts = [counted(row.n_drafts, "draft")] if row.n_drafts else []
    facts += [f"{counted(row.n_calls, 'call')} of models"] if row.n_calls else []
    if row.approval_rate is not None:
        decisions = counted(row.n_decided, "decision")
        facts.append(f"{100 * row.approval_rate:.0f} % approved, of {decisions} by people")
    elif row.n_drafts:
        facts.append("no person decided about a draft of it")
    return " · ".join(facts) or "not used yet"
