"""A sandbox of the demo's own: a child process that goes when the demo goes."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from rejoinder.errors import ServiceUnavailable
from resources.settings import child_environment
from resources.supervisor import leash

CALL_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox, spoken to over HTTP like anybody else would."""

    url: str

    def get(self, path: str) -> Any:
        """GET a JSON page of the sandbox's own.

        Raises:
            ServiceUnavailable: it does not answer.
        """
        return self._call("GET", path, None)

    def advance(self, seconds: float) -> None:
        """Move the sandbox's clock forward."""
        self._call("POST", "/sandbox/clock", {"advance_s": seconds})

    def _call(self, method: str, path: str, body: object) -> Any:
        try:
            answer = httpx.request(method, self.url + path, json=body, timeout=CALL_TIMEOUT_S)
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise ServiceUnavailable(f"The sandbox does not answer {path}: {type(error).__name__}") from None
        return answer.json()


@contextmanager
def running_sandbox(arguments: Sequence[str], *, log: Path) -> Iterator[Sandbox]:
    """Start a sandbox with these arguments; it ends with the block.

    Raises:
        ServiceUnavailable: it did not start; the message has the end of its log.
    """
    tied = [sys.executable, leash.__file__, str(os.getpid())]
    argv = [*tied, sys.executable, "-m", "resources.sandbox", *arguments]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=errors, env=child_environment(), text=True
        )
        try:
            yield Sandbox(_url(process, log))
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _url(process: subprocess.Popen[str], log: Path) -> str:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        tail = log.read_text("utf-8", errors="replace")[-800:]
        raise ServiceUnavailable(f"The sandbox did not start. Its log ends:\n{tail}")
    return str(json.loads(line)["url"])
