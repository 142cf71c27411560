"""Prompts in PostgreSQL: every version with its content, the aliases of each task, and which prompt is in force.

What belongs here: rows to values and back. The run path reads these rows only: a version whose file is gone works like
any other, and MLflow is asked nothing.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.requests import Arm
from rejoinder.prompts.aliases import Alias, Aliases, InForce
from rejoinder.prompts.loader import FOLDER, Prompt, dump_demos, parse_prompt, read_demos, with_demos
from resources.postgres import Database, Transaction

# Seconds for which a process goes on with the aliases that it has read.
KEPT_S = 3.0
LIST_HINT = "`rejoinder prompts list` shows them."


@dataclass(frozen=True, slots=True)
class PromptRow:
    """One version as people see it: how often it was used, and what people said to its drafts.

    body is the file, demos its demonstrations as JSON. n_drafts counts drafts as the prompt made them, n_calls calls of
    models. n_decided and n_approved count decisions of people about those drafts, edited or not; simulated ones never.
    registered_at is None until MLflow has it.
    """

    version: str
    task: str
    name: str
    body: str
    created_at: datetime
    registered_at: datetime | None
    alias: Alias | None
    changed_at: datetime | None
    demos: str
    n_drafts: int
    n_decided: int
    n_approved: int
    n_calls: int

    @property
    def approval_rate(self) -> float | None:
        """Share of the decisions that were approvals, None where nobody decided.

        It counts a draft that was sent back or rejected alike.
        """
        return self.n_approved / self.n_decided if self.n_decided else None

    @property
    def label(self) -> str:
        """How people tell it from others: the file's name, and how many demonstrations go with it."""
        n_demos = len(read_demos(self.demos))
        return f"{self.name} + {n_demos} demo{'' if n_demos == 1 else 's'}" if n_demos else self.name

    @property
    def text(self) -> str:
        """All of it for people: the file, then each demonstration with its answer."""
        shown = [
            f"\n## demonstration {number}\n{demo.material}\n## answer {number}\n{demo.answer}\n"
            for number, demo in enumerate(read_demos(self.demos), 1)
        ]
        return "".join([self.body, *shown])


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One alias of a task: who carries it, who did before, and who did when MLflow last had the same."""

    task: str
    alias: Alias
    version: str | None
    previous: str | None
    agreed: str | None
    changed_at: datetime

    @property
    def waits_for_mlflow(self) -> bool:
        """Whether MLflow's alias is still to follow."""
        return self.version != self.agreed


def prompt_task(prompt: Prompt) -> str:
    """The task of a prompt file, its name without the version: files of one task are versions of one prompt."""
    return re.sub(r"\.v\d+$", "", prompt.name)


def file_order(prompt: Prompt) -> tuple[str, int]:
    """What sorts prompts by task and by the number of their file."""
    number = re.search(r"\.v(\d+)$", prompt.name)
    return prompt_task(prompt), int(number[1]) if number else 0


def packaged_prompts() -> list[Prompt]:
    """Every prompt file of rejoinder/prompts, by task and number.

    Raises:
        ConfigInvalid: a file breaks the format.
    """
    found = [parse_prompt(path.stem, path.read_bytes()) for path in FOLDER.glob("*.v*.md")]
    return sorted(found, key=file_order)


def ensure_prompts(tx: Transaction) -> None:
    """Every prompt file as a version; the first of a task that has no champion becomes it.

    Safe to do again, and by several processes at once.
    """
    prompts = packaged_prompts()
    for prompt in prompts:
        _store(tx, prompt)
    for prompt in prompts:
        tx.execute("ensure_champion", task=prompt_task(prompt), version=prompt.version)


def store_prompt(tx: Transaction, prompt: Prompt) -> str:
    """Keep a prompt with its demonstrations as a version of its task, its first as champion; the task.

    Later versions wait for a person.
    """
    _store(tx, prompt)
    task = prompt_task(prompt)
    tx.execute("ensure_champion", task=task, version=prompt.version)
    return task


def _store(tx: Transaction, prompt: Prompt) -> None:
    tx.execute(
        "ensure_prompt_version",
        version=prompt.version,
        task=prompt_task(prompt),
        name=prompt.name,
        body=prompt.data.decode("utf-8"),
        demos=dump_demos(prompt.demos),
    )


def stored_prompts(tx: Transaction) -> list[Prompt]:
    """Every version that can be used, by task, oldest first; those of an earlier release without their file cannot."""
    found = [row for row in tx.rows("stored_prompts") if row["body"].startswith("---")]
    return sorted(map(_prompt, found), key=file_order)


def prompt_of_version(tx: Transaction, version: str) -> Prompt:
    """The prompt of one version.

    Raises:
        ConfigInvalid: there is no such version, or its row cannot be read.
    """
    row = tx.row("prompt_of_version", version=version)
    if row is None:
        raise ConfigInvalid(f"There is no prompt of version {version}.", fix=LIST_HINT)
    return _prompt(row)


def find_version(tx: Transaction, text: str) -> tuple[str, str]:
    """The task and version of a prompt by the beginning of its version or by its file's name.

    Raises:
        ConfigInvalid: none is named so, or several are.
    """
    found = tx.rows("find_prompt_versions", text=text.strip().removesuffix(".md"))
    if not found or not text.strip():
        raise ConfigInvalid(f"There is no prompt {text!r}.", fix=LIST_HINT)
    if len(found) > 1:
        several = ", ".join(f"{row['version']} ({row['name']})" for row in found)
        raise ConfigInvalid(f"{text!r} names several prompts: {several}.", fix="Give the version in full.")
    return found[0]["task"], found[0]["version"]


def list_prompts(tx: Transaction, task: str | None = None) -> tuple[PromptRow, ...]:
    """Every version, by task, the newest first."""
    return tuple(PromptRow(**row) for row in tx.rows("list_prompt_versions", task=task))


def list_aliases(tx: Transaction, task: str | None = None) -> tuple[AliasRow, ...]:
    """Every alias that was ever given, by task."""
    return tuple(AliasRow(**row) for row in tx.rows("list_prompt_aliases", task=task))


def read_aliases(tx: Transaction, task: str) -> Aliases:
    """Who carries the aliases of a task."""
    return Aliases(**{row.alias: row.version for row in list_aliases(tx, task)})


def lock_task(tx: Transaction, task: str) -> Aliases:
    """The aliases of a task, which nobody else changes until the transaction ends."""
    tx.execute("lock_prompt_task", task=task)
    return read_aliases(tx, task)


def save_aliases(tx: Transaction, task: str, wanted: Aliases) -> None:
    """Give the aliases of a locked task to these versions; who has one already keeps it."""
    before = read_aliases(tx, task)
    if before.challenger is not None and before.challenger == wanted.champion:
        # It stands down first: no version carries both.
        tx.execute("set_prompt_alias", task=task, alias="challenger", version=None)
    if wanted.champion is not None:
        tx.execute("set_prompt_alias", task=task, alias="champion", version=wanted.champion)
    if wanted.challenger or before.challenger:
        tx.execute("set_prompt_alias", task=task, alias="challenger", version=wanted.challenger)


def read_in_force(tx: Transaction, task: str) -> InForce:
    """The prompts of a task that are in use; where no alias is set, the newest file of the package.

    Raises:
        ConfigInvalid: the task has no prompt at all, or the row of the one in force cannot be read.
    """
    found = {row["alias"]: _prompt(row) for row in tx.rows("prompts_in_force", task=task)}
    if "champion" in found:
        return InForce(found["champion"], found.get("challenger"))
    files = [prompt for prompt in packaged_prompts() if prompt_task(prompt) == task]
    if not files:
        raise ConfigInvalid(f"There is no prompt for {task!r}.", fix=LIST_HINT)
    return InForce(files[-1])


@dataclass(frozen=True, slots=True)
class KeptPrompts:
    """What is in force by database and task, read anew after kept_s seconds; clock is monotonic, in seconds."""

    kept_s: float = KEPT_S
    clock: Callable[[], float] = time.monotonic
    lock: threading.Lock = field(default_factory=threading.Lock)
    kept: WeakKeyDictionary[Database, dict[str, tuple[float, InForce]]] = field(
        default_factory=WeakKeyDictionary
    )

    def read(self, db: Database, task: str) -> InForce:
        """The prompts of a task that are in use, at most kept_s seconds old.

        Raises:
            ConfigInvalid: as `read_in_force`.
            ServiceUnavailable: PostgreSQL cannot be reached.
        """
        now = self.clock()
        with self.lock:
            until, found = self.kept.get(db, {}).get(task, (now, None))
        if found is not None and now < until:
            return found
        with db.transaction() as tx:
            found = read_in_force(tx, task)
        with self.lock:
            self.kept.setdefault(db, {})[task] = (now + self.kept_s, found)
        return found


_KEPT = KeptPrompts()


def prompt_in_force(
    where: Database | Transaction, task: str, unit: str, challenger_share: float
) -> tuple[Prompt, Arm]:
    """The prompt that one unit of a task's work gets, and which side of an A/B test that is.

    Args:
        where: the application's pool, whose aliases are kept for a few seconds, or a transaction to read in.
        task: such as ``reply``.
        unit: what is hashed, such as ``post:12``: the same unit gets the same side.
        challenger_share: the challenger's share of the units, in [0, 1]; without a challenger it means nothing.

    Raises:
        ConfigInvalid: as `read_in_force`.
    """
    in_force = read_in_force(where, task) if isinstance(where, Transaction) else _KEPT.read(where, task)
    return in_force.choose(task, unit, challenger_share)


def _prompt(row: dict[str, Any]) -> Prompt:
    """A version as it was stored.

    Raises:
        ConfigInvalid: its content is not what its version says.
    """
    prompt = with_demos(parse_prompt(row["name"], row["body"].encode("utf-8")), read_demos(row["demos"]))
    if prompt.version != row["version"]:
        raise ConfigInvalid(
            f"The stored prompt {row['name']} of version {row['version']} was changed: it reads as {prompt.version}."
        )
    return prompt
