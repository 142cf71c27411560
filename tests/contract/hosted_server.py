"""A server on a free port that answers each request with the bytes it was given, as slowly as it was told."""

import json
import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import Any


def answer(
    status: int,
    body: str | bytes | dict[str, Any] | list[Any],
    *,
    media_type: str = "application/json",
    **headers: str,
) -> bytes:
    """A whole HTTP answer; a dict or a list is sent as JSON."""
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {media_type}", f"Content-Length: {len(raw)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + raw


def completion(text: str, **more: Any) -> dict[str, Any]:
    """An answer of OpenAI's chat completions."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
        **more,
    }


class Served:
    """Answers every connection with ``reply``; with ``drip_s``, each so many seconds a byte after the first ones."""

    def __init__(self) -> None:
        self.reply: bytes = b""
        self.drip_s: float | None = None
        self.whole_first = 0
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listening.getsockname()[1]}"

    def close(self) -> None:
        """Stop, and wait for what is under way."""
        self._stopped.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for thread in self._threads:
            thread.join(10)

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self.requests.append(_read(connection))
            for piece in self._pieces():
                connection.sendall(piece)
                if self.drip_s is not None and self._stopped.wait(self.drip_s):
                    return

    def _pieces(self) -> Iterable[bytes]:
        if self.drip_s is None:
            return [self.reply]
        first, rest = self.reply[: self.whole_first], self.reply[self.whole_first :]
        return ([first] if first else []) + [bytes([byte]) for byte in rest]


def _read(connection: socket.socket) -> tuple[str, dict[str, str], Any]:
    """Request line, headers and JSON body of one request."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536) or _gone()
    head, _, body = received.partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (entry.partition(": ") for entry in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += connection.recv(65536) or _gone()
    return line, headers, json.loads(body) if body else None


def _gone() -> bytes:
    raise ConnectionError("the client left")
