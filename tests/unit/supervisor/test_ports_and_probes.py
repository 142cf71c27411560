import os
import socket
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from rejoinder.errors import ConfigInvalid
from resources.supervisor.ports import is_free, refuse_busy_ports
from resources.supervisor.probes import is_healthy
from resources.supervisor.specs import HttpProbe, PortClaim, TcpProbe


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response({"/good": 200, "/elsewhere": 302}.get(self.path, 500))
        self.end_headers()
        self.wfile.write(b'{"ok":true}')

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def http_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_busy_port_is_named_with_who_wants_it_who_has_it_and_the_way_out(
    listening: int, free_port: int
) -> None:
    claims = [
        PortClaim(listening, "the Dagster web page", "--dagster-port"),
        PortClaim(free_port, "the review app", "--review-port"),
    ]
    with pytest.raises(ConfigInvalid) as refusal:
        refuse_busy_ports(claims)
    message = str(refusal.value)
    assert f"Port {listening}" in message
    assert "the Dagster web page" in message
    assert "--dagster-port" in message
    assert f"process {os.getpid()}" in message
    assert "review" not in message


def test_every_busy_port_is_told_at_once(listening: int) -> None:
    claims = [PortClaim(listening, name, f"--{name}") for name in ("one", "two")]
    with pytest.raises(ConfigInvalid) as refusal:
        refuse_busy_ports(claims)
    assert "one needs" in str(refusal.value)
    assert "two needs" in str(refusal.value)
    assert "wanted by one and by two" in str(refusal.value)


def test_a_port_given_twice_is_refused_though_it_is_free(free_port: int) -> None:
    with pytest.raises(ConfigInvalid, match="--a or --b"):
        refuse_busy_ports([PortClaim(free_port, "one", "--a"), PortClaim(free_port, "two", "--b")])


def test_a_port_that_was_just_let_go_is_free(http_port: int, free_port: int) -> None:
    assert not is_free(http_port)
    assert is_free(free_port)


@pytest.mark.parametrize(
    ("path", "contains", "healthy"),
    [
        ("/good", "", True),
        ("/good", '"ok":true', True),
        ("/good", "absent", False),
        ("/elsewhere", "", False),
        ("/bad", "", False),
    ],
)
def test_http_probe_wants_a_good_status_and_the_words(
    http_port: int, path: str, contains: str, healthy: bool
) -> None:
    assert is_healthy(HttpProbe(http_port, path, contains)) is healthy


def test_nobody_listening_is_not_healthy(free_port: int) -> None:
    assert not is_healthy(HttpProbe(free_port))
    assert not is_healthy(TcpProbe(free_port))


def test_tcp_probe_needs_only_a_connection(listening: int) -> None:
    assert is_healthy(TcpProbe(listening))


def test_a_proxy_in_the_environment_is_not_asked(http_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert is_healthy(HttpProbe(http_port, "/good"))
