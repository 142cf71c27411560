"""Slow callers: what the server holds for them, on their way in and out, is bounded by places."""

import select
import socket
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import httpx
import pytest

from api.app import build_app
from api.desk import Desk
from api.workers import Slots
from resources.access.keyring import WatchedKeyring

SALT = b"1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n"
BODY = (
    b'--part\r\nContent-Disposition: form-data; name="file"; filename="a.srt"\r\n\r\n'
    + SALT
    + b"\r\n--part--\r\n"
)


@pytest.fixture
def narrow(api: Any, served: Any) -> Iterator[httpx.Client]:
    """The API with one place for files on their way in and one for those on their way out, one more waiting each."""
    keys = WatchedKeyring(api.bench.settings.home_dir)
    address = served(build_app(Desk(api.bench, keys, receiving=Slots(1, 1), sending=Slots(1, 1))))
    with httpx.Client(base_url=address, headers=api.client.headers, timeout=60, trust_env=False) as client:
        yield client


def first_of(calls: list[Future[int]]) -> int:
    done, _ = wait(calls, timeout=60, return_when=FIRST_COMPLETED)
    return done.pop().result()


def test_a_place_is_taken_before_a_file_is_read(narrow: httpx.Client) -> None:
    """Three begin to send, and none goes on before one of them has its answer."""
    begun = [begin(narrow) for _ in range(3)]
    (refused,), _, _ = select.select(begun, [], [], 60)
    assert status_of(refused) == 503
    begun.remove(refused)
    for sender in begun:
        sender.sendall(BODY[20:])
    assert [status_of(sender) for sender in begun] == [202, 202]


def begin(client: httpx.Client) -> socket.socket:
    """A connection on which the head and the beginning of the body have been sent."""
    head = f"POST /sources HTTP/1.1\r\nHost: a\r\nAuthorization: {client.headers['Authorization']}\r\n"
    form = f"Content-Type: multipart/form-data; boundary=part\r\nContent-Length: {len(BODY)}\r\n\r\n"
    made = socket.create_connection((client.base_url.host, client.base_url.port), timeout=60)
    made.sendall((head + form).encode() + BODY[:20])
    return made


def status_of(sender: socket.socket) -> int:
    with sender:
        return int(sender.recv(65_536).split(b" ")[1])


def test_a_place_is_held_until_the_file_is_sent(api: Any, narrow: httpx.Client) -> None:
    number = api.upload("on-salt.srt", SALT).json()["id"]
    large = b"salt" * 5_000_000  # more than sockets hold
    with api.bench.db.transaction() as tx:
        tx.connection.execute("update ingestion set raw_key = %s", (api.bench.objects.put(large),))
    path = f"/internal/sources/{number}/content"

    def get() -> int:
        return narrow.get(path).status_code

    with ThreadPoolExecutor(2) as pool:
        with narrow.stream("GET", path) as slow:
            assert slow.status_code == 200
            calls = [pool.submit(get) for _ in range(2)]
            assert first_of(calls) == 503
            assert slow.read() == large
        assert sorted(call.result() for call in calls) == [200, 503]
