"""Endpoints: models that can be called, under what name, limits and price.

What belongs here: the values that describe an endpoint, and reading a model's URI.
"""

import re
from dataclasses import dataclass
from datetime import date

from rejoinder.errors import ConfigInvalid

URI = re.compile(r"(?P<provider>[a-z][a-z0-9_-]*)::(?P<model>\S+)")
# Written by programs for DSPy; what counts is the provider behind it.
DSPY = "dspy"
# What an endpoint can do: write text, keep to a JSON Schema by itself, turn texts into vectors.
CAPABILITIES = ("text", "json", "embed")


@dataclass(frozen=True, slots=True)
class ModelUri:
    """A model's address, ``provider::model``."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}::{self.model}"


def parse_uri(text: str) -> ModelUri:
    """Read ``provider::model``; ``dspy::provider/model`` means the same model.

    Raises:
        ConfigInvalid: the text has another form.

    >>> str(parse_uri("openai::gpt-4.1-mini")), str(parse_uri("dspy::openai/gpt-4.1-mini"))
    ('openai::gpt-4.1-mini', 'openai::gpt-4.1-mini')
    """
    found = URI.fullmatch(text)
    if found is None:
        raise ConfigInvalid(f"{text!r} is no model: write provider::model, such as openai::gpt-4.1-mini")
    if found["provider"] != DSPY:
        return ModelUri(found["provider"], found["model"])
    provider, slash, model = found["model"].partition("/")
    if not slash or not model:
        raise ConfigInvalid(
            f"{text!r} is no model: write dspy::provider/model, such as dspy::openai/gpt-4.1-mini"
        )
    return ModelUri(provider, model)


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens read and written, and the day when that was so."""

    in_usd_per_mtok: float
    out_usd_per_mtok: float
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model that can be called.

    name is the operator's own. base_url is None where the provider has a usual one or needs none. price None: not
    known, so nothing that counts money may call it. weight orders equals: more is asked first. context_tokens is None
    where it is not known. key_name is under what name its key is kept, None for the endpoint's own.
    """

    name: str
    uri: ModelUri
    base_url: str | None = None
    capabilities: frozenset[str] = frozenset({"text"})
    max_concurrent: int = 4
    timeout_s: float = 60.0
    price: Price | None = None
    weight: float = 1.0
    context_tokens: int | None = None
    key_name: str | None = None
