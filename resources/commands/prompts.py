"""Prompts: which version of a task's prompt is in force, and which one is tried beside it.

Each command checks the role, locks the task, moves its aliases and writes the audit row in one transaction; drafting
follows within seconds. MLflow follows when its aliases are next looked at (resources/prompt_registry.py).
"""

from dataclasses import dataclass

from rejoinder.errors import ConfigInvalid, IllegalMove, StaleView
from rejoinder.prompts.aliases import ALIASES, Aliases
from rejoinder.prompts.loader import Prompt
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database, Transaction
from resources.store.prompt_versions import (
    find_version,
    list_aliases,
    lock_task,
    packaged_prompts,
    prompt_of_version,
    prompt_task,
    save_aliases,
)

LOOK_AGAIN = "Look again with `rejoinder prompts list`."


@dataclass(frozen=True, slots=True)
class Change:
    """What a command did to the aliases of one task."""

    task: str
    before: Aliases
    after: Aliases


def promote(db: Database, actor: Actor, prompt: str, *, seen: Aliases | None = None) -> Change:
    """Make a version the champion of its task, so that it is in force.

    Args:
        db: the application's pool.
        actor: who decides.
        prompt: the beginning of its version, or its file's name.
        seen: the aliases that the person saw; None asks for nothing.

    Raises:
        NotAllowed: the role does not allow it.
        ConfigInvalid: no prompt is named so, or it cannot be used.
        IllegalMove: it is the champion already.
        StaleView: somebody moved an alias of the task in between.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_prompts")
        task, version = find_version(tx, prompt)
        _check_fits(prompt_of_version(tx, version))
        before = _locked(tx, task, seen)
        if version == before.champion:
            raise IllegalMove(f"{version} is the champion of {task} already.", fix=LOOK_AGAIN)
        return _move(tx, acting, "promote", task, before.with_champion(version))


def challenge(db: Database, actor: Actor, prompt: str, *, seen: Aliases | None = None) -> Change:
    """Make a version the challenger of its task: it gets the share that rejoinder.toml gives it.

    Raises:
        NotAllowed, ConfigInvalid, StaleView: as `promote`.
        IllegalMove: it is champion or challenger already.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_prompts")
        task, version = find_version(tx, prompt)
        _check_fits(prompt_of_version(tx, version))
        before = _locked(tx, task, seen)
        if version in (before.champion, before.challenger):
            carried = "champion" if version == before.champion else "challenger"
            raise IllegalMove(f"{version} is the {carried} of {task} already.", fix=LOOK_AGAIN)
        return _move(tx, acting, "challenge", task, Aliases(before.champion, version))


def _check_fits(prompt: Prompt) -> None:
    """Pass silently if the task's program can use the prompt, as it can the newest file of the package.

    Raises:
        ConfigInvalid: it cannot.
    """
    task = prompt_task(prompt)
    packaged = [own for own in packaged_prompts() if prompt_task(own) == task]
    if not packaged:
        return
    wanted, given = _contract(packaged[-1]), _contract(prompt)
    if given != wanted:
        raise ConfigInvalid(
            f"{prompt.name} ({prompt.version}) cannot be used for {task}: it has {given}, and {wanted} is needed.",
            fix="Change its front matter, store it as a version of its own and promote that.",
        )


def _contract(prompt: Prompt) -> str:
    variables = ", ".join(sorted(prompt.variables))
    return f"reply {prompt.reply}, variables {variables}, fenced {prompt.fenced}"


def drop_challenger(db: Database, actor: Actor, task: str, *, seen: Aliases | None = None) -> Change:
    """Let the champion do all the work of a task.

    Raises:
        NotAllowed, StaleView: as `promote`.
        IllegalMove: there is no challenger.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_prompts")
        before = _locked(tx, task, seen)
        if before.challenger is None:
            raise IllegalMove(f"{task} has no challenger.", fix=LOOK_AGAIN)
        return _move(tx, acting, "drop_challenger", task, Aliases(before.champion))


def rollback(db: Database, actor: Actor, task: str, *, seen: Aliases | None = None) -> Change:
    """Put the champion before this one in force again; the same again comes back to this one.

    Raises:
        NotAllowed, StaleView: as `promote`.
        ConfigInvalid: there is no such task.
        IllegalMove: there was no other champion.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_prompts")
        before = _locked(tx, task, seen)
        if before.champion is None:
            raise ConfigInvalid(f"There is no prompt for {task!r}.", fix=LOOK_AGAIN)
        earlier = {row.alias: row.previous for row in list_aliases(tx, task)}["champion"]
        if earlier is None:
            raise IllegalMove(f"{task} had no other champion than {before.champion}.", fix=LOOK_AGAIN)
        return _move(tx, acting, "rollback", task, before.with_champion(earlier))


def undo(db: Database, actor: Actor, change: Change) -> Change:
    """Give the aliases back to who carried them before a command.

    Raises:
        NotAllowed: the role does not allow it.
        StaleView: somebody moved one since.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "manage_prompts")
        _locked(tx, change.task, change.after)
        return _move(tx, acting, "undo", change.task, change.before)


def move_aliases(
    tx: Transaction, actor: Actor, action: str, task: str, before: Aliases, wanted: Aliases
) -> None:
    """Save the aliases of a locked task and write the audit row, with what changed; nothing where nothing does."""
    if wanted == before:
        return
    save_aliases(tx, task, wanted)
    was, now = before.as_mapping(), wanted.as_mapping()
    moved = [alias for alias in ALIASES if was[alias] != now[alias]]
    diff: dict[str, object] = {"task": task}
    for alias in moved:
        diff |= {f"{alias}_before": was[alias], alias: now[alias] or "none"}
    record(tx, actor, action, "prompt", None, diff)


def _locked(tx: Transaction, task: str, seen: Aliases | None) -> Aliases:
    found = lock_task(tx, task)
    if seen is not None and seen != found:
        raise StaleView(f"Somebody moved an alias of {task} in between.", fix=LOOK_AGAIN)
    return found


def _move(tx: Transaction, actor: Actor, action: str, task: str, wanted: Aliases) -> Change:
    before = lock_task(tx, task)
    move_aliases(tx, actor, action, task, before, wanted)
    return Change(task, before, wanted)
