"""Rehearsals for the contract suite: X and Reddit on the sandbox, a file, a forum of another package."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from resources.platforms.rehearsal import Attempt, Fault

ON_SANDBOX: frozenset[Fault] = frozenset(
    {
        "commit_then_503",
        "commit_then_drop",
        "503",
        "drop",
        "429",
        "429_no_headers",
        "401",
        "slow",
        "slow_body",
    }
)


class SandboxRehearsal:
    """One platform of the sandbox that a test has started."""

    def __init__(self, sandbox: Any, case: Any) -> None:
        self._sandbox, self._create = sandbox, case.create
        self.platform, self.address = case.platform, sandbox.url
        self.credentials: Mapping[str, str] = sandbox.get("credentials")[case.platform]
        self.parent_id, self.other_parent_id = case.parent_id, case.other_parent_id
        self.unknown_id, self.faults = case.unknown_id, ON_SANDBOX

    def fault(self, kind: Fault, times: int = 1, delay_s: float = 0.0) -> None:
        self._sandbox.fault(self._create, kind, times, **({"delay_s": delay_s} if delay_s else {}))

    def attempts(self, parent_id: str) -> Sequence[Attempt]:
        made = self._sandbox.attempts(parent_id)
        return [Attempt(each["platform_id"], each["text"], each["accepted"]) for each in made]

    def delete(self, post_id: str) -> None:
        self._sandbox.post(f"posts/{post_id}", deleted=True)

    def close(self) -> None:
        """The test ends the sandbox."""


class ArchiveRehearsal:
    """A file of three posts."""

    platform, address = "archive", None
    parent_id, other_parent_id, unknown_id = "1", "2", "999"
    faults: ClassVar[frozenset[Fault]] = frozenset()

    def __init__(self, folder: Path) -> None:
        path = folder / "posts.jsonl"
        form = {"text": "question", "created_at": "2026-11-01T12:00:00Z", "user": "reader"}
        path.write_text("\n".join(json.dumps({**form, "id": str(n)}) for n in (1, 2, 3)), "utf-8")
        self.credentials = {"path": str(path), "platform": "x", "account": "sample_account"}

    def fault(self, kind: Fault, times: int = 1, delay_s: float = 0.0) -> None:
        raise NotImplementedError

    def attempts(self, parent_id: str) -> Sequence[Attempt]:
        return []

    def delete(self, post_id: str) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is open."""
