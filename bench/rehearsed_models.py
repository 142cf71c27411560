"""The sandbox as a server of models in a process of its own, for benchmarks of what calls it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

STOP_S = 10


@dataclass(frozen=True, slots=True)
class RehearsedModels:
    """A running sandbox: the address of its models, their key, and its control."""

    base_url: str
    key: str
    control: httpx.Client

    def latency(self, seconds: float) -> None:
        """Let the model ``rehearsal`` take so long for each answer."""
        self._post("", {"id": "rehearsal", "latency_s": seconds})

    def forget_counts(self) -> None:
        """Begin to count anew."""
        self._post("/reset", {"parts": ["counts"]})

    def counts(self) -> dict[str, Any]:
        """Calls, and the most that were under way at once, as the server counted them."""
        told: dict[str, Any] = self.control.get("/sandbox/models").raise_for_status().json()
        return told

    def _post(self, path: str, body: dict[str, Any]) -> None:
        self.control.post(f"/sandbox/models{path}", json=body).raise_for_status()


@contextmanager
def rehearsed_models(folder: Path) -> Iterator[RehearsedModels]:
    """A sandbox that keeps its state in a folder and ends with the block."""
    command = [sys.executable, "-m", "resources.sandbox", "--state", str(folder / "sandbox.db")]
    running = subprocess.Popen(command, text=True, stdout=subprocess.PIPE)
    try:
        if running.stdout is None:
            raise RuntimeError("the sandbox has no output")
        url = json.loads(running.stdout.readline())["url"]
        with httpx.Client(base_url=url, timeout=30) as control:
            key = control.get("/sandbox/credentials").raise_for_status().json()["openai"]["api_key"]
            yield RehearsedModels(f"{url}/openai/v1", key, control)
    finally:
        running.terminate()
        running.wait(STOP_S)
        if running.stdout is not None:
            running.stdout.close()
