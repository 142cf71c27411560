"""Whose time a platform keeps: the sandbox has a clock of its own, real platforms have ours."""

from collections.abc import Callable
from datetime import UTC, datetime

import requests

from resources.platforms.failures import Unreachable

Clock = Callable[[], datetime]
TIMEOUT_S = (5.0, 10.0)


def sandbox_clock(base_url: str) -> Clock:
    """Reads the simulated time of a sandbox.

    The returned function raises `Unreachable` when the sandbox does not answer.
    """

    def now() -> datetime:
        try:
            answer = requests.get(f"{base_url}/sandbox/clock", timeout=TIMEOUT_S)
            return datetime.fromtimestamp(float(answer.json()["unix_s"]), UTC)
        except (requests.RequestException, ValueError, KeyError, TypeError) as error:
            name = type(error).__name__
        raise Unreachable(f"the sandbox's clock cannot be read ({name})")

    return now


def system_clock() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)
