"""Whether the server is ready: one look for all who ask, and no error that nobody foresaw."""

import socket

import pytest

from rejoinder.errors import ServiceUnavailable
from resources.provision import Addresses
from resources.readiness import Lookout, Readiness, look_at

NOWHERE = Addresses("", "", "", "", "")


def test_one_look_answers_all_who_ask_for_a_while() -> None:
    now_s, looks = [10.0], []

    def look(addresses: Addresses) -> Readiness:
        looks.append(now_s[0])
        return Readiness(len(looks), 1)

    lookout = Lookout(look, fresh_s=2, clock_s=lambda: now_s[0])
    assert [lookout.ask(NOWHERE).applied for _ in range(3)] == [1, 1, 1]
    now_s[0] = 11.9
    assert lookout.ask(NOWHERE).is_ready
    now_s[0] = 12.0
    assert not lookout.ask(NOWHERE).is_ready
    assert looks == [10.0, 12.0]


def test_trouble_is_told_to_all_who_ask_as_well() -> None:
    looks = []

    def away(addresses: Addresses) -> Readiness:
        looks.append(addresses)
        raise ServiceUnavailable("it is away")

    lookout = Lookout(away, fresh_s=60)
    for _ in range(3):
        with pytest.raises(ServiceUnavailable, match="it is away"):
            lookout.ask(NOWHERE)
    assert len(looks) == 1


def test_a_database_that_is_none_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    url = f"postgresql://o@127.0.0.1:{port}/d"
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        look_at(Addresses(url, "", "", "", ""))
