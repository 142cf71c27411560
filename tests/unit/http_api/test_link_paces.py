"""Who follows links how often: clients are told apart behind proxies, and what is held of them is bounded."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.clients import client_of
from api.pace import AGAIN_S, CLIENTS, COUNTED, LED, READERS, REMEMBERED_S, TARGETS, UNKNOWN, Pace, Targets

LOCAL = (ip_network("127.0.0.1"), ip_network("::1"))
INNER = (*LOCAL, ip_network("10.0.0.0/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "client"),
    [
        ("127.0.0.1", ["203.0.113.9"], LOCAL, "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9:4711"], LOCAL, "203.0.113.9"),
        ("::1", ["[2001:db8:1:2:3::4]:4711"], LOCAL, "2001:db8:1:2::/64"),
        ("127.0.0.1", ["2001:db8:1:2:3::4"], LOCAL, "2001:db8:1:2::/64"),
        ("127.0.0.1", ["::ffff:203.0.113.9"], LOCAL, "203.0.113.9"),
        # Only what a proxy of one's own added at the end counts.
        ("127.0.0.1", ["6.6.6.6, 203.0.113.9"], LOCAL, "203.0.113.9"),
        ("127.0.0.1", ["6.6.6.6", "203.0.113.9"], LOCAL, "203.0.113.9"),
        ("127.0.0.1", ["203.0.113.9, 10.0.0.4"], INNER, "203.0.113.9"),
        ("203.0.113.9", ["6.6.6.6"], LOCAL, "203.0.113.9"),
        ("203.0.113.9", [], LOCAL, "203.0.113.9"),
        # Nothing tells these from others.
        ("127.0.0.1", [], LOCAL, None),
        ("127.0.0.1", ["unknown"], LOCAL, None),
        ("127.0.0.1", ["203.0.113.9, "], LOCAL, None),
        ("127.0.0.1", ["192.168.0.9"], LOCAL, None),
        ("10.0.0.4", ["203.0.113.9"], LOCAL, None),
        ("172.18.0.2", [], LOCAL, None),
        ("testclient", [], LOCAL, None),
        (None, [], LOCAL, None),
    ],
)
def test_a_client_is_whom_ones_own_proxies_name(peer, forwarded, proxies, client):
    assert client_of(peer, forwarded, proxies) == client


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_whatever_is_sent_as_an_address_is_read_or_nobodys(peer, forwarded):
    assert client_of(peer, forwarded, LOCAL) is None or client_of(peer, forwarded, LOCAL)
    assert client_of("203.0.113.9", forwarded, LOCAL) == "203.0.113.9"


class Clock:
    """A time that is put forward by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_one_client_is_counted_then_led_then_refused_and_let_in_again(clock):
    pace = Pace(now_s=clock)
    said = [pace.admit("198.51.100.7", f"link {n}") for n in range(int(LED.at_once) + 1)]
    n_counted = int(COUNTED.at_once)
    assert said[:n_counted] == ["counted"] * n_counted
    assert said[n_counted:-1] == ["led"] * (int(LED.at_once) - n_counted)
    assert said[-1] == "refused"
    assert pace.admit("203.0.113.9", "link 0") == "counted"
    clock.now_s += 1
    assert pace.admit("198.51.100.7", "another") == "counted"
    assert pace.admit("198.51.100.7", "yet another") == "led"


def test_the_same_reader_counts_again_only_after_a_while(clock):
    pace = Pace(now_s=clock)
    assert [pace.admit("203.0.113.9", "link, browser") for _ in range(2)] == ["counted", "led"]
    assert pace.admit("203.0.113.9", "link, another browser") == "counted"
    assert pace.admit("203.0.113.9", None) == "led"
    clock.now_s += AGAIN_S
    assert pace.admit("203.0.113.9", "link, browser") == "counted"


def test_those_who_cannot_be_told_apart_are_never_refused(clock):
    pace = Pace(now_s=clock)
    said = [pace.admit(None, "link, browser") for _ in range(int(UNKNOWN.at_once) + 10)]
    assert said == ["counted"] * int(UNKNOWN.at_once) + ["led"] * 10
    assert pace.admit(None, None) == "led"


def test_what_is_held_of_clients_is_bounded_and_a_flood_is_not_forgotten_for_it(clock):
    pace = Pace(now_s=clock)
    for _ in range(int(LED.at_once)):
        pace.admit("198.51.100.7", "link")
    for n in range(max(CLIENTS, READERS) + 100):
        pace.admit(f"client {n}", f"link {n}")
        if n % 1_000 == 0:
            assert pace.admit("198.51.100.7", "link") == "refused"
    assert len(pace._clients) == CLIENTS and len(pace._readers) == READERS
    clock.now_s += 1_000
    pace.admit("203.0.113.9", "link")
    assert len(pace._clients) == len(pace._readers) == 1


def test_no_address_stands_in_what_is_held(clock):
    pace = Pace(now_s=clock)
    pace.admit("203.0.113.9", "link, browser")
    held = [*pace._clients._kept, *pace._readers._kept]
    assert all(isinstance(key, bytes) and b"203.0.113.9" not in key for key in held)
    assert not set(held) & set(Pace(now_s=clock)._clients._kept)


def test_a_target_is_remembered_for_a_while_and_not_too_many_are(clock):
    targets = Targets(now_s=clock)
    for n in range(TARGETS + 1):
        targets.put(str(n), f"https://pod.example/{n}")
    assert (targets.get("0"), targets.get("1")) == (None, "https://pod.example/1")
    clock.now_s += REMEMBERED_S
    assert targets.get("1") is None
