"""Which model answers golden cases: the answers without a model, or a program on an endpoint."""

from dataclasses import dataclass

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Embedder
from rejoinder.prompts.loader import Prompt, load_prompt
from resources.evaluation.golden import TaskName
from resources.evaluation.golden_answers import Answerer
from resources.evaluation.golden_offline import offline_answerer
from resources.tuning_models import LOCAL, LOCAL_URI


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: a model's URI, or the name of an endpoint; and the prompt file, as ``reply.v1``."""

    model: str = LOCAL
    endpoint: str | None = None
    prompt: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether no model is asked."""
        return self.endpoint in (None, LOCAL) and self.model in (LOCAL, LOCAL_URI)


def named_prompt(name: str) -> Prompt:
    """The prompt file ``<task>.v<N>``.

    Raises:
        ConfigInvalid: the name has another form, or there is no such file.
    """
    task, dot, number = name.removesuffix(".md").rpartition(".v")
    if not dot or not number.isdigit():
        raise ConfigInvalid(
            f"--prompt {name}: that is no prompt.", fix="Write it as TASK.vN, such as reply.v1."
        )
    return load_prompt(task, int(number))


def open_answerer(task: TaskName, choice: Choice, embedder: Embedder) -> Answerer:
    """Whoever answers the cases of a task.

    Raises:
        ConfigInvalid: there is no such prompt, or the task cannot be asked of a model.
    """
    prompt = named_prompt(choice.prompt) if choice.prompt else None
    if choice.is_local:
        if prompt is not None and not prompt.name.startswith("reply_extractive."):
            raise ConfigInvalid(
                f"--prompt {choice.prompt}: without a model only the frames of replies are a prompt.",
                fix="Name a model (--model), or leave --prompt out.",
            )
        return offline_answerer(task, embedder, prompt)
    raise ConfigInvalid(
        f"{task} cannot be asked of a model: there is no program for them.",
        fix="Leave --model out: the answers without a model can be evaluated.",
    )
