"""Turns of channels: one after the other within an account, accounts side by side, and nobody waits for a slow one."""

import threading
from collections import Counter

import pytest

from rejoinder.ids import ChannelId
from rejoinder.listening.policy import default_policy
from resources.publishing.lanes import ACCOUNTS_AT_ONCE, Line
from resources.store.channels import Channel


def channel(number: int, account: str) -> Channel:
    policy = default_policy("sandbox/x/enterprise")
    return Channel(ChannelId(number), 1, f"c{number}", "x", account, f"x:{account}", None, True, policy, ())


def test_channels_of_one_account_take_turns() -> None:
    left, order = {1: 3, 2: 1, 3: 2}, []

    def turn(one: Channel) -> bool:
        order.append(int(one.id))
        left[one.id] -= 1
        return left[one.id] > 0

    Line([channel(number, "same") for number in left]).take_turns(turn)
    assert order == [1, 2, 3, 1, 3, 1]


def test_more_accounts_than_threads_all_get_their_turns_and_none_takes_two_at_once() -> None:
    counts: Counter[int] = Counter()
    busy: set[str] = set()
    lock = threading.Lock()

    def turn(one: Channel) -> bool:
        with lock:
            assert one.account_key not in busy
            busy.add(one.account_key)
            counts[one.id] += 1
        with lock:
            busy.discard(one.account_key)
        return counts[one.id] < 20

    accounts = 3 * ACCOUNTS_AT_ONCE
    Line([channel(number, f"a{number % accounts}") for number in range(2 * accounts)]).take_turns(turn)
    assert set(counts.values()) == {20} and len(counts) == 2 * accounts


def test_a_platform_that_hangs_keeps_no_other_account_waiting() -> None:
    others_are_done, done = threading.Event(), []

    def turn(one: Channel) -> bool:
        if one.account == "slow":
            assert others_are_done.wait(60)
            return False
        done.append(int(one.id))
        if len(done) == 60:
            others_are_done.set()
        return done.count(int(one.id)) < 10

    Line([channel(0, "slow"), *(channel(number, f"a{number}") for number in range(1, 7))]).take_turns(turn)
    assert len(done) == 60


@pytest.mark.parametrize("accounts", [1, 2])
def test_an_error_is_raised_once_the_others_are_done(accounts: int) -> None:
    done = []

    def turn(one: Channel) -> bool:
        if one.id == 0:
            raise RuntimeError("broken")
        done.append(one.id)
        return len(done) < 5

    with pytest.raises(RuntimeError, match="broken"):
        Line([channel(number, f"a{number}") for number in range(accounts)]).take_turns(turn)
    assert len(done) == (5 if accounts == 2 else 0)
