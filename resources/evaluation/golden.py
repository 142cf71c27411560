"""Golden cases out of files: what a line has to have, and the hash by which a changed case is known.

What belongs here: evals/<task>.jsonl as values, or an error that names file, line and key.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from rejoinder.errors import ConfigInvalid
from rejoinder.evaluation.cases import Case, ClaimCase, ReplyCase, Split, SummaryCase, VerdictCase
from rejoinder.ids import canonical_json, sha256_hex

FOLDER = Path(__file__).resolve().parents[2] / "evals"
TaskName = Literal["claims", "verdicts", "replies", "summaries"]
CASE_TYPES: dict[TaskName, type[Case]] = {
    "claims": ClaimCase,
    "verdicts": VerdictCase,
    "replies": ReplyCase,
    "summaries": SummaryCase,
}
SPLITS: tuple[Split, ...] = ("dev", "held_out")


def cases_file(task: TaskName) -> Path:
    """The file of our own cases of a task."""
    return FOLDER / f"{task}.jsonl"


def load_cases(task: TaskName, path: Path | None = None, *, split: str = "all") -> tuple[Case, ...]:
    """The cases of a task, in file order.

    Args:
        task: whose cases.
        path: another file of the same form; None for ours.
        split: "dev", "held_out", or "all" for both.

    Raises:
        ConfigInvalid: the file cannot be read, a line breaks the form (file, line and key are named), an id comes
            twice, or there is no case of that split.
    """
    path = path or cases_file(task)
    if split not in (*SPLITS, "all"):
        raise ConfigInvalid(f"--split {split}: there is no such split.", fix="Say dev, held_out or all.")
    adapter: TypeAdapter[Case] = TypeAdapter(CASE_TYPES[task])
    cases = [_read(adapter, line, f"{path.name}, line {n}") for n, line in _lines(path)]
    ids = [case.id for case in cases]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise ConfigInvalid(f"{path.name}: these ids come twice: {', '.join(twice)}.")
    chosen = tuple(case for case in cases if split in ("all", case.split))
    if not chosen:
        raise ConfigInvalid(f"{path} has no case of the split {split}.")
    return chosen


def case_hash(case: Case) -> str:
    """The first 12 hex digits of the SHA-256 of everything in a case that an answer or a score depends on."""
    told = {k: v for k, v in dataclasses.asdict(case).items() if k not in ("split", "tags")}
    return sha256_hex(canonical_json(told))[:12]


def json_schema(task: TaskName) -> dict[str, object]:
    """The JSON Schema of one line of a task's file."""
    return TypeAdapter(CASE_TYPES[task]).json_schema()


def _lines(path: Path) -> Sequence[tuple[int, str]]:
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigInvalid(f"{path} cannot be read: {error}") from None
    return [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]


def _read(adapter: "TypeAdapter[Case]", line: str, where: str) -> Case:
    try:
        case = adapter.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"])) or "the line"
        raise ConfigInvalid(f"{where}: {key}: {first['msg']}.") from None
    if fault := next(case.faults(), None):
        raise ConfigInvalid(f"{where}, {case.id}: {fault}.")
    return case
