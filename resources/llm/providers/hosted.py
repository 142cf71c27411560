"""Models over HTTP, asked through LiteLLM: OpenAI, Anthropic, Together, Moonshot, Ollama, and what speaks like OpenAI.

What belongs here: which services there are, what is sent, and what their answers mean. Answers are not streamed: nobody
reads half an answer, and one that breaks off is a failure either way.
"""

import json
import logging
import threading
import weakref
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import Finish, LlmRequest, RawReply, ReplySchema, Sampling, Usage
from resources.llm.providers.hosted_errors import Asked, failure_of, quoted
from resources.llm.providers.hosted_wire import exchange, http_client
from resources.llm.providers.openai_tokens import count_openai_tokens
from resources.llm.providers.quiet_litellm import check_installed, quiet_litellm

log = logging.getLogger("rejoinder.llm")


class Service(NamedTuple):
    """A provider as LiteLLM knows it: its name there, and the address where the endpoint names none."""

    prefix: str
    base_url: str
    is_keyless: bool = False


SERVICES: Mapping[str, Service] = {
    "openai": Service("openai", "https://api.openai.com/v1"),
    "anthropic": Service("anthropic", "https://api.anthropic.com"),
    "together": Service("together_ai", "https://api.together.xyz/v1"),
    "moonshot": Service("moonshot", "https://api.moonshot.ai/v1"),
    "ollama": Service("ollama_chat", "http://localhost:11434", is_keyless=True),
}
# Those that LiteLLM asks through OpenAI's own library.
SPEAKS_OPENAI = frozenset({"openai", "moonshot"})
# What a server that asks for no key is told in its place.
NO_KEY = "none"
FINISHES: Mapping[str, Finish] = {"length": "length", "content_filter": "filtered"}


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def open_client(endpoint: Endpoint, key: SecretStr | None) -> "HostedClient":
    """The client of an endpoint; LiteLLM is imported when it is first asked.

    Raises:
        ConfigInvalid: LiteLLM is not installed, or the key is missing; the message names what to do.
    """
    check_installed()
    service = SERVICES[endpoint.uri.provider]
    if key is None and endpoint.base_url is None and not service.is_keyless:
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: {endpoint.uri.provider} needs a key: set {key_variable(endpoint)} "
            "in the environment or in the file .env"
        )
    return HostedClient(endpoint, service, key)


def key_variable(endpoint: Endpoint) -> str:
    """Where an endpoint's key is looked for, if rejoinder.toml names no other place."""
    return "REJOINDER_KEY_" + endpoint.name.upper().replace("-", "_")


class HostedClient:
    """One model of one service; implements rejoinder.llm.ports.ModelClient, from any thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        service: Service,
        key: SecretStr | None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Keep the settings; nothing is imported, nothing asked.

        Args:
            endpoint: what to ask.
            service: how LiteLLM knows its provider.
            key: None where the server asks for none.
            now: the time, where a server names a date to wait for and no date of its answer.
        """
        self._endpoint = endpoint
        self._service = service
        self._key = key
        self._now = now
        self._opening = threading.Lock()
        self._opened: dict[str, Any] = {}

    @property
    def has_schemas(self) -> bool:
        """Whether the endpoint is said to keep to JSON Schemas."""
        return "json" in self._endpoint.capabilities

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """Ask once.

        Raises:
            ModelTrouble: no answer within timeout_s seconds in all, or one that may be another later.
            ModelRefusal: the service will not take this.
        """
        litellm = quiet_litellm()
        asked, arguments = self._asked(request, timeout_s), self._arguments(litellm, request)
        with exchange(timeout_s) as noted:
            try:
                answer = litellm.completion(**arguments, timeout=timeout_s)
            except Exception as error:
                raise failure_of(noted, error, asked, self._now) from None
        return reply_of(answer, request.sampling, asked)

    def count_tokens(self, text: str) -> int | None:
        """Tokens by the model's own tokenizer, where it comes with LiteLLM: OpenAI's models; else None."""
        is_openai = self._endpoint.uri.provider == "openai" and self._endpoint.base_url is None
        return count_openai_tokens(self._endpoint.uri.model, text) if is_openai else None

    def _asked(self, request: LlmRequest, timeout_s: float) -> Asked:
        return Asked(
            who=f"The endpoint {self._endpoint.name} ({self._endpoint.uri})",
            variable=key_variable(self._endpoint),
            timeout_s=timeout_s,
            key="" if self._key is None else self._key.get_secret_value(),
            prompts=tuple(message.text for message in request.messages),
        )

    def _arguments(self, litellm: Any, request: LlmRequest) -> dict[str, Any]:
        schema = (
            {"response_format": response_format(request.schema)}
            if request.schema and self.has_schemas
            else {}
        )
        return {
            "model": f"{self._service.prefix}/{self._endpoint.uri.model}",
            "messages": [{"role": message.role, "content": message.text} for message in request.messages],
            "max_tokens": request.sampling.max_tokens,
            **self._taken(litellm, drawn(request.sampling)),
            **schema,
            **self._way(litellm),
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": False,
        }

    def _taken(self, litellm: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the sampling parameters that the model takes; the others stay at the model's own."""
        left_out = {name for name, value in wanted.items() if not self._takes(litellm, name, value)}
        if left_out:
            log.debug("endpoint %s: its model takes no %s", self._endpoint.name, ", ".join(sorted(left_out)))
        return {name: value for name, value in wanted.items() if name not in left_out}

    def _takes(self, litellm: Any, name: str, value: Any) -> bool:
        try:
            litellm.utils.get_optional_params(
                model=self._endpoint.uri.model,
                custom_llm_provider=self._service.prefix,
                drop_params=False,
                **{name: value},
            )
        except litellm.UnsupportedParamsError:
            return False
        return True

    def _way(self, litellm: Any) -> dict[str, Any]:
        """Address, key and connections, opened once."""
        with self._opening:
            if not self._opened:
                self._opened = self._open(litellm)
            return self._opened

    def _open(self, litellm: Any) -> dict[str, Any]:
        key = NO_KEY if self._key is None else self._key.get_secret_value()
        base_url = (self._endpoint.base_url or self._service.base_url).rstrip("/")
        http = http_client(self._endpoint.max_concurrent)
        weakref.finalize(self, http.close)
        if self._service.prefix in SPEAKS_OPENAI:
            import openai

            client: Any = openai.OpenAI(api_key=key, base_url=base_url, http_client=http, max_retries=0)
        else:
            from litellm.llms.custom_httpx.http_handler import HTTPHandler

            client = HTTPHandler(client=http)
        return {"api_key": key, "api_base": base_url, "client": client}


def drawn(sampling: Sampling) -> dict[str, Any]:
    """The parameters of sampling under OpenAI's names, without those that say nothing.

    >>> drawn(Sampling(temperature=0.2, stop=("END",)))
    {'temperature': 0.2, 'stop': ['END']}
    """
    wanted: dict[str, Any] = {"temperature": sampling.temperature}
    if sampling.top_p < 1:
        wanted["top_p"] = sampling.top_p
    if sampling.seed is not None:
        wanted["seed"] = sampling.seed
    if sampling.stop:
        wanted["stop"] = list(sampling.stop)
    return wanted


@lru_cache(maxsize=64)
def response_format(schema: ReplySchema) -> dict[str, Any]:
    """A schema as OpenAI takes it: strict where it keeps to what that demands of schemas."""
    shape = json.loads(schema.json)
    return {
        "type": "json_schema",
        "json_schema": {"name": schema.name, "schema": shape, "strict": is_strict(shape)},
    }


def is_strict(schema: Any) -> bool:
    """Whether each object of a schema requires all its properties and allows no other (OpenAI's strict mode).

    >>> is_strict({"type": "object", "properties": {"a": {}}, "required": ["a"], "additionalProperties": False})
    True
    >>> is_strict({"type": "array", "items": {"type": "object", "properties": {"a": {}}}})
    False
    """
    if isinstance(schema, list):
        return all(is_strict(item) for item in schema)
    if not isinstance(schema, dict):
        return True
    if schema.get("type") == "object" or "properties" in schema:
        names = set(schema.get("properties", {}))
        if schema.get("additionalProperties") is not False or names != set(schema.get("required", ())):
            return False
    return all(is_strict(part) for part in schema.values())


def reply_of(answer: Any, sampling: Sampling, asked: Asked) -> RawReply:
    """What LiteLLM's answer says.

    Raises:
        ModelTrouble: nothing.
        ModelRefusal: that the model will not say anything, or that it had no tokens left to.
    """
    if not answer.choices:
        raise ModelTrouble("empty", f"{asked.who} gave no answer: its list of choices is empty.")
    choice = answer.choices[0]
    text = before_stop(choice.message.content or "", sampling.stop)
    refusal = (choice.message.provider_specific_fields or {}).get("refusal")
    if refusal:
        raise ModelRefusal("content", f"{asked.who} declined{quoted(str(refusal), asked)}.")
    if not text.strip():
        raise _nothing_said(str(choice.finish_reason), asked)
    return RawReply(text, usage_of(answer, text), FINISHES.get(choice.finish_reason, "stop"))


def _nothing_said(finish: str, asked: Asked) -> ModelTrouble | ModelRefusal:
    if finish == "content_filter":
        return ModelRefusal("content", f"{asked.who} gave no answer: its content filter cut all of it.")
    if finish == "length":
        return ModelRefusal(
            "request",
            f"{asked.who} used up the tokens of its answer before it said anything, thinking perhaps.",
            fix="Allow longer answers (max_tokens), or name a model that thinks less.",
        )
    if finish in {"tool_calls", "function_call"}:
        return ModelRefusal("request", f"{asked.who} called a tool, and was given none.")
    return ModelTrouble("empty", f"{asked.who} gave an empty answer.")


def before_stop(text: str, stop: tuple[str, ...]) -> str:
    """A text up to the first of the stops, for models that cannot be told any.

    >>> before_stop("yes END no", ("END",))
    'yes '
    """
    return text[: min((at for word in stop if (at := text.find(word)) >= 0), default=len(text))]


def usage_of(answer: Any, text: str) -> Usage | None:
    """Tokens read and written as told; None where not told, or where they cannot be right: no token, yet a text."""
    told = getattr(answer, "usage", None)
    read, written = getattr(told, "prompt_tokens", 0), getattr(told, "completion_tokens", 0)
    return Usage(read, written) if read and read > 0 and written and written > 0 and text else None
