"""What the doctor sees of credentials: whether their keys are at hand, and open what is stored."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from rejoinder.errors import RejoinderError
from resources.sealing.credential import KINDS, Kind
from resources.sealing.envelope import Sealed
from resources.sealing.keeper import Keeper
from resources.sealing.splits import can_write

ANEW = "rejoinder channel set-credential NAME"


class Look(NamedTuple):
    """What one look showed; fix is empty where nothing has to be done."""

    check: str
    verdict: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def look_at_credentials(open_keeper: Callable[[], Keeper], rows: Sequence[Mapping[str, Any]]) -> list[Look]:
    """The keys, and both kinds of credentials; each is opened and none is shown."""
    try:
        keeper = open_keeper()
        n_keys, exposure = len(keeper.source.load().keys), keeper.source.exposure
    except RejoinderError as error:
        return [Look("credential keys", "fail", str(error), error.fix or "Put the keys back.")]
    keys = Look("credential keys", "ok", f"{n_keys} in {keeper.source.place}")
    if exposure:
        what, _, fix = exposure.partition(": ")
        keys = Look("credential keys", "warn", what, fix)
    return [keys, *(_look_at(kind, [row for row in rows if row["kind"] == kind], keeper) for kind in KINDS)]


def _look_at(kind: Kind, rows: Sequence[Mapping[str, Any]], keeper: Keeper) -> Look:
    closed, mighty = [], []
    for row in rows:
        try:
            opened = keeper.open(Sealed(row["key_id"], row["box"]), channel_id=row["channel_id"], kind=kind)
        except RejoinderError as error:
            closed.append(f"{row['channel']}: {error}")
            continue
        if kind == "read" and can_write(row["platform"], opened):
            mighty.append(row["channel"])
    if closed:
        return Look(f"{kind} credentials", "fail", "; ".join(closed), ANEW)
    if mighty:
        return Look(f"{kind} credentials", "warn", f"of {', '.join(mighty)} can write too", ANEW)
    return Look(f"{kind} credentials", "ok", f"{len(rows)} open")
