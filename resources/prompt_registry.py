"""Prompts in two registries: PostgreSQL, which the run path reads, and MLflow, where people compare them.

What belongs here: bringing the two to the same versions and aliases. An alias may be moved on either side. Whoever
moved it since both last agreed is followed; where both did, PostgreSQL's is, because a person with a role and a row in
the audit moved it there, and people are told.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rejoinder.prompts.aliases import Alias, Aliases, settle
from resources.commands.actors import Actor
from resources.commands.prompts import move_aliases
from resources.postgres import Database, Transaction
from resources.store.prompt_versions import AliasRow, list_aliases, lock_task, stored_prompts
from resources.store.publications import notify
from resources.tracking import Tracker

MLFLOW = Actor(None, "MLflow", "admin")
Carried = Mapping[Alias, str | None]


@dataclass(frozen=True, slots=True)
class Settled:
    """What one alias means from now on, whether MLflow has to be told, and what of both was lost, if anything."""

    version: str | None
    is_told: bool
    lost: str | None = None


def register_stored(db: Database, tracker: Tracker) -> int:
    """Register every stored prompt in MLflow; how many versions were new to it.

    Raises:
        ServiceUnavailable: PostgreSQL or MLflow's database cannot be reached.
    """
    with db.transaction() as tx:
        prompts = stored_prompts(tx)
        champions = {row.task: row.version for row in list_aliases(tx) if row.alias == "champion"}
    crowned = {task: version for task, version in champions.items() if version}
    made = tracker.register_prompts(prompts, crowned)
    with db.transaction() as tx:
        tx.execute("mark_prompts_registered", versions=[prompt.version for prompt in prompts])
    return sum(made.values())


def count_to_bring(db: Database) -> int:
    """How many versions and aliases MLflow does not have yet."""
    with db.transaction() as tx:
        return int(tx.value("count_prompts_to_bring"))


def agree_on_aliases(db: Database, tracker: Tracker, theirs: Mapping[str, Carried]) -> int:
    """Bring the aliases of both sides together; how many were moved on either.

    Args:
        db: the application's pool.
        tracker: MLflow.
        theirs: who carries which alias there, by task.

    Raises:
        ServiceUnavailable: PostgreSQL or MLflow's database cannot be reached.
    """
    with db.transaction() as tx:
        tasks = sorted({row.task for row in list_aliases(tx)})
    moved = 0
    for task in tasks:
        # MLflow has no prompt of this task until it is registered, which comes first.
        if task in theirs:
            moved += _agree(db, tracker, task, theirs[task])
    return moved


def _agree(db: Database, tracker: Tracker, task: str, theirs: Carried) -> int:
    with db.transaction() as tx:
        before = lock_task(tx, task)
        settled = _settled(tx, task, theirs)
        wanted = Aliases(settled["champion"].version, settled["challenger"].version)
        move_aliases(tx, MLFLOW, "follow_mlflow", task, before, wanted)
        _tell(tx, task, settled)
    told = [alias for alias, one in settled.items() if one.is_told]
    for alias in told:
        tracker.move_prompt_alias(task, alias, settled[alias].version)
    with db.transaction() as tx:
        for alias, one in settled.items():
            if one.is_told or one.version == theirs.get(alias):
                tx.execute("agree_on_prompt_alias", task=task, alias=alias, version=one.version)
    return len(told) + sum(was != now for was, now in zip(_pair(before), _pair(wanted), strict=True))


def _pair(aliases: Aliases) -> tuple[str | None, str | None]:
    return aliases.champion, aliases.challenger


def _settled(tx: Transaction, task: str, theirs: Carried) -> dict[Alias, Settled]:
    rows = {row.alias: row for row in list_aliases(tx, task)}
    known = {row["version"]: row["is_usable"] for row in tx.rows("versions_of_task", task=task)}
    found = {alias: _settle_one(alias, rows.get(alias), theirs, known) for alias in Aliases().as_mapping()}
    champion, challenger = found["champion"], found["challenger"]
    if challenger.version is not None and challenger.version == champion.version:
        # It is tried no more: it won.
        found["challenger"] = Settled(None, is_told="challenger" in theirs)
    return found


def _settle_one(alias: Alias, row: AliasRow | None, theirs: Carried, known: Mapping[str, bool]) -> Settled:
    ours, agreed = (row.version, row.agreed) if row else (None, None)
    if alias not in theirs and alias == "champion":
        # A task always has a champion: one that was taken away there is put back.
        return Settled(ours, is_told=True)
    given = theirs.get(alias)
    if given is not None and known.get(given) is False:
        # Of an earlier release, and its file is gone.
        return Settled(ours, is_told=True)
    if alias in theirs and given not in known:
        # A version that was made there: nothing can be followed, so only what was moved here counts.
        return Settled(ours, is_told=ours != agreed)
    version, is_lost = settle(agreed, ours, given)
    return Settled(version, version != given, given if is_lost else None)


def _tell(tx: Transaction, task: str, settled: Mapping[Alias, Settled]) -> None:
    """Tell people where a move that somebody made in MLflow was overruled."""
    for alias, one in settled.items():
        if one.is_told and one.lost is not None:
            message = (
                f"The {alias} of the prompt {task} was moved both here, to {one.version or 'none'}, and in MLflow, to "
                f"{one.lost}. It stays as it is here; MLflow follows."
            )
            notify(tx, "prompt_alias", message, None, None)
