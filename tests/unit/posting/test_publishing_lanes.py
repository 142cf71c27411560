"""Turns of channels: one after the other within an account, accounts side by side, and nobody waits for a slow one."""

import math
import threading
import time
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


@pytest.mark.parametrize("longest_s", [0.05, math.inf])
def test_what_comes_due_while_another_platform_hangs_is_not_kept_waiting(longest_s: float) -> None:
    """Nor is it by the end of the pass, which waits for that platform too."""
    asked: list[int] = []
    was_done = threading.Event()

    def turn(one: Channel) -> bool:
        if one.account == "slow":
            assert was_done.wait(60)
            return False
        asked.append(int(one.id))
        if asked.count(2) == 3:
            was_done.set()
        return False

    channels = [channel(0, "slow"), channel(1, "a"), channel(2, "a"), channel(3, "b")]
    Line(channels, ends_s=time.monotonic() + longest_s, ask_again_s=0.1).take_turns(turn)
    assert asked.count(1) >= 2 and asked.count(3) >= 2


def test_no_turn_begins_after_the_end_when_nobody_hangs() -> None:
    turns: list[int] = []

    def turn(one: Channel) -> bool:
        turns.append(int(one.id))
        return True

    ends_s = time.monotonic() + 0.05
    Line([channel(number, f"a{number}") for number in range(3)], ends_s=ends_s).take_turns(turn)
    assert turns and time.monotonic() >= ends_s


def test_channels_of_an_account_that_are_asked_again_still_take_one_turn_at_a_time() -> None:
    at_work = threading.Lock()
    turns: Counter[str] = Counter()

    def turn(one: Channel) -> bool:
        if one.account != "same":
            time.sleep(0.001)
            return turns["same"] < 60
        assert at_work.acquire(blocking=False), "another has its turn"
        turns["same"] += 1
        time.sleep(0.001)
        at_work.release()
        return one.id == 1 and turns["same"] < 60

    channels = [
        *(channel(number, "same") for number in range(1, 5)),
        channel(9, "other"),
        channel(10, "third"),
    ]
    Line(channels, ask_again_s=0.002).take_turns(turn)
    assert turns["same"] >= 60


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
