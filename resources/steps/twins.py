"""Twins among sources: the same episode given twice is kept twice and searched once."""

from typing import Any

from rejoinder.corpus.twins import Signature, are_twins, is_better, worth
from resources.postgres import Transaction
from resources.steps.sources import load_sources

MOST_LIKELY = 20


def hold_twins(tx: Transaction, project_id: int) -> None:
    """Let no other source of the project be saved until this transaction ends.

    Two that came at once would not see each other as twins; and taken before any source is touched, neither can
    hold a source that the other one waits for.
    """
    tx.rows("lock_twins", project_id=project_id)


def find_twins(tx: Transaction, project_id: int, source_id: int, signature: Signature) -> None:
    """Settle which source stands for a new or changed one, and which it stands for itself.

    The better of two twins is cut and searched, the other one is finished; what was a twin of this source before it
    changed is judged anew. Chunks of one that is outdone leave the index in the same transaction, unless it is the
    one that is searched now: then it awaits the better one, and goes on as any source until that one takes over
    (`take_over`). The caller holds the project's twins (`hold_twins`).
    """
    freed = tx.rows("free_twins", id=source_id)
    _settle(tx, project_id, source_id, signature)
    for row in freed:
        if row["signature"]:
            _settle(tx, project_id, row["id"], _signature(row))
    _let_stand_in(tx, project_id)


def let_twins_stand_in(tx: Transaction, project_id: int) -> int:
    """Let twins be searched whose better one was given up before it could be; how many there were.

    To be called before the transaction has touched any source.
    """
    hold_twins(tx, project_id)
    return _let_stand_in(tx, project_id)


def _let_stand_in(tx: Transaction, project_id: int) -> int:
    return len(tx.rows("let_twins_stand_in", project_id=project_id))


def _settle(tx: Transaction, project_id: int, source_id: int, signature: Signature) -> None:
    for twin_id in _twins(tx, project_id, source_id, signature):
        if _is_better(tx, source_id, twin_id):
            _outdo(tx, twin_id, by=source_id)
        else:
            _outdo(tx, source_id, by=twin_id)
            return


def _twins(tx: Transaction, project_id: int, source_id: int, signature: Signature) -> list[int]:
    """Those that stand for themselves, the most alike first."""
    rows = tx.rows(
        "likely_twins",
        project_id=project_id,
        id=source_id,
        hashes=list(signature.hashes),
        n_shingles=signature.n_shingles,
        top=MOST_LIKELY,
    )
    return [row["id"] for row in rows if are_twins(signature, _signature(row))]


def _signature(row: dict[str, Any]) -> Signature:
    return Signature(row["n_shingles"], tuple(row["signature"]), row["has_times"])


def _is_better(tx: Transaction, source_id: int, twin_id: int) -> bool:
    """Whether the first is; of two that are alike the one that was there before stays."""
    source, twin = load_sources(tx, [source_id, twin_id])
    return is_better(worth(source.transcript), worth(twin.transcript))


def take_over(tx: Transaction, source_id: int) -> None:
    """Let a source that has its vectors now be searched in place of those that awaited it.

    To be called before the transaction has touched any source.
    """
    hold_twins(tx, tx.value("project_of_source", id=source_id))
    for row in tx.rows("awaiting_twins", id=source_id):
        _make_twin(tx, row["id"], of=source_id)


def _make_twin(tx: Transaction, source_id: int, *, of: int) -> None:
    tx.execute("make_twin", id=source_id, twin_of=of)
    tx.execute("retire_all_chunks", source_id=source_id)


def _outdo(tx: Transaction, source_id: int, *, by: int) -> None:
    """What is searched now awaits the better one, where that is not yet; so does what awaited this one."""
    for row in tx.rows("awaiting_twins", id=source_id):
        _outdo(tx, row["id"], by=by)
    if tx.value("is_searched", id=source_id) and not tx.value("is_searched", id=by):
        tx.execute("await_twin", id=source_id, better=by)
    else:
        _make_twin(tx, source_id, of=by)
