"""Commands in processes forked off one that has imported what they import: a start takes no seconds of imports.

Python's own fork server does it. A command to be killed at a random moment so meets its end at work, where a kill can
do harm, and seldom while it still imports, where it can do none.
"""

import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
FORKS = multiprocessing.get_context("forkserver")
# What `rejoinder run` imports; nothing of it starts a thread, which a fork would lose.
FORKS.set_forkserver_preload(["cli.app", "cli.assets", "jobs.runs", "dagster_postgres", "onnxruntime"])


def start_command(*arguments: str, environment: Mapping[str, str], log: Path) -> ForkServerProcess:
    """Start `rejoinder` with these arguments; what it prints is added to the log. The caller joins the process."""
    process = FORKS.Process(target=_run_command, args=(arguments, dict(environment), log))
    process.start()
    return process


def _run_command(arguments: tuple[str, ...], environment: dict[str, str], log: Path) -> None:
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["rejoinder", *arguments]

    from cli.app import main

    main()
