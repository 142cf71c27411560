"""Small real servers that notices are sent to: HTTP with answers set beforehand, SMTP with STARTTLS and AUTH."""

import base64
import datetime
import ipaddress
import json
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Answer:
    """What a server says next: a status with headers, or nothing at all until the test is over."""

    status: int = 202
    headers: dict[str, str] = field(default_factory=dict)
    is_silent: bool = False
    hangs_up: bool = False


@dataclass
class Request:
    """What came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HttpEnd:
    """Takes POSTs; answers come from a list, then 202."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        self.requests: list[Request] = []
        self.answers: list[Answer] = []
        self.over = threading.Event()
        end = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                end.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                answer = end.answers.pop(0) if end.answers else Answer()
                if answer.is_silent:
                    end.over.wait(30)
                if answer.is_silent or answer.hangs_up:
                    return
                self.send_response(answer.status)
                for name, value in {"content-length": "0", **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *args: None  # type: ignore[method-assign,assignment]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        scheme = "https" if certificate else "http"
        self.url = f"{scheme}://127.0.0.1:{self.server.server_address[1]}"


@contextmanager
def http_end(certificate: tuple[Path, Path] | None = None) -> Iterator[HttpEnd]:
    """The server for as long as the block runs."""
    end = HttpEnd(certificate)
    thread = threading.Thread(target=end.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield end
    finally:
        end.over.set()
        end.server.shutdown()
        end.server.server_close()
        thread.join()


class MailEnd:
    """Takes letters; a reply for a command can be set beforehand, such as {"RCPT": "550 no"}."""

    def __init__(self, certificate: tuple[Path, Path], *, tls: bool = False, offers_tls: bool = True) -> None:
        self.letters: list[str] = []
        self.logins: list[tuple[str, str]] = []
        self.password = "sesame"
        self.replies: dict[str, str] = {}
        self.is_silent = False
        self.over = threading.Event()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.offers_tls = offers_tls
        end = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError), ExitStack() as open_lines:
                    line = end.context.wrap_socket(self.request, server_side=True) if tls else self.request
                    end.talk(open_lines.enter_context(line), open_lines)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])

    def talk(self, line: Any, open_lines: ExitStack) -> None:
        if self.is_silent:
            self.over.wait(30)
            return
        reader = open_lines.enter_context(line.makefile("rb"))
        self.say(line, "220 here")
        while said := reader.readline().decode().strip():
            word = said.split(" ")[0].upper()
            if word == "STARTTLS":
                self.say(line, "220 go on")
                line = open_lines.enter_context(self.context.wrap_socket(line, server_side=True))
                reader = open_lines.enter_context(line.makefile("rb"))
            elif word == "DATA" and word not in self.replies:
                self.say(line, "354 end with a dot")
                self.letters.append(self.text(reader))
                self.say(line, "250 taken")
            elif word == "QUIT" and word not in self.replies:
                self.say(line, "221 bye")
                return
            else:
                self.say(line, self.replies.get(word) or self.answer(word, said))

    def answer(self, word: str, said: str) -> str:
        if word == "EHLO":
            return "250-here\r\n" + ("250-STARTTLS\r\n" if self.offers_tls else "") + "250 AUTH PLAIN"
        if word == "AUTH":
            _, user, password = base64.b64decode(said.split(" ")[2]).decode().split("\0")
            self.logins.append((user, password))
            return "235 welcome" if password == self.password else "535 5.7.8 no"
        return "250 ok"

    @staticmethod
    def text(reader: Any) -> str:
        lines = []
        while (line := reader.readline().decode()) not in {".\r\n", ""}:
            lines.append(line)
        return "".join(lines)

    @staticmethod
    def say(line: Any, words: str) -> None:
        line.sendall(f"{words}\r\n".encode())


@contextmanager
def mail_end(certificate: tuple[Path, Path], **how: bool) -> Iterator[MailEnd]:
    """The server for as long as the block runs."""
    end = MailEnd(certificate, **how)
    thread = threading.Thread(target=end.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield end
    finally:
        end.over.set()
        end.server.shutdown()
        end.server.server_close()
        thread.join()


@contextmanager
def dripping(
    first: bytes, drop: bytes, last: bytes, *, certificate: tuple[Path, Path] | None = None, drops: int = 600
) -> Iterator[int]:
    """The port of a server that sends something every hundredth of a second and says all it has to say in the end."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), ExitStack() as open_lines:
                line = self.request
                if certificate:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(*certificate)
                    line = open_lines.enter_context(context.wrap_socket(line, server_side=True))
                line.sendall(first)
                for _ in range(drops):
                    if over.wait(0.01):
                        return
                    line.sendall(drop)
                line.sendall(last)
                over.wait(30)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for this machine that nobody has signed but itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate, private
