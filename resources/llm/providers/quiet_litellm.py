"""LiteLLM, imported once, late, and made to keep quiet: it fetches nothing, prints nothing, logs no prompt."""

import logging
import threading
from concurrent.futures import Future
from functools import cache
from importlib.util import find_spec
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.settings import export_for_children

INSTALL = "pip install -e '.[models]'"
# At DEBUG, and LiteLLM's at ERROR, they write what was asked, with its headers.
TALKATIVE = {
    "LiteLLM": logging.CRITICAL,
    "LiteLLM Router": logging.CRITICAL,
    "LiteLLM Proxy": logging.CRITICAL,
    "openai": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
}
_importing = threading.Lock()


def check_installed() -> None:
    """See that LiteLLM is there, without importing it.

    Raises:
        ConfigInvalid: it is not; the message names the command that installs it.
    """
    if find_spec("litellm") is None:
        raise ConfigInvalid(f"models over HTTP need LiteLLM, which is not installed: {INSTALL}")


def quiet_litellm() -> Any:
    """The module; the first call imports it, which takes seconds, while others wait."""
    with _importing:
        return _litellm()


@cache
def _litellm() -> Any:
    export_for_children()
    for name, level in TALKATIVE.items():
        logging.getLogger(name).setLevel(level)
    import litellm
    from litellm._service_logger import ServiceLogging
    from litellm.litellm_core_utils.thread_pool_executor import executor

    # Nobody listens to the events that it makes of every call. Sending them takes an event loop: it would make one in
    # the main thread and leave it open, and one for each call in any other.
    ServiceLogging._dispatch_from_sync = staticmethod(lambda hook: None)  # type: ignore[method-assign]
    # Nor to what it makes of an answer after it has given it: costs, a record, a message for each listener. That would
    # keep a thread busy, and whoever asked waiting for the interpreter, for longer than the gateway takes.
    executor.submit = _left_undone  # type: ignore[method-assign]
    litellm.suppress_debug_info = True
    litellm.turn_off_message_logging = True
    return litellm


def _left_undone(work: Any, /, *args: Any, **values: Any) -> "Future[Any]":
    """As LiteLLM itself answers where too much of the kind waits already."""
    undone: Future[Any] = Future()
    undone.cancel()
    return undone
