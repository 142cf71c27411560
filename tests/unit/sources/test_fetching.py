"""Fetching from a server that means ill: every limit holds, no private address is reached, no key is quoted."""

import gzip
import ipaddress
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpcore
import pytest

from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.fetching import Fetcher, FetchFailed, Validators
from resources.guarded_network import Allowance, is_public

LOOPBACK = Allowance.parse(["127.0.0.0/8"])
MIB = 2**20
Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """A local server whose pages are functions; it keeps what it was asked for."""

    pages: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    port: int = 0

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def page(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        """A page with this answer; its address."""

        def answer(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name.replace("_", "-"), value)
            if "Content_Length" not in headers:
                handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            with suppress(OSError):
                handler.wfile.write(body)

        self.pages[path] = answer
        return self.url(path)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
            made.pages[self.path.partition("?")[0]](self)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        made.port = httpd.server_address[1]
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        httpd.shutdown()
        thread.join()


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher(LOOPBACK, largest_bytes=MIB, timeout_s=20)


def test_a_page_comes_with_its_type_and_validators(server: Server, fetcher: Fetcher) -> None:
    url = server.page(
        "/a.vtt", b"WEBVTT\n", Content_Type="Text/VTT; charset=utf-8", ETag='"7"', Last_Modified="yesterday"
    )
    got = fetcher.fetch(url)
    assert (got.data, got.media_type, got.url) == (b"WEBVTT\n", "text/vtt", url)
    assert got.validators == Validators('"7"', "yesterday")
    assert "rejoinder" in server.asked[0][1]["user-agent"].lower()


def test_an_unchanged_page_brings_no_body(server: Server, fetcher: Fetcher) -> None:
    url = server.page("/feed", status=304)
    assert fetcher.fetch(url, Validators('"7"', "yesterday")).data is None
    _, headers = server.asked[0]
    assert (headers["if-none-match"], headers["if-modified-since"]) == ('"7"', "yesterday")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_for_good(server: Server, fetcher: Fetcher, status: int) -> None:
    with pytest.raises(InputUnreadable, match=str(status)):
        fetcher.fetch(server.page("/gone", status=status))


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_trouble_passes(server: Server, fetcher: Fetcher, status: int) -> None:
    with pytest.raises(FetchFailed, match=str(status)) as caught:
        fetcher.fetch(server.page("/busy", status=status))
    assert caught.value.retry_after_s is None


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("120", 120, 120),
        ("in ten minutes", 500, 600),
        ("999999999", 86_400, 86_400),
        ("-5", None, None),
        ("soon", None, None),
    ],
)
def test_a_server_says_how_long_to_wait(
    server: Server, fetcher: Fetcher, header: str, at_least: float | None, at_most: float | None
) -> None:
    if header == "in ten minutes":  # from now, not from when the tests were collected
        header = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    with pytest.raises(FetchFailed) as caught:
        fetcher.fetch(server.page("/busy", status=429, Retry_After=header))
    wait = caught.value.retry_after_s
    assert wait is None if at_least is None else at_least <= wait <= at_most  # type: ignore[operator]


def test_redirects_are_followed_but_not_for_ever(server: Server, fetcher: Fetcher) -> None:
    server.page("/end", b"here")
    first = server.page("/1", status=302, Location="/2?x=1")
    server.page("/2", status=307, Location=server.url("/end"))
    got = fetcher.fetch(first)
    assert (got.data, got.url) == (b"here", server.url("/end"))
    circle = server.page("/circle", status=301, Location="/circle")
    with pytest.raises(InputUnreadable, match="passed on"):
        fetcher.fetch(circle)


@pytest.mark.parametrize(
    "target",
    [
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "gopher://x/",
        "//",
        "http://",
        "//[::1",
        "http://a.example:99999/",
    ],
)
def test_a_redirect_leaves_neither_http_nor_the_open_network(
    server: Server, fetcher: Fetcher, target: str
) -> None:
    with pytest.raises(InputUnreadable):
        fetcher.fetch(server.page("/away", status=302, Location=target))


def test_a_redirect_to_a_private_address_is_refused(server: Server) -> None:
    secret = server.page("/secret", b"inner")
    away = server.page("/away", status=302, Location=secret.replace("127.0.0.1", "localhost"))

    def lookup(host: str, _port: int) -> list[str]:
        return ["127.0.0.1"]

    fetcher = Fetcher(Allowance.parse(["pod.example"]), MIB, 20, lookup=lookup)
    with pytest.raises(InputUnreadable, match="private address"):
        fetcher.fetch(away.replace("127.0.0.1", "pod.example"))
    assert [path for path, _ in server.asked] == ["/away"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.8", "192.168.1.1", "172.16.3.4", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:10.0.0.8",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:4136:e378::",
        "198.18.0.1", "192.0.2.1", "2001:db8::1", "::127.0.0.1", "::ffff:0:10.0.0.8", "64:ff9b:1::a00:8", "fec0::1",
    ],
)  # fmt: skip
def test_no_private_address_is_reached(address: str) -> None:
    fetcher = Fetcher(Allowance(), MIB, 20, lookup=lambda *_: [address], network=Refusing())
    with pytest.raises(InputUnreadable, match="private address"):
        fetcher.fetch("http://pod.example/feed")


def test_one_private_address_among_public_ones_is_enough(server: Server) -> None:
    fetcher = Fetcher(
        Allowance(), MIB, 20, lookup=lambda *_: ["93.184.215.14", "10.0.0.1"], network=Refusing()
    )
    with pytest.raises(InputUnreadable, match="private address"):
        fetcher.fetch("http://pod.example/feed")


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:4700::6810:84e5", "64:ff9b::5db8:d70e"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/", "http://127.1/"]
)
def test_spellings_of_loopback(url: str) -> None:
    fetcher = Fetcher(Allowance(), MIB, 20, network=Refusing())
    with pytest.raises((InputUnreadable, FetchFailed)):
        fetcher.fetch(url)


class Refusing(httpcore.NetworkBackend):
    """A network that must not be used."""

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        raise AssertionError(f"connected to {host}")


@dataclass
class Rerouting(httpcore.NetworkBackend):
    """A network that keeps which addresses were asked for, and leads them all to one local port."""

    port: int
    asked: list[str] = field(default_factory=list)

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        self.asked.append(host)
        return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port, *args, **kwargs)


def test_a_name_that_changes_its_mind_is_asked_once(server: Server) -> None:
    answers = iter([["93.184.215.14"], ["127.0.0.1"], ["127.0.0.1"]])
    network = Rerouting(server.port)
    fetcher = Fetcher(Allowance(), MIB, 20, lookup=lambda *_: next(answers), network=network)
    server.page("/feed", b"words")
    assert fetcher.fetch("http://rebinding.example/feed").data == b"words"
    assert network.asked == ["93.184.215.14"]
    assert server.asked[0][1]["host"] == "rebinding.example"


def test_the_next_address_is_tried_where_one_does_not_answer(server: Server) -> None:
    server.page("/x", b"words")
    with socket.socket() as closed:
        closed.bind(("127.0.0.2", 0))
        fetcher = Fetcher(LOOPBACK, MIB, 20, lookup=lambda *_: ["127.0.0.2", "127.0.0.1"])
        assert fetcher.fetch(server.url("/x", "pod.example")).data == b"words"


def test_a_body_larger_than_it_says(server: Server, fetcher: Fetcher) -> None:
    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with suppress(OSError):
            while True:
                handler.wfile.write(bytes(65_536))

    server.pages["/flood"] = flood
    with pytest.raises(InputUnreadable, match="larger than 1 MiB"):
        fetcher.fetch(server.url("/flood"))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_put_out(server: Server, fetcher: Fetcher, encoding: str) -> None:
    plain = bytes(40 * MIB)
    packed = gzip.compress(plain, 1) if encoding == "gzip" else zlib.compress(plain, 1)
    assert len(packed) < MIB
    with pytest.raises(InputUnreadable, match="larger than 1 MiB"):
        fetcher.fetch(server.page("/bomb", packed, Content_Encoding=encoding))


def test_packed_words_are_unpacked(server: Server, fetcher: Fetcher) -> None:
    words = b"some words " * 9_000
    assert fetcher.fetch(server.page("/gz", gzip.compress(words), Content_Encoding="gzip")).data == words


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "zstd"])
def test_what_was_not_asked_for_is_refused(server: Server, fetcher: Fetcher, encoding: str) -> None:
    with pytest.raises(InputUnreadable, match="packed"):
        fetcher.fetch(server.page("/x", b"abc", Content_Encoding=encoding))


def test_a_body_that_is_not_packed_as_said(server: Server, fetcher: Fetcher) -> None:
    with pytest.raises(InputUnreadable, match="not packed"):
        fetcher.fetch(server.page("/x", b"plain words", Content_Encoding="gzip"))


def test_bodies_that_break_off_are_tried_again(server: Server, fetcher: Fetcher) -> None:
    packed = gzip.compress(b"some words" * 100)[:-9]
    for url in (
        server.page("/half", packed, Content_Encoding="gzip"),
        server.page("/short", b"abc", Content_Length="1000"),
    ):
        with pytest.raises(FetchFailed):
            fetcher.fetch(url)


@pytest.mark.parametrize("begins_with", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_trickles_is_left(server: Server, begins_with: bytes) -> None:
    stop = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            handler.wfile.write(begins_with)
            while not stop.wait(0.02):
                handler.wfile.write(b"X")

    server.pages["/slow"] = trickle
    fetcher = Fetcher(LOOPBACK, MIB, timeout_s=0.4)
    started = time.monotonic()
    try:
        with pytest.raises(FetchFailed, match="out of time"):
            fetcher.fetch(server.url("/slow"))
    finally:
        stop.set()
    assert time.monotonic() - started < 60


def test_nobody_there(fetcher: Fetcher) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(FetchFailed, match="no usable answer"):
            fetcher.fetch(f"http://127.0.0.1:{port}/")


def test_a_name_that_does_not_exist() -> None:
    def unknown(*_: Any) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(FetchFailed, match=r"pod\.example"):
        Fetcher(Allowance(), MIB, 20, lookup=unknown).fetch("https://pod.example/feed")


def test_no_message_quotes_a_secret(server: Server, fetcher: Fetcher) -> None:
    server.page("/private", status=404)
    server.page("/busy", status=503)
    for path, kind in (("/private", InputUnreadable), ("/busy", FetchFailed)):
        url = f"http://ann:hunter2@127.0.0.1:{server.port}{path}?token=abc123&v=1"
        with pytest.raises(kind) as caught:
            fetcher.fetch(url)
        assert "hunter2" not in str(caught.value) and "abc123" not in str(caught.value)
        assert "v=1" in str(caught.value)
    assert server.asked[0][1]["authorization"] == "Basic YW5uOmh1bnRlcjI="


def test_a_login_stays_with_its_server(server: Server, fetcher: Fetcher) -> None:
    server.page("/mine", b"x")
    server.page("/same", status=302, Location="/mine")
    server.page("/other", status=302, Location=server.url("/mine", "127.0.0.9"))
    login = "http://ann:pw@127.0.0.1"
    fetcher.fetch(f"{login}:{server.port}/same")
    assert all("authorization" in headers for _, headers in server.asked)
    server.asked.clear()
    rerouted = Fetcher(LOOPBACK, MIB, 20, network=Rerouting(server.port))
    rerouted.fetch(f"{login}:{server.port}/other")
    assert ["authorization" in headers for _, headers in server.asked] == [True, False]


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://pod.example",
        "http://",
        "not an address",
        "http://[",
        "http://pod.example:99999/",
        "",
    ],
)
def test_only_web_addresses(fetcher: Fetcher, url: str) -> None:
    with pytest.raises(InputUnreadable):
        fetcher.fetch(url)


def test_an_allowance_names_hosts_addresses_and_networks() -> None:
    allowance = Allowance.parse(["Wiki.Example", "10.1.0.0/16", "192.168.0.7", "fd00::/8"])
    permitted = [("wiki.example", "10.9.9.9"), ("x", "10.1.2.3"), ("x", "192.168.0.7"), ("x", "fd00::1")]
    assert all(allowance.permits(host, ipaddress.ip_address(address)) for host, address in permitted)
    assert not allowance.permits("x", ipaddress.ip_address("10.2.0.1"))
    with pytest.raises(ConfigInvalid, match="no network"):
        Allowance.parse(["10.1.0.0/99"])


def test_whatever_breaks_says_where_and_quotes_no_key(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: object) -> list[str]:
        raise KeyError("https://pod.example/a?token=s3cret")

    with pytest.raises(FetchFailed, match="broke down") as caught:
        Fetcher(Allowance(), MIB, 20, lookup=broken).fetch("https://pod.example/a?token=s3cret")
    assert "s3cret" not in str(caught.value) and caught.value.__suppress_context__
    assert "KeyError" in caplog.text and "test_fetching.py" in caplog.text and "in broken" in caplog.text
    assert "s3cret" not in caplog.text and "pod.example" not in caplog.text
