"""`rejoinder prompts`: which version of a prompt is in force, what each is worth, moving the aliases, going back."""

from difflib import unified_diff
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from resources.commands.prompts import Change
    from resources.store.prompt_versions import AliasRow, PromptRow

prompts = typer.Typer(
    no_args_is_help=True,
    help="Versions of prompts: in force, on trial, and going back.",
)
Prompt = Annotated[
    str, typer.Argument(metavar="PROMPT", help="A version or its beginning, or the name of a prompt's file.")
]
Task = Annotated[str, typer.Argument(metavar="TASK", help="The task of a prompt, such as reply.")]
HEADS = ("prompt", "version", "alias", "drafts", "calls", "approved")


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(prompts, name="prompts")


@prompts.command("list")
def list_all(
    task: Annotated[
        str | None, typer.Argument(metavar="[TASK]", help="Only the prompts of this task.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List every version and which one is in force.

    With how often each was used, and what people said to its drafts.
    """
    with reporting(as_json):
        rows, aliases = _read(task)
    if as_json:
        print_json({"prompts": [_as_json(row) for row in rows], "aliases": aliases})
        return
    print_table("Prompts", HEADS, map(_cells, rows), empty="No prompt of this task is known.")
    if waiting := [row for row in aliases if row.waits_for_mlflow]:
        say(
            f"MLflow has yet to follow in {len(waiting)} moved alias{'' if len(waiting) == 1 else 'es'}: `rejoinder up`"
            " tells it within a minute, `rejoinder prompts sync` at once."
        )


@prompts.command()
def show(
    prompt: Prompt,
    diff: Annotated[
        bool, typer.Option("--diff", help="Show how it differs from the task's champion instead.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the text of a version and how it was used."""
    with reporting(as_json):
        row, champion = _find(prompt)
    difference = _difference(champion, row)
    if as_json:
        print_json({**_as_json(row), "text": row.text, "diff_to_champion": difference})
        return
    print_table("Prompt", HEADS, [_cells(row)])
    say((difference or "It is the champion itself.") if diff else row.text)


@prompts.command()
def promote(prompt: Prompt, who: As = None, as_json: AsJson = False) -> None:
    """Make a version the champion of its task.

    It is in force within seconds, in all processes.
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.prompts import promote as promote_prompt

        _told(promote_prompt(database, actor, prompt), as_json)


@prompts.command()
def challenge(
    prompt: Annotated[
        str,
        typer.Argument(metavar="PROMPT", help="As for promote; with --none the task that is to have none."),
    ],
    none: Annotated[
        bool, typer.Option("--none", help="Let the champion do all the work of the task.")
    ] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Try a version beside the champion.

    It gets `prompt_challenger_share` of its task's work, a key of [models.tasks.NAME] in rejoinder.toml.
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.prompts import challenge as challenge_prompt
        from resources.commands.prompts import drop_challenger

        _told((drop_challenger if none else challenge_prompt)(database, actor, prompt), as_json)


@prompts.command()
def rollback(task: Task, who: As = None, as_json: AsJson = False) -> None:
    """Put the champion before this one in force again.

    The same once more comes back to this one.
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.prompts import rollback as roll_back

        _told(roll_back(database, actor, task), as_json)


@prompts.command()
def sync(as_json: AsJson = False) -> None:
    """Register prompts in MLflow, and match its aliases.

    What `rejoinder up` does by itself, done now.
    """
    with reporting(as_json):
        from resources.rounds import follow_champions, open_bench

        with open_bench() as bench:
            counts = follow_champions(bench)
    answer(
        counts,
        as_json,
        f"{counts['prompt_versions']} prompts are new to MLflow, {counts['prompt_aliases']} of their aliases were"
        f" moved, {counts['champions']} champions of models changed.",
    )


def _read(task: str | None) -> "tuple[Sequence[PromptRow], Sequence[AliasRow]]":
    from resources.store.prompt_versions import ensure_prompts, list_aliases, list_prompts

    with open_database() as database, database.transaction() as tx:
        ensure_prompts(tx)
        return list_prompts(tx, task), list_aliases(tx, task)


def _find(prompt: str) -> "tuple[PromptRow, PromptRow | None]":
    """The version and its task's champion."""
    from resources.store.prompt_versions import ensure_prompts, find_version, list_prompts

    with open_database() as database, database.transaction() as tx:
        ensure_prompts(tx)
        task, version = find_version(tx, prompt)
        rows = {row.version: row for row in list_prompts(tx, task)}
    return rows[version], next((row for row in rows.values() if row.alias == "champion"), None)


def _difference(champion: "PromptRow | None", row: "PromptRow") -> str:
    """The change from the champion to a version, line by line; empty where there is none."""
    if champion is None:
        return ""
    before, after = champion.text.splitlines(), row.text.splitlines()
    return "\n".join(unified_diff(before, after, champion.version, row.version, lineterm=""))


def _cells(row: "PromptRow") -> tuple[object, ...]:
    rate = "" if row.approval_rate is None else f"{100 * row.approval_rate:.0f} % of {row.n_decided}"
    return row.label, row.version, row.alias, row.n_drafts, row.n_calls, rate


def _as_json(row: "PromptRow") -> dict[str, Any]:
    from cli.output import plain

    fields = plain(row)
    assert isinstance(fields, dict)
    kept = {name: value for name, value in fields.items() if name not in ("body", "demos")}
    return {**kept, "approval_rate": row.approval_rate}


def _told(change: "Change", as_json: bool) -> None:
    task, after = change.task, change.after
    tried = f"{after.challenger} is its challenger" if after.challenger else "it has no challenger"
    text = f"{after.champion} is the champion of {task}, {tried}; drafting follows within seconds."
    if after.challenger and not as_json and not _challenger_share(task):
        text += (
            f"\nIt gets no work yet: set prompt_challenger_share of [models.tasks.{task}] in rejoinder.toml."
        )
    answer({"task": task, "before": change.before, "after": after}, as_json, text)


def _challenger_share(task: str) -> float:
    """The share of a task's work that its challenger gets, in [0, 1]."""
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    return load_tuning(load_settings()).models.task(task).prompt_challenger_share
