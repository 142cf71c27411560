"""Who made something with a prompt."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Writer:
    """A model, by its URI, and the version of the prompt that it was asked with."""

    model: str
    prompt_version: str
