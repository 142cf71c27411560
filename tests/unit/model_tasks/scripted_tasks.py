"""Tasks on a model of a few lines: each answer is given by a script, every request is kept."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rejoinder.llm.requests import LlmReply, LlmRequest, Usage
from rejoinder.prompts.loader import Prompt, load_prompt
from resources.model_tasks.asked import ModelTask
from resources.programs import open_program

MODEL = "scripted::one"
Answer = str | Exception | dict[str, Any] | None


@dataclass
class ScriptedLlm:
    """Answers with texts, JSON or errors in turn, the last one for ever; None: the request's own offline answer."""

    answers: list[Answer]
    seen: list[LlmRequest] = field(default_factory=list)

    def complete(self, request: LlmRequest) -> LlmReply:
        answer = self.answers[min(len(self.seen), len(self.answers) - 1)]
        self.seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        if answer is None:
            assert request.offline is not None
            return LlmReply(request.offline(), "local::extractive", "local", Usage(0, 0), 0.0, "stop", 0.0)
        text = answer if isinstance(answer, str) else json.dumps(answer)
        return LlmReply(text, MODEL, "one", Usage(7, 3), 0.01, "stop", 1.0)


def task(
    name: str, make: Callable[[Prompt], Any], *answers: Answer, prompt: Prompt | None = None
) -> tuple[ModelTask[Any], ScriptedLlm]:
    """A task whose model gives these answers, and that model."""
    llm = ScriptedLlm(list(answers))
    asked = prompt or load_prompt(name, 1)
    return ModelTask(open_program(llm, name, make), lambda unit: asked, creator_id=7), llm
