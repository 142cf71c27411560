"""Run as a file: becomes the given program, tied to the life of the process that started it.

Where that process is killed so hard that it cannot stop its children, Linux sends this one SIGTERM. Other
systems have no such tie; there the next ``up`` or ``down`` clears away what was left.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(parent: int, argv: list[str]) -> None:
    """Tie this process to its parent, then become argv.

    Args:
        parent: process id of the supervisor; if it is no longer our parent, it died in between.
        argv: program and arguments.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            sys.exit("the supervisor is gone")
    os.execvp(argv[0], argv)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
