"""Which services are asked over HTTP, and the way to each: address, key, connections."""

import threading
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import httpx
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import Endpoint
from resources.llm.providers.hosted_errors import Asked
from resources.llm.providers.hosted_wire import http_client
from resources.llm.providers.quiet_litellm import check_installed
from resources.settings import key_variable


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


class Line:
    """The way to an endpoint: its address, its key, and connections that are opened once; from any thread.

    Args:
        endpoint: whom it leads to.
        key: None where the server asks for none.

    Raises:
        ConfigInvalid: LiteLLM is not installed, or the key is missing or cannot be one; the message names what to do.
    """

    def __init__(self, endpoint: Endpoint, key: SecretStr | None) -> None:
        check_installed()
        self.endpoint = endpoint
        self.service = SERVICES[endpoint.uri.provider]
        variable = key_variable(endpoint.key_name or endpoint.name)
        if key is None and endpoint.base_url is None and not self.service.is_keyless:
            raise ConfigInvalid(
                f"endpoints.{endpoint.name}: {endpoint.uri.provider} needs a key: set {variable} "
                "in the environment or in the file .env"
            )
        if key is not None and not (
            key.get_secret_value().isascii() and key.get_secret_value().isprintable()
        ):
            raise ConfigInvalid(
                f"endpoints.{endpoint.name}: the key in {variable} has characters that no key has",
                fix="Copy the key anew, without line breaks and typographic quotation marks.",
            )
        self._key = key
        self._opening = threading.Lock()
        self._http: httpx.Client | None = None

    @property
    def base_url(self) -> str:
        """The server's address, without a slash at its end."""
        return (self.endpoint.base_url or self.service.base_url).rstrip("/")

    @property
    def key(self) -> str:
        """What the server is told for a key."""
        return NO_KEY if self._key is None else self._key.get_secret_value()

    @property
    def http(self) -> httpx.Client:
        """The connections; closed when nobody holds this any more."""
        with self._opening:
            if self._http is None:
                self._http = http_client(self.endpoint.max_concurrent)
                weakref.finalize(self, self._http.close)
            return self._http

    def asked(self, texts: Sequence[str], timeout_s: float) -> Asked:
        """Whom these texts are sent to, for messages of errors."""
        return Asked(
            who=f"The endpoint {self.endpoint.name} ({self.endpoint.uri})",
            variable=key_variable(self.endpoint.key_name or self.endpoint.name),
            timeout_s=timeout_s,
            key="" if self._key is None else self._key.get_secret_value(),
            prompts=texts,
        )


def openai_client(line: Line, base_url: str) -> Any:
    """A client of OpenAI's own library over the line's connections, which never repeats a request; it may be kept."""
    import openai

    class Once(openai.OpenAI):
        # LiteLLM sets this to 2 where it is told 0 (its embedding of 1.106.2): two more calls that nobody admitted.
        max_retries = property(lambda self: 0, lambda self, value: None)

    return Once(api_key=line.key, base_url=base_url, http_client=line.http)
