"""Turns: channels take them one after the other, accounts side by side, so that nobody waits for a slow or full one.

What belongs here: who is next, not what is done in a turn (`resources/publishing/run.py`).

The channels of one account share its limits and often its connection, so an account takes one turn at a time. Up to
`ACCOUNTS_AT_ONCE` accounts take theirs at once, each in a thread; where there are more, an account goes to the end of
the line after its turn. A platform that hangs holds up one thread until its time-out, and so at most that many
accounts; with one account there is no thread at all. While one hangs the others are asked again and again, those too
that had nothing to do: what comes due meanwhile is not kept waiting.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from resources.store.channels import Channel

ACCOUNTS_AT_ONCE = 4
# How often accounts that had nothing to do are asked again while another one's turn goes on.
ASK_AGAIN_S = 1.0

Turn = Callable[[Channel], bool]


@dataclass(slots=True)
class _Account:
    """The channels of one account: those that want a turn, in order, and those that had nothing to do."""

    wanting: deque[Channel] = field(default_factory=deque)
    idle: list[Channel] = field(default_factory=list)


class Line:
    """Accounts in line, each with its channels in line.

    Args:
        channels: that want turns.
        ends_s: ``time.monotonic()`` from which no turn is begun any more, unless a turn from before still goes on.
        ask_again_s: see `ASK_AGAIN_S`.
    """

    def __init__(
        self, channels: Iterable[Channel], *, ends_s: float = math.inf, ask_again_s: float = ASK_AGAIN_S
    ) -> None:
        accounts: dict[str, _Account] = {}
        for channel in channels:
            accounts.setdefault(channel.account_key, _Account()).wanting.append(channel)
        self._ends_s, self._ask_again_s = ends_s, ask_again_s
        self._line = deque(accounts.values())
        self._resting: list[_Account] = []
        self._begun: dict[int, float] = {}  # by thread, when its turn began
        self._asked_s = time.monotonic()
        self._change = threading.Condition()

    def __len__(self) -> int:
        """How many accounts stand in line."""
        return len(self._line)

    def take_turns(self, turn: Turn) -> None:
        """Call turn with one channel after the other until each has answered that it needs no more turns.

        An error ends the turns of its account; the others go on, then the first error is raised.
        """
        if len(self) < 2:
            self._serve(turn)
            return
        with ThreadPoolExecutor(min(len(self), ACCOUNTS_AT_ONCE), "publisher") as pool:
            served = [pool.submit(self._serve, turn) for _ in range(min(len(self), ACCOUNTS_AT_ONCE))]
        for each in served:
            each.result()

    def _serve(self, turn: Turn) -> None:
        while (account := self._next()) is not None:
            channel, is_broken = account.wanting.popleft(), True
            try:
                wanting = account.wanting if turn(channel) else account.idle
                wanting.append(channel)
                is_broken = False
            finally:
                self._end(account, is_broken)

    def _next(self) -> _Account | None:
        """The account whose turn it is; None once there is nobody to ask and nobody to wait for."""
        with self._change:
            while not self._is_over():
                self._ask_again()
                if self._line:
                    self._begun[threading.get_ident()] = time.monotonic()
                    return self._line.popleft()
                if not self._begun:
                    return None
                self._change.wait(self._ask_again_s)
            return None

    def _is_over(self) -> bool:
        return time.monotonic() >= self._ends_s and all(at >= self._ends_s for at in self._begun.values())

    def _ask_again(self) -> None:
        """Let those that had nothing to do take turns again, now and then, as long as others are busy."""
        if not self._begun or time.monotonic() - self._asked_s < self._ask_again_s:
            return
        self._asked_s = time.monotonic()
        for account in (*self._line, *self._resting):
            account.wanting.extend(account.idle)
            account.idle.clear()
        self._line.extend(self._resting)
        self._resting.clear()

    def _end(self, account: _Account, is_broken: bool) -> None:
        with self._change:
            del self._begun[threading.get_ident()]
            if not is_broken:
                (self._line if account.wanting else self._resting).append(account)
            self._change.notify_all()
