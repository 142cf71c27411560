"""The lock of the demo: one at a time in a home, and never beside `rejoinder up`.

The system lets go of the lock when its holder ends, however it ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rejoinder.errors import ConfigInvalid
from resources.supervisor.record import is_running

LOCK_FILE = "demo.lock"


@contextmanager
def only_demo(home: Path) -> Iterator[None]:
    """Be the home's one demo while the block runs.

    Raises:
        ConfigInvalid: another demo or `rejoinder up` runs for the home; nothing was started.
    """
    home.mkdir(parents=True, exist_ok=True)
    with (home / LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigInvalid(
                f"A demo runs already for {home}: wait for its end, or give this one a home of its own: --home DIR."
            ) from None
        # Each side takes its own lock first and looks at the other's then, so that both can't go on.
        if is_running(home):
            raise ConfigInvalid(
                f"`rejoinder up` runs for {home}, and the demo moves the clock of its sandbox: stop it with "
                "`rejoinder down`, or give the demo a home of its own: --home DIR."
            )
        yield


def refuse_beside_demo(home: Path) -> None:
    """Let nothing else start in a home while a demo runs in it.

    Raises:
        ConfigInvalid: one runs.
    """
    try:
        with (home / LOCK_FILE).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return
    except BlockingIOError:
        raise ConfigInvalid(
            f"A demo runs for {home}: wait for its end, or use another REJOINDER_HOME."
        ) from None
