"""Programs: prompt files as DSPy modules, so that they can be improved, saved and loaded with their demonstrations.

What belongs here: the one module that every task's program is, how a prompt becomes what is sent, and how what was
learned becomes a prompt again. Importing this file loads DSPy, so only functions import it.

What is sent is the filled prompt file and nothing else: of DSPy's own wording and field markers there is none, and
untrusted text stands inside the fence only.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import dspy
from dspy import lm15
from pydantic import BaseModel, ValidationError

from rejoinder.errors import ConfigInvalid, RejoinderError, ReplyInvalid
from rejoinder.llm.requests import Usage
from rejoinder.llm.schemas import schema_of
from rejoinder.prompts.learned import ANSWER, STATE_KEY, check_state, prompt_of, state_of
from rejoinder.prompts.loader import Demo, Prompt, Rendered, render

A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Answered(Generic[A]):
    """A program's answer and the tokens that DSPy counted for it."""

    value: A
    usage: Usage


class Program(dspy.Module, Generic[A]):  # type: ignore[misc]  # DSPy is untyped
    """A prompt as a module: one predictor, whose instructions are the system section as it stands in the file.

    Its inputs are the prompt's variables. The trusted ones fill the instructions when a question is asked, so an
    optimiser sees and changes the template and what it makes of it is a prompt file again.

    Args:
        prompt: with its demonstrations; something in it must be fenced.
        answer: the answer's shape.
        max_tokens: how long an answer may be.
    """

    def __init__(self, prompt: Prompt, answer: type[A], *, max_tokens: int = 1_024) -> None:
        super().__init__()
        if prompt.fenced is None:
            raise ConfigInvalid(f"prompt {prompt.name}: a program needs a fenced variable for its material")
        if prompt.reply != answer.__name__:
            raise ConfigInvalid(
                f"prompt {prompt.name} ({prompt.version}) asks for {prompt.reply}, the program reads {answer.__name__}",
                fix="Put another version in force: `rejoinder prompts list` shows them.",
            )
        self.base = prompt
        self.shape = answer
        self.predict = dspy.Predict(_signature(prompt, answer), max_tokens=max_tokens)
        self.predict.demos = [_example(prompt, demo) for demo in prompt.demos]

    @property
    def prompt(self) -> Prompt:
        """The prompt that this program now is: its version names text and demonstrations.

        Raises:
            ConfigInvalid: the instructions use a variable that the prompt does not have.
        """
        return prompt_of(self.base, self.predict.signature.instructions, self.predict.demos)

    def forward(self, **values: str) -> dspy.Prediction:
        """Predict with the filled prompt; errors of the gateway come as themselves."""
        with own_errors(), dspy.context(adapter=PromptAdapter(self.base, self.shape)):
            return self.predict(**values)

    async def aforward(self, **values: str) -> dspy.Prediction:
        """As `forward`, without blocking the event loop."""
        with own_errors(), dspy.context(adapter=PromptAdapter(self.base, self.shape)):
            return await self.predict.acall(**values)

    def ask(self, lm: dspy.LM, **values: str) -> Answered[A]:
        """Ask one question of this model; safe to call from several threads.

        Args:
            lm: the model, for this question only.
            values: one text for each of the prompt's variables.

        Raises:
            ReplyInvalid: the answer does not have the shape.
            ConfigInvalid: a variable is missing or unknown.
            PassingTrouble, ModelRefusal: as the gateway says.
        """
        with _asking(lm):
            return _answered(self(**values))

    async def aask(self, lm: dspy.LM, **values: str) -> Answered[A]:
        """As `ask`, without blocking the event loop."""
        with _asking(lm):
            return _answered(await self.acall(**values))

    def dump_state(self, json_mode: bool = True) -> dict[str, Any]:
        """DSPy's state without the model, and which prompt it belongs to."""
        state: dict[str, Any] = super().dump_state(json_mode=json_mode)
        state["predict"] |= {"lm": None, "traces": [], "train": []}
        state[STATE_KEY] = state_of(self.base, self.prompt)
        return state

    def load_state(self, state: Mapping[str, Any], *, allow_unsafe_lm_state: bool = False) -> None:
        """Take over a saved state; nothing changes where it is refused.

        Raises:
            ConfigInvalid: the state is another prompt's or was changed by hand.
        """
        check_state(self.base, state)
        super().load_state({"predict": {**state["predict"], "lm": None}})


def load_program(program: Program[A], path: Path) -> Program[A]:
    """Load what `Program.save` wrote to a JSON file into a program made of the same prompt file.

    Raises:
        ConfigInvalid: the file cannot be read, or is another prompt's, or was changed by hand.
    """
    try:
        program.load(path)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigInvalid(f"{path} is no saved program: {error}") from None
    return program


@contextmanager
def own_errors() -> Iterator[None]:
    """Errors of ours that an engine raised come out as themselves, not wrapped as DSPy wraps them."""
    try:
        yield
    except dspy.LMError as error:
        if isinstance(error.__cause__, RejoinderError):
            raise error.__cause__ from None
        raise


class PromptAdapter(dspy.Adapter):  # type: ignore[misc]  # DSPy is untyped
    """Sends the filled prompt file, asks for JSON of the answer's shape, reads it; asks once and no more."""

    def __init__(self, base: Prompt, shape: type[BaseModel]) -> None:
        super().__init__()
        self.base = base
        self.shape = shape

    def __call__(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, str],
    ) -> list[dict[str, Any]]:
        """Ask the model."""
        request = self.request(lm, lm_kwargs, signature, demos, inputs)
        return [self.parse(signature, lm(request).text or "")]

    async def acall(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, str],
    ) -> list[dict[str, Any]]:
        """As `__call__`, without blocking the event loop."""
        request = self.request(lm, lm_kwargs, signature, demos, inputs)
        return [self.parse(signature, (await lm.acall(request)).text or "")]

    def request(
        self,
        lm: dspy.LM,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, str],
    ) -> lm15.Request:
        """The request of one question.

        Raises:
            ConfigInvalid: a variable is missing or unknown.
        """
        filled = self._rendered(signature, demos, inputs)
        turns = [
            message
            for asked, answered in filled.demos
            for message in (lm15.Message.user(asked), lm15.Message.assistant(answered))
        ]
        return lm15.Request(
            model=lm.model,
            system=filled.system,
            messages=(*turns, lm15.Message.user(filled.user)),
            config=_config({**lm.kwargs, **lm_kwargs}, self.shape),
        )

    def format(
        self, signature: type[dspy.Signature], demos: list[Any], inputs: dict[str, str]
    ) -> list[dict[str, str]]:
        """What is sent, as DSPy's tools show it."""
        filled = self._rendered(signature, demos, inputs)
        turns = [
            {"role": role, "content": text}
            for pair in filled.demos
            for role, text in zip(("user", "assistant"), pair, strict=True)
        ]
        return [
            {"role": "system", "content": filled.system},
            *turns,
            {"role": "user", "content": filled.user},
        ]

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """The answer in its shape.

        Raises:
            ReplyInvalid: it has another.
        """
        try:
            return {ANSWER: self.shape.model_validate_json(completion)}
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the answer"
            raise ReplyInvalid(f"prompt {self.base.name}: {where}: {first['msg']}") from None

    def _rendered(
        self, signature: type[dspy.Signature], demos: list[Any], inputs: dict[str, str]
    ) -> Rendered:
        prompt = prompt_of(self.base, signature.instructions, demos)
        if unknown := sorted(set(inputs) - set(self.base.variables)):
            raise ConfigInvalid(f"prompt {prompt.name}: unknown variables {unknown}")
        return render(prompt, **{name: inputs[name] for name in prompt.variables if name in inputs})


def _asking(lm: dspy.LM) -> AbstractContextManager[None]:
    """DSPy's settings for one question: it counts tokens and keeps nothing of what was asked."""
    context: AbstractContextManager[None] = dspy.context(
        lm=lm, track_usage=True, disable_history=True, trace=None
    )
    return context


def _signature(prompt: Prompt, answer: type[BaseModel]) -> type[dspy.Signature]:
    fields: dict[str, Any] = {name: (str, dspy.InputField()) for name in prompt.variables}
    fields[ANSWER] = (answer, dspy.OutputField())
    signature: type[dspy.Signature] = dspy.Signature(fields, prompt.section("system"))
    return signature


def _example(prompt: Prompt, demo: Demo) -> dspy.Example:
    try:
        answer = json.loads(demo.answer)
    except ValueError:
        raise ConfigInvalid(
            f"prompt {prompt.name}: a demonstration's answer is no JSON: {demo.answer[:60]!r}"
        ) from None
    return dspy.Example(**{str(prompt.fenced): demo.material, ANSWER: answer})


def _config(kwargs: Mapping[str, Any], shape: type[BaseModel]) -> lm15.Config:
    """Sampling for one request; DSPy asks for another draw by a rollout's number, here it is the seed."""
    schema = schema_of(shape)
    return lm15.Config(
        max_tokens=kwargs.get("max_tokens"),
        temperature=kwargs.get("temperature"),
        top_p=kwargs.get("top_p"),
        stop=tuple(kwargs.get("stop") or ()),
        seed=kwargs.get("seed", kwargs.get("rollout_id")),
        response_format={
            "type": "json_schema",
            "name": schema.name,
            "schema": json.loads(schema.json),
            "strict": True,
        },
    )


def _answered(prediction: dspy.Prediction) -> Answered[Any]:
    counted = (prediction.get_lm_usage() or {}).values()
    asked = sum(usage.get("prompt_tokens") or 0 for usage in counted)
    answered = sum(usage.get("completion_tokens") or 0 for usage in counted)
    return Answered(prediction[ANSWER], Usage(asked, answered))
