"""What an optimiser made of a prompt file, as a prompt again, and whether a saved program belongs to the file.

What belongs here: reading instructions and demonstrations in the records that DSPy keeps, without DSPy.
"""

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from rejoinder.errors import ConfigInvalid
from rejoinder.prompts.loader import Demo, Prompt, with_demos, with_system

# The output of every program, and where a saved state names its prompt.
ANSWER = "answer"
STATE_KEY = "prompt"


def prompt_of(base: Prompt, instructions: str, demos: Sequence[Any]) -> Prompt:
    """The prompt that these instructions and demonstrations make of a prompt file.

    Raises:
        ConfigInvalid: the instructions use a variable that the prompt does not have.
    """
    shown = [_demo(base, example) for example in demos]
    is_same = instructions == inspect.cleandoc(base.section("system"))
    changed = base if is_same else with_system(base, instructions)
    return with_demos(changed, [demo for demo in shown if demo])


def state_of(base: Prompt, now: Prompt) -> dict[str, str]:
    """What a saved program says of itself: its prompt's name, the version of the file, the version that it now is."""
    return {"name": base.name, "file": with_demos(base, ()).version, "version": now.version}


def check_state(base: Prompt, state: Mapping[str, Any]) -> None:
    """Whether a saved state is of this prompt file and as it was saved.

    Raises:
        ConfigInvalid: it is another prompt's, or was changed by hand.
    """
    saved, file = state.get(STATE_KEY) or {}, with_demos(base, ()).version
    if (saved.get("name"), saved.get("file")) != (base.name, file):
        raise ConfigInvalid(
            f"the program was saved for prompt {saved.get('name')} of version {saved.get('file')}, "
            f"this is {base.name} of version {file}: load it into a program of its own prompt file"
        )
    predict = state["predict"]
    found = prompt_of(base, predict["signature"]["instructions"], predict["demos"]).version
    if found != saved.get("version"):
        raise ConfigInvalid(
            f"the saved program of prompt {base.name} was changed after it was saved: it makes version {found}, "
            f"it says {saved.get('version')}"
        )


def _demo(prompt: Prompt, example: Any) -> Demo | None:
    """The demonstration in DSPy's record; None where it lacks material or answer, as a bare training example does."""
    row = dict(example)
    material, answer = row.get(str(prompt.fenced)), row.get(ANSWER)
    if material is None or answer is None:
        return None
    value = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer
    return Demo(material, json.dumps(value, ensure_ascii=False))
