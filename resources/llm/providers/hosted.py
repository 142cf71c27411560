"""Models over HTTP, asked through LiteLLM: OpenAI, Anthropic, Together, Moonshot, Ollama, and what speaks like OpenAI.

What belongs here: what is sent. Answers are not streamed: nobody reads half an answer, and one that breaks off is a
failure either way.
"""

import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from typing import Any

from pydantic import SecretStr

from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, RawReply, ReplySchema, Sampling
from resources.llm.providers.hosted_errors import failure_of
from resources.llm.providers.hosted_replies import reply_of
from resources.llm.providers.hosted_services import SPEAKS_OPENAI, Line, openai_client
from resources.llm.providers.hosted_wire import exchange
from resources.llm.providers.openai_tokens import count_openai_tokens
from resources.llm.providers.quiet_litellm import quiet_litellm

log = logging.getLogger("rejoinder.llm")


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def open_client(endpoint: Endpoint, key: SecretStr | None) -> "HostedClient":
    """The client of an endpoint; LiteLLM is imported when it is first asked.

    Raises:
        ConfigInvalid: LiteLLM is not installed, or the key is missing; the message names what to do.
    """
    return HostedClient(Line(endpoint, key))


class HostedClient:
    """One model of one service; implements rejoinder.llm.ports.ModelClient, from any thread."""

    def __init__(self, line: Line, now: Callable[[], datetime] = utc_now) -> None:
        """Keep the settings; nothing is imported, nothing asked.

        Args:
            line: the way to the endpoint.
            now: the time, where a server names a date to wait for and no date of its answer.
        """
        self._line = line
        self._endpoint, self._service = line.endpoint, line.service
        self._now = now
        self._known: dict[tuple[str, float | None], bool] = {}

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
        litellm, arguments = quiet_litellm(), self._arguments(request)
        asked = self._line.asked([message.text for message in request.messages], timeout_s)
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

    def _arguments(self, request: LlmRequest) -> dict[str, Any]:
        schema = request.schema if self.has_schemas else None
        return {
            "model": f"{self._service.prefix}/{self._endpoint.uri.model}",
            "messages": [{"role": message.role, "content": message.text} for message in request.messages],
            "max_tokens": request.sampling.max_tokens,
            **self._taken(drawn(request.sampling)),
            **({"response_format": response_format(schema)} if schema else {}),
            "api_key": self._line.key,
            "api_base": self._line.base_url,
            "client": self._client,
            "num_retries": 0,
            "max_retries": 0,
            "drop_params": False,
        }

    def _taken(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Those of the sampling parameters that the model takes; the others stay at the model's own."""
        if self._endpoint.uri.provider == "anthropic":
            # It takes one of the two.
            wanted = {name: value for name, value in wanted.items() if name != "top_p"}
        return {name: value for name, value in wanted.items() if self._takes(name, value)}

    def _takes(self, name: str, value: Any) -> bool:
        """Whether LiteLLM knows that the model takes this value; models that it does not know take all."""
        asked = (name, value if name in {"temperature", "top_p"} else None)
        if asked not in self._known:
            self._known[asked] = self._would_take(name, value)
            if not self._known[asked]:
                log.info("endpoint %s: its model takes no %s = %s", self._endpoint.name, name, value)
        return self._known[asked]

    def _would_take(self, name: str, value: Any) -> bool:
        litellm = quiet_litellm()
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

    @cached_property
    def _client(self) -> Any:
        """What LiteLLM asks through; two threads may make one each at first, over the same connections."""
        if self._service.prefix in SPEAKS_OPENAI:
            return openai_client(self._line, self._line.base_url)
        from litellm.llms.custom_httpx.http_handler import HTTPHandler

        return HTTPHandler(client=self._line.http)


def drawn(sampling: Sampling) -> dict[str, Any]:
    """The parameters of sampling under OpenAI's names, without those that change nothing.

    >>> drawn(Sampling(temperature=0.2, stop=("END",))), drawn(Sampling(temperature=0, top_p=0.5))
    ({'temperature': 0.2, 'stop': ['END']}, {'temperature': 0})
    """
    wanted: dict[str, Any] = {"temperature": sampling.temperature}
    if sampling.top_p < 1 and sampling.temperature > 0:
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
