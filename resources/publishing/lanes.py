"""Turns: channels take them one after the other, accounts side by side, so that nobody waits for a slow or full one.

What belongs here: who is next, not what is done in a turn (`resources/publishing/run.py`).

The channels of one account share its limits and often its connection, so an account takes one turn at a time. Up to
`ACCOUNTS_AT_ONCE` accounts take theirs at once, each in a thread; where there are more, an account goes to the end of
the line after its turn. A platform that hangs holds up one thread until its time-out, and so at most that many
accounts; with one account there is no thread at all.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from resources.store.channels import Channel

ACCOUNTS_AT_ONCE = 4

Turn = Callable[[Channel], bool]


class Line:
    """Accounts in line, each with its channels in line.

    Args:
        channels: that want turns.
    """

    def __init__(self, channels: Iterable[Channel]) -> None:
        accounts: dict[str, deque[Channel]] = {}
        for channel in channels:
            accounts.setdefault(channel.account_key, deque()).append(channel)
        self._accounts = deque(accounts.values())
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many accounts stand in line."""
        return len(self._accounts)

    def take_turns(self, turn: Turn) -> None:
        """Call turn with one channel after the other until each has answered that it needs no more turns.

        An error ends the turns of whoever met it; the others go on, then the first error is raised.
        """
        if len(self) < 2:
            self._serve(turn)
            return
        with ThreadPoolExecutor(min(len(self), ACCOUNTS_AT_ONCE), "publisher") as pool:
            served = [pool.submit(self._serve, turn) for _ in range(min(len(self), ACCOUNTS_AT_ONCE))]
        for each in served:
            each.result()

    def _serve(self, turn: Turn) -> None:
        while (channels := self._next()) is not None:
            channel = channels.popleft()
            if turn(channel):
                channels.append(channel)
            if channels:
                with self._lock:
                    self._accounts.append(channels)

    def _next(self) -> deque[Channel] | None:
        with self._lock:
            return self._accounts.popleft() if self._accounts else None
