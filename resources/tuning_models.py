"""Sections of rejoinder.toml about language models: endpoints, who answers what, budgets, the cache of answers.

What belongs here: values with their limits, and turning them into the domain's own.
"""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, field_validator, model_validator

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from resources.tuning_sections import Section

# The endpoint that is always there: the answer that a task can give without a model.
LOCAL = "local"
LOCAL_URI = "local::extractive"
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class EndpointTuning(Section):
    """A model that may be called; its key stands in the environment as REJOINDER_KEY_<NAME>."""

    uri: str = Field(description="provider::model, such as openai::gpt-4.1-mini or llamacpp::NAME.")
    base_url: str | None = Field(
        None, pattern=r"^https?://", description="Address where the provider has no usual one."
    )
    key: Name | None = Field(None, description="NAME of REJOINDER_KEY_<NAME>; default the endpoint's own.")
    capabilities: tuple[Literal["text", "json", "embed"], ...] = Field(
        ("text",), description='What it can do: "text", "json" (keeps to a JSON Schema by itself), "embed".'
    )
    max_concurrent: int = Field(4, ge=1, le=10_000, description="Calls at once, by all processes together.")
    timeout_s: float = Field(60.0, gt=0, le=3_600, description="Seconds one call may take.")
    price_in: float | None = Field(
        None, ge=0, le=100_000, description="US dollars for a million tokens read."
    )
    price_out: float | None = Field(
        None, ge=0, le=100_000, description="US dollars for a million tokens written."
    )
    price_as_of: date | None = Field(None, description="Day when these prices were so.")
    weight: float = Field(1.0, gt=0, description="Which of equals is asked first: the one of more weight.")
    context_tokens: int | None = Field(
        None, ge=256, description="Most tokens of question and answer together."
    )
    dim: int | None = Field(None, ge=1, le=4_000, description="Length of its vectors, where it embeds.")

    @field_validator("uri")
    @classmethod
    def _is_a_model(cls, uri: str) -> str:
        try:
            return str(parse_uri(uri))
        except ConfigInvalid as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _both_prices(self) -> Self:
        if (self.price_in is None) != (self.price_out is None):
            raise ValueError("price_in and price_out belong together")
        if ("embed" in self.capabilities) != (self.dim is not None):
            raise ValueError(
                'dim is the length of vectors: it belongs to capabilities = ["embed"], and only there'
            )
        return self

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint as the gateway knows it."""
        price = None
        if self.price_in is not None and self.price_out is not None:
            price = Price(self.price_in, self.price_out, self.price_as_of)
        return Endpoint(
            name=name,
            uri=parse_uri(self.uri),
            base_url=self.base_url,
            capabilities=frozenset(self.capabilities),
            max_concurrent=self.max_concurrent,
            timeout_s=self.timeout_s,
            price=price,
            weight=self.weight,
            context_tokens=self.context_tokens,
            key_name=self.key,
        )


class TaskModels(Section):
    """Who answers one task."""

    endpoints: tuple[Name, ...] = Field((LOCAL,), min_length=1, description="Endpoints, first choice first.")
    choose: Literal["in_order", "least_loaded", "cheapest"] = Field(
        "in_order", description="Which endpoint is asked first; the others follow where it fails."
    )
    challenger: tuple[Name, ...] = Field((), description="Endpoints of an A/B test's other side.")
    challenger_share: float = Field(0.0, ge=0, le=1, description="Share of the units that it gets.")
    prompt_challenger_share: float = Field(
        0.0, ge=0, le=1, description="Share of the units that the prompt with the alias challenger gets."
    )

    @model_validator(mode="after")
    def _has_a_challenger(self) -> Self:
        if self.challenger_share > 0 and not self.challenger:
            raise ValueError("challenger_share needs a challenger: the endpoints of the other side")
        return self


class Models(Section):
    """How calls are made."""

    default: tuple[Name, ...] = Field(
        (LOCAL,),
        min_length=1,
        description='Endpoints of tasks that name none, first choice first; "local" needs no model.',
    )
    attempts: int = Field(3, ge=1, le=10, description="Calls of one endpoint before the next is asked.")
    backoff_s: float = Field(
        0.5, ge=0, le=60, description="Seconds before a second call; they double each time."
    )
    longest_wait_s: float = Field(
        30.0,
        ge=0,
        le=600,
        description="Longest wait for one more call; asked to wait longer, the next endpoint is asked.",
    )
    queue_s: float = Field(60.0, ge=0, le=3_600, description="Seconds to wait while all places are taken.")
    call_s: float = Field(
        600.0,
        gt=0,
        le=86_400,
        description="Seconds one call may take in all: waits, attempts and endpoints together.",
    )
    open_after: int = Field(5, ge=1, description="Failures in a row after which an endpoint is left alone.")
    open_s: float = Field(
        30.0, gt=0, description="Seconds until it is tried again; they double, up to an hour."
    )
    threads: int = Field(
        1,
        ge=1,
        le=256,
        description="Processor threads of one model on this machine; more pay off on an idle one.",
    )
    disk_gib: float = Field(20.0, ge=0, description="GiB that models on this machine may take in the home.")
    tasks: dict[Name, TaskModels] = Field({}, description="Per task: [models.tasks.reply] and its keys.")

    def task(self, name: str) -> TaskModels:
        """Who answers a task."""
        return self.tasks.get(name) or TaskModels(endpoints=self.default)


class ModelBudget(Section):
    """What models may cost on one UTC day; beyond it calls wait for the next."""

    total_usd: float = Field(5.0, ge=0, description="US dollars in all; 0 forbids every call that costs.")
    creator_usd: float = Field(5.0, ge=0, description="US dollars for each creator.")
    tasks: dict[Name, Annotated[float, Field(ge=0)]] = Field(
        {}, description="US dollars per task: reply = 2.0."
    )


class ReplyCache(Section):
    """Answers that are kept, so that the same question costs once."""

    ttl_days: float = Field(30.0, ge=0, le=3_650, description="Days an answer is kept; 0 keeps none.")
    largest_mib: int = Field(
        256, ge=1, le=1_048_576, description="MiB of answers; the longest unused go first."
    )
