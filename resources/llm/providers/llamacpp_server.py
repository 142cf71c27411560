"""The GGUF models that this process has loaded: one server of llama.cpp per file and shape, inside the process.

What belongs here: loading at the first call, generating with a deadline, counting tokens, and letting go at the end.
A server is called as a library. It also listens on a port of 127.0.0.1, which it cannot be kept from: a key that only
this process knows guards it.
"""

import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.requests import Finish, RawReply, Usage
from resources.llm.providers.loaded import Loaded
from resources.llm.providers.places import Deadline, Places

# No message of llama.cpp is wanted on stderr: its troubles come back as errors.
SILENT = -1
# Tokens of a prompt that are read between two looks at the deadline.
PROMPT_STEP = 64
TOO_LONG = "exceed_context_size_error"


@dataclass(frozen=True, slots=True)
class Shape:
    """What a server is loaded as: its file, tokens of context per place, places, threads of the processor."""

    path: Path
    context_tokens: int
    places: int
    n_threads: int = 1


def loaded_model(shape: Shape) -> "LoadedModel":
    """The process's own model of this shape; its weights are read at the first call."""
    return _loaded.model(shape)


class LoadedModel:
    """A server of llama.cpp inside this process and the threads that call it.

    Args:
        shape: what it is loaded as.
    """

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._places = Places(shape.places, "llamacpp")
        # Of its own, as counting takes no place of the model: what is counted for a call must not wait for others.
        self._counter = Places(1, "llamacpp-count")
        self._lock = Lock()
        self._key = secrets.token_urlsafe(24)

    def answer(self, body: dict[str, Any], timeout_s: float) -> RawReply:
        """Answer a chat within timeout_s seconds, waiting for a place and loading included.

        Raises:
            ModelTrouble: no answer in time, or no place.
            ModelRefusal: too long for the context, or llama.cpp does not take the request.
        """
        return self._places.run(lambda deadline: self._generated(body, deadline), timeout_s)

    def count_tokens(self, text: str, timeout_s: float) -> int:
        """Tokens of a text, special ones left out, within timeout_s seconds, loading included.

        Loading goes on when the time is over, for the next call.

        Raises:
            ModelTrouble: the server inside this process does not answer, or not in time.
            ModelRefusal: llama.cpp cannot load the model.
        """
        return self._counter.run(lambda deadline: self._counted(text, timeout_s, deadline), timeout_s)

    def _counted(self, text: str, timeout_s: float, deadline: Deadline) -> int:
        wanted = json.dumps({"content": text, "add_special": False, "parse_special": False})
        where = urlsplit(self._server().listening_address)
        deadline.check()
        connection = HTTPConnection(str(where.hostname), where.port, timeout=timeout_s)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request("POST", "/tokenize", wanted, headers)
            return len(json.loads(connection.getresponse().read())["tokens"])
        except (OSError, HTTPException, ValueError, KeyError) as error:
            raise ModelTrouble(
                "connection", f"The model's tokenizer gave no answer: {type(error).__name__}."
            ) from None
        finally:
            connection.close()

    def _generated(self, body: dict[str, Any], deadline: Deadline) -> RawReply:
        server = self._server()
        deadline.check()
        heard = _Heard(deadline)
        wanted = {**body, "stream": True, "return_progress": True, "stream_options": {"include_usage": True}}
        try:
            server.handle_chat_completions(wanted, heard)
        except (ValueError, RuntimeError) as error:
            raise _refused(str(error)) from None
        return heard.reply(self.shape)

    def _server(self) -> Any:
        with self._lock:
            return self._opened

    @cached_property
    def _opened(self) -> Any:
        from xllamacpp import CommonParams, Server

        path = self.shape.path
        try:
            return Server(_params(CommonParams(), self.shape, self._key))
        except RuntimeError:
            raise ModelRefusal(
                "unknown_model",
                f"llama.cpp cannot load {path.name}: it does not know the model's architecture, or memory is short.",
                fix="Check the file with `rejoinder models verify`; give the endpoint fewer context_tokens.",
            ) from None


def _params(params: Any, shape: Shape, key: str) -> Any:
    params.model.path = str(shape.path)
    params.n_ctx, params.n_parallel = shape.context_tokens * shape.places, shape.places
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = shape.n_threads
    params.n_batch = params.n_ubatch = PROMPT_STEP
    params.verbosity, params.warmup, params.ui = SILENT, False, False
    params.api_keys, params.endpoint_slots = [key], False
    params.cache_ram_mib = 0
    return params


@dataclass(slots=True)
class _Heard:
    """What the server has said so far; called with each piece, it says whether to stop."""

    deadline: Deadline
    pieces: list[str] = field(default_factory=list)
    finish: str | None = None
    usage: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] | None = None

    def __call__(self, piece: dict[str, Any]) -> bool:
        self.error = piece.get("error") or self.error
        self.usage = piece.get("usage") or self.usage
        for choice in piece.get("choices", ()):
            self.pieces.append(choice["delta"].get("content") or "")
            self.finish = choice.get("finish_reason") or self.finish
        return self.error is not None or self.deadline.is_over()

    def reply(self, shape: Shape) -> RawReply:
        """The whole answer; raises what stands in the way of one."""
        if self.error is not None:
            raise _refused(str(self.error.get("message")), str(self.error.get("type")))
        if self.finish is None:
            self.deadline.check()
            raise ModelTrouble("server", "llama.cpp stopped in the middle of an answer.")
        usage = Usage(int(self.usage.get("prompt_tokens", 0)), int(self.usage.get("completion_tokens", 0)))
        is_full = usage.tokens_in + usage.tokens_out >= shape.context_tokens
        if is_full and not any(self.pieces):
            raise _refused(f"the request leaves no room in {shape.context_tokens} tokens", TOO_LONG)
        finish: Finish = "length" if is_full or self.finish == "length" else "stop"
        return RawReply("".join(self.pieces), usage, finish)


def _refused(message: str, kind: str = "") -> ModelRefusal:
    if kind == TOO_LONG:
        return ModelRefusal(
            "context",
            f"It is too long for the model on this machine: {message}.",
            fix="Give the endpoint more context_tokens, if the model was trained for more.",
        )
    return ModelRefusal("request", f"llama.cpp does not take the request: {message}.")


_loaded: Loaded[Shape, LoadedModel] = Loaded(LoadedModel)
