"""A task that a model does: its program, the prompt in force, and who may be charged.

What belongs here: what all tasks share: whether there is a model, what a question carries, how long it may take.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from pydantic import BaseModel

from rejoinder.errors import ModelRefusal, PassingTrouble, RejoinderError, ReplyInvalid
from rejoinder.prompts.loader import Prompt
from rejoinder.prompts.writer import Writer
from resources.postgres import Database
from resources.programs import Item, OpenProgram, TimedLlm, Told, Within, has_model, open_program
from resources.store.prompt_versions import prompt_in_force
from resources.tuning_models import LOCAL, Models

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

A = TypeVar("A", bound=BaseModel)
# Of an item's time so much is the models': what is left is for saying what went wrong.
SHARE_OF_TIME = 0.8
# Refusals of this one request; the others say that the model is not set up as it should be, for any request.
ABOUT_THE_REQUEST = ("content", "context")


@dataclass(frozen=True, slots=True)
class Desk:
    """What opens tasks: the gateway at its first use, the prompts' database, who is configured, whose money it is."""

    llm: Callable[[], TimedLlm]
    db: Database
    models: Models
    creator_id: Callable[[], int | None] = lambda: None


@dataclass(frozen=True, slots=True)
class Troubled:
    """There is no answer now; raised when the item is saved, so that those beside it keep theirs."""

    error: RejoinderError


@dataclass(frozen=True, slots=True)
class ModelTask(Generic[A]):
    """A task, ready to be asked from any thread; prompt_of says which prompt is in force for a unit ("post:12")."""

    program: OpenProgram[A]
    prompt_of: Callable[[str], Prompt]
    creator_id: int | None = None

    def ask(self, values: Mapping[str, str], ref: str, offline: Callable[[], str]) -> Told[A]:
        """Ask about one item; raises as `OpenProgram.ask`.

        Args:
            values: one text for each of the prompt's variables.
            ref: what the question belongs to, such as ``post:12``; both sides of A/B tests are drawn by it.
            offline: the JSON of the answer without a model.
        """
        return self.program.ask(self.prompt_of(ref), values, Item(ref, ref, offline, self.creator_id))

    def try_to_ask(
        self, values: Mapping[str, str], ref: str, offline: Callable[[], str]
    ) -> Told[A] | Troubled | str:
        """As `ask`; Troubled where there may be one later or something has to be set right, else why not."""
        try:
            return self.ask(values, ref, offline)
        except PassingTrouble as error:
            return Troubled(error)
        except ModelRefusal as error:
            return str(error) if error.kind in ABOUT_THE_REQUEST else Troubled(error)
        except ReplyInvalid as error:
            return str(error)


def open_task(
    desk: Desk, task: str, make: "Callable[[Prompt], Program[A]]", *, item_s: float | None = None
) -> ModelTask[A] | None:
    """A task on the gateway; None where it is done without a model, and then nothing is opened.

    Args:
        desk: what it is opened with.
        task: its name, which is also its prompt's.
        make: the task's program.
        item_s: seconds that one item may take; None leaves it at models.call_s.
    """
    if not has_model(desk.models, task):
        return None
    seconds = desk.models.call_s if item_s is None else min(desk.models.call_s, SHARE_OF_TIME * item_s)
    share = desk.models.task(task).prompt_challenger_share
    program = open_program(Within(desk.llm(), seconds), task, make)
    return ModelTask(program, lambda unit: prompt_in_force(desk.db, task, unit, share)[0], desk.creator_id())


def writer_of(told: Told[A]) -> Writer | None:
    """The model that answered; None where it was the answer without a model."""
    return None if told.reply.endpoint == LOCAL else Writer(told.reply.model, told.prompt_version)
