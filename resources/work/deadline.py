"""Calls with a time limit."""

import threading
from collections.abc import Callable
from typing import Any


def in_time(call: Callable[[], list[Any]], limit_s: float) -> list[Any]:
    """The call's result, or TimeoutError when it takes longer than limit_s seconds.

    A thread cannot be killed: one that hangs is left behind as a daemon, and what it might still return is
    dropped, because only the holder of a lease can save.
    """
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append((True, call()))
        except BaseException as error:
            outcome.append((False, error))

    thread = threading.Thread(target=run, name="step", daemon=True)
    thread.start()
    thread.join(limit_s)
    if not outcome:
        raise TimeoutError(f"timed out after {limit_s:g} s")
    is_ok, value = outcome[0]
    if not is_ok:
        raise value
    result: list[Any] = value
    return result
