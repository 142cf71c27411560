"""The server around the application: the socket, and a protocol that can drop a connection."""

import asyncio
import signal
import socket
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from resources.sandbox.gate import DROP


class DroppingProtocol(H11Protocol):
    """HTTP/1.1 that lets a handler close its connection without an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Give the application a way to the transport."""
        super().connection_made(transport)
        app = self.app

        async def with_drop(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("extensions", {})[DROP] = transport.abort
            await app(scope, receive, send)

        self.app = with_drop


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        OSError: the port is in use or may not be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def url_host(host: str) -> str:
    """A host as it stands in a URL.

    >>> url_host("::1")
    '[::1]'
    """
    return f"[{host}]" if ":" in host else host


def build_server(app: Starlette) -> uvicorn.Server:
    """A server for the application that ends cleanly on SIGINT or SIGTERM from now on.

    uvicorn handles signals only once it runs, and raises them again when it is done; keeping its
    handler before and after makes every moment a clean end. Open streams get a second.
    """
    config = uvicorn.Config(
        app,
        http=DroppingProtocol,
        ws="none",
        lifespan="on",
        log_level="warning",
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    return server
