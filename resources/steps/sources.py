"""What the steps of a source share: loading it with its cues, and handing it on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.corpus.values import Chapter, Cue, Transcript
from rejoinder.errors import LeaseLost
from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A source with its cues."""

    id: int
    transcript: Transcript


def hold_source(tx: Transaction, source_id: int, worker: int) -> None:
    """Hold a source for the rest of the transaction, before anything of it is saved.

    Raises:
        LeaseLost: another worker holds it.
    """
    if not tx.rows("hold_source", id=source_id, worker=worker):
        raise LeaseLost(f"source {source_id} is held by another worker")


def move_source(tx: Transaction, source_id: int, step: str, worker: int) -> None:
    """Hand a source on to its next step.

    Raises:
        LeaseLost: another worker holds it.
    """
    if not tx.execute("advance_source", id=source_id, step=step, worker=worker):
        raise LeaseLost(f"source {source_id} is held by another worker")


def load_sources(tx: Transaction, ids: Sequence[int]) -> list[StoredSource]:
    """Sources with their cues, in the order of the ids."""
    rows = {row["id"]: row for row in tx.rows("load_sources", ids=list(ids))}
    return [_source(tx, rows[i]) for i in ids]


def _source(tx: Transaction, row: dict[str, Any]) -> StoredSource:
    cues = tuple(
        Cue(c["text"], c["start_s"], c["end_s"], c["speaker"])
        for c in tx.rows("load_cues", source_id=row["id"])
    )
    chapters = tuple(
        Chapter(c["title"], c["start_s"], c["first_cue"])
        for c in tx.rows("load_chapters", source_id=row["id"])
    )
    transcript = Transcript(
        row["title"], row["format"], cues, row["language"], chapters, row["url"], row["published_at"]
    )
    return StoredSource(row["id"], transcript)
