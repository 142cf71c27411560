"""The server around the application: the socket, signals, and an end that lets requests in hand finish."""

import ipaddress
import logging
import signal
import socket

import uvicorn
from starlette.types import ASGIApp

from api.app import around, build_app
from api.desk import Desk
from rejoinder.errors import ConfigInvalid
from resources.access.keyring import WatchedKeyring
from resources.workbench import Workbench

GRACE_S = 15
# Connections at once, those included that only wait: beyond it the server answers 503 by itself.
CONNECTIONS = 200
IDLE_S = 30


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches the address.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open_door(host: str, *, may_be_remote: bool) -> None:
    """Pass silently if the server may listen there.

    Raises:
        ConfigInvalid: other machines would reach it, and nobody said that they may.
    """
    if not (may_be_remote or is_loopback(host)):
        fix = "Put a proxy with TLS in front of 127.0.0.1, or say that you mean it with --expose."
        raise ConfigInvalid(f"Other machines could reach {host}, and tokens would go unencrypted.", fix=fix)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    Raises:
        ConfigInvalid: the address cannot be used.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise ConfigInvalid(
            f"The API cannot listen on {host}:{port}: {error.strerror}.",
            fix="Choose another with --port or --host.",
        ) from None


def application(bench: Workbench) -> ASGIApp:
    """The whole application over a workbench."""
    desk = Desk(bench, WatchedKeyring(bench.settings.home_dir))
    return around(build_app(desk), bench.tuning.ingestion.largest_bytes)


def server_options(app: ASGIApp) -> uvicorn.Config:
    """How the application is served; requests in hand get GRACE_S when it ends."""
    # Its lines name whole addresses, with what was searched for. access_log=False alone leaves them to whoever else
    # sets up logging in this process.
    logging.getLogger("uvicorn.access").disabled = True
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


def build_server(app: ASGIApp) -> uvicorn.Server:
    """A server that ends cleanly on SIGINT or SIGTERM from now on.

    uvicorn handles signals only while it runs and raises them again afterwards; with its handler set before and after,
    every moment has a clean end.
    """
    server = uvicorn.Server(server_options(app))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, server.handle_exit)
    return server
