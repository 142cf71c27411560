"""What an input is known by: the name of its first day, for as long as it comes from the same place.

A place is the whole path of a file, its path below the inbox, or the way it came with its name (uploads). The same
place is the same input, whatever it is called this time; the same name from another place is another input.
"""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class KnownAs:
    """The name of an input, and the place to be remembered with it; None where another one stays its place.

    is_told_apart says that the name it came with is another input's.
    """

    name: str
    place: str | None
    is_told_apart: bool = False


def settle_name(
    tx: Transaction, project_id: int, wanted: str, place: str, *, raw_key: str | None = None
) -> KnownAs:
    """What the input from a place is known by.

    An input that is known without a place (from before places were kept) takes the first that comes. The same bytes
    under the same name are no other input: a copy changes nothing, a file that was moved takes its name along.

    wanted is the name that it came with, raw_key the key of its bytes, if they could be read.
    """
    rows = tx.rows("inputs_at", project_id=project_id, name=wanted, place=place)
    if here := next((row for row in rows if row["place"] == place), None):
        return KnownAs(here["name"], place)
    is_address = wanted.lower().startswith(("http://", "https://"))  # what is fetched is known by those
    if not rows and not is_address:
        return KnownAs(wanted, place)
    named = rows[0] if rows else {"origin": "url"}
    if named["origin"] not in {"url", "feed"}:
        if named["place"] is None or _is_one_file(named["place"], place):
            return KnownAs(wanted, place)
        if raw_key is not None and named["raw_key"] == raw_key:
            return KnownAs(wanted, place if _is_gone(named["place"]) else None)
    return KnownAs(_free_name(tx, project_id, wanted, place), place, is_told_apart=True)


def hold_names(tx: Transaction, project_id: int) -> None:
    """Let nobody else name an input of the project until this transaction ends."""
    tx.rows("lock_input_names", project_id=project_id)


def _is_one_file(first: str, second: str) -> bool:
    """Whether two paths lead to one file, by a link for instance."""
    try:
        return _is_path(first) and _is_path(second) and Path(first).samefile(second)
    except OSError:
        return False


def _is_gone(place: str) -> bool:
    return _is_path(place) and not os.path.lexists(place)


def _is_path(place: str) -> bool:
    return place.startswith("/")


def _free_name(tx: Transaction, project_id: int, wanted: str, place: str) -> str:
    names = list(longer_names(wanted, place))
    taken: set[Any] = {r["name"] for r in tx.rows("names_in_use", project_id=project_id, names=names)}
    return next((name for name in names if name not in taken), names[-1])


def longer_names(wanted: str, place: str) -> Iterator[str]:
    """Names that tell an input from another of the name it came with: with one folder more each, then with a hash.

    >>> list(longer_names("e1.vtt", "/srv/show/e1.vtt"))
    ['show/e1.vtt', 'srv/show/e1.vtt', 'e1.vtt#e32451db']
    """
    parts = [part for part in PurePosixPath(place).parts if part != "/"]
    for n in range(2, len(parts) + 1):
        name = "/".join(parts[-n:])
        if len(name) > len(wanted):
            yield name
    yield f"{wanted[:490]}#{hashlib.sha256(place.encode(errors='backslashreplace')).hexdigest()[:8]}"
