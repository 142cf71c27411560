"""The clients of endpoints: opened when first used, once per process."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from rejoinder.llm.endpoints import Endpoint

if TYPE_CHECKING:
    from rejoinder.llm.ports import ModelClient


class Clients:
    """Opens a client per endpoint and keeps it; threads that want the same one wait for the first.

    Args:
        open_client: makes the client of an endpoint; it may take seconds, as libraries are imported then.
    """

    def __init__(self, open_client: Callable[[Endpoint], "ModelClient"]) -> None:
        self._open = open_client
        self._lock = threading.Lock()
        self._opened: dict[str, ModelClient] = {}

    def is_open(self, endpoint: Endpoint) -> bool:
        """Whether the endpoint's client was opened before."""
        return endpoint.name in self._opened

    def of(self, endpoint: Endpoint) -> "ModelClient":
        """The endpoint's client.

        Raises:
            ConfigInvalid: it cannot be opened.
        """
        found = self._opened.get(endpoint.name)
        if found is not None:
            return found
        with self._lock:
            if endpoint.name not in self._opened:
                self._opened[endpoint.name] = self._open(endpoint)
            return self._opened[endpoint.name]
