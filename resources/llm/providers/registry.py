"""Finds the provider of an endpoint by its entry point and opens its client.

A provider is a function ``open_client(endpoint, key) -> ModelClient`` under the entry-point group
``rejoinder.providers``; its name is what stands before ``::`` in a model's URI.
"""

from collections.abc import Callable
from functools import cache
from importlib.metadata import entry_points

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.ports import ModelClient

GROUP = "rejoinder.providers"

OpenClient = Callable[[Endpoint, SecretStr | None], ModelClient]


@cache
def provider_names() -> tuple[str, ...]:
    """The providers that are installed, by name."""
    return tuple(sorted({found.name for found in entry_points(group=GROUP)}))


def open_client(endpoint: Endpoint, key: SecretStr | None) -> ModelClient:
    """The client of an endpoint; the provider's own libraries are imported now at the earliest.

    Raises:
        ConfigInvalid: no such provider is installed, a library is missing (the message names the command that
            installs it), or the endpoint lacks something that the provider needs.
    """
    found = next(iter(entry_points(group=GROUP, name=endpoint.uri.provider)), None)
    if found is None:
        known = ", ".join(provider_names())
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: no provider {endpoint.uri.provider!r} is installed; there are: {known}"
        )
    load: OpenClient = found.load()
    return load(endpoint, key)
