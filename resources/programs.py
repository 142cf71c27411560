"""Opening programs on the gateway: who answers a task, with which prompt, for which item.

What belongs here: joining a program, the prompt in force and the gateway for one item, and whether a task has a model
at all. Nothing here imports DSPy before the first question is asked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from pydantic import BaseModel

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Llm
from rejoinder.llm.requests import LlmReply, LlmRequest
from rejoinder.prompts.loader import Prompt
from resources.llm.engine import CallContext, GatewayEngine, language_model
from resources.llm.providers.quiet_litellm import INSTALL
from resources.tuning_models import LOCAL, Models

if TYPE_CHECKING:
    from rejoinder.prompts.program import Program

A = TypeVar("A", bound=BaseModel)
# Prompts of one task that a process meets: the champion, a challenger, and those before and after a change.
PROGRAMS_KEPT = 16


class TimedLlm(Protocol):
    """A gateway that can be told how long it may take."""

    def complete(self, request: LlmRequest, *, within_s: float | None = None) -> LlmReply:
        """As `Llm.complete`, with all attempts and waits inside within_s seconds."""


@dataclass(frozen=True, slots=True)
class Within:
    """A gateway whose every answer takes at most within_s seconds; then it is trouble that passes."""

    llm: TimedLlm
    within_s: float

    def complete(self, request: LlmRequest) -> LlmReply:
        """The answer; raises as `Llm.complete`."""
        return self.llm.complete(request, within_s=self.within_s)


@dataclass(frozen=True, slots=True)
class Item:
    """What a question is about.

    input_ref ("post:12") and creator_id say what it belongs to; ab_unit is what A/B splits hash. offline gives the
    answer's JSON where no model is configured or reached.
    """

    input_ref: str
    ab_unit: str
    offline: Callable[[], str] | None = field(default=None, repr=False)
    creator_id: int | None = None


@dataclass(frozen=True, slots=True)
class Told(Generic[A]):
    """An answer, what the gateway says of it (model, endpoint, tokens, cost), and the prompt that was asked with."""

    value: A
    reply: LlmReply
    prompt_version: str


@dataclass(frozen=True, slots=True)
class OpenProgram(Generic[A]):
    """A task's program, ready to be asked from any thread."""

    llm: Llm
    task: str
    make: "Callable[[Prompt], Program[A]]"

    def ask(self, prompt: Prompt, values: Mapping[str, str], item: Item) -> Told[A]:
        """Ask one question with this prompt.

        Args:
            prompt: the version that is in force for the item.
            values: one text for each of the prompt's variables; the fenced one may be anybody's.
            item: what the question is about.

        Raises:
            PassingTrouble: no model answered, or the money is spent; later it may.
            ModelRefusal: no model takes it.
            ReplyInvalid: the answer does not have the task's shape.
            ConfigInvalid: a variable is missing or unknown.
        """
        replies: list[LlmReply] = []
        context = CallContext(
            self.task, prompt.version, item.input_ref, item.creator_id, item.ab_unit, item.offline
        )
        lm = language_model(GatewayEngine(self.llm, context, replies.append))
        answered = self.make(prompt).ask(lm, **values)
        return Told(answered.value, replies[-1], prompt.version)


def open_program(llm: Llm, task: str, make: "Callable[[Prompt], Program[A]]") -> OpenProgram[A]:
    """A task's program on a gateway; make is called once per prompt, and only then may DSPy be loaded.

    Raises:
        ConfigInvalid: DSPy is not installed; the fix names the command that installs it.
    """
    if find_spec("dspy") is None:
        raise ConfigInvalid(
            f"The task {task} asks a model, and the package dspy that asks it is not installed.",
            fix=f"Install it: {INSTALL}; or leave the task to `local` ([models.tasks.{task}] in rejoinder.toml).",
        )
    return OpenProgram(llm, task, lru_cache(maxsize=PROGRAMS_KEPT)(make))


def has_model(models: Models, task: str) -> bool:
    """Whether anything but the answer without a model is configured for a task."""
    chosen = models.task(task)
    return bool({*chosen.endpoints, *chosen.challenger} - {LOCAL})
