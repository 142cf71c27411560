"""Time stamps as transcripts write them, and putting a transcript's times in order."""

import math
from bisect import bisect_right
from collections.abc import Sequence

import regex

# h:mm:ss and mm:ss with an optional fraction; NASA also writes dd:hh:mm:ss and counts down to 0.
CLOCK = r"-?(?:(?:\d{1,3}:)?\d{1,3}:)?\d{1,3}:\d{2}(?:[.,]\d{1,6})?"
_CLOCK = regex.compile(CLOCK)
_MAX_S = 60 * 86_400.0


def clock_seconds(stamp: str) -> float | None:
    """Seconds of ``m:ss``, ``h:mm:ss`` or ``d:hh:mm:ss`` with an optional fraction (dot or comma).

    A time before zero (a countdown) is 0; anything else that is not such a stamp gives None.

    >>> clock_seconds("01:02:03,5"), clock_seconds("75:04"), clock_seconds("soon")
    (3723.5, 4504.0, None)
    """
    stamp = stamp.strip()
    if not _CLOCK.fullmatch(stamp):
        return None
    if stamp.startswith("-"):
        return 0.0
    parts = [float(part) for part in reversed(stamp.replace(",", ".").split(":"))]
    return round(sum(part * factor for part, factor in zip(parts, (1, 60, 3600, 86_400), strict=False)), 3)


def as_seconds(value: object) -> float | None:
    """A number of seconds >= 0 from JSON (number, numeric string or clock), or None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    except ValueError:
        return clock_seconds(str(value))
    return round(seconds, 3) if math.isfinite(seconds) and 0 <= seconds <= _MAX_S else None


def in_order(starts: Sequence[float | None]) -> list[float | None]:
    """The starts made non-decreasing by dropping (None) as few as possible.

    A mistyped stamp loses its own time and no other's.

    Source: longest non-decreasing subsequence by patience sorting, O(n log n).

    >>> in_order([0.0, 900.0, 2.0, None, 3.0])
    [0.0, None, 2.0, None, 3.0]
    """
    tails: list[float] = []
    ranks: list[int] = []
    for start in starts:
        if start is None:
            ranks.append(-1)
            continue
        rank = bisect_right(tails, start)
        tails[rank : rank + 1] = [start]
        ranks.append(rank)
    return _longest(starts, ranks, len(tails) - 1)


def _longest(starts: Sequence[float | None], ranks: list[int], rank: int) -> list[float | None]:
    """The subsequence read backwards: one start of each rank, the last that is not above the next."""
    kept: list[float | None] = [None] * len(starts)
    ceiling = math.inf
    for i in range(len(starts) - 1, -1, -1):
        start = starts[i]
        if start is not None and ranks[i] == rank and start <= ceiling:
            kept[i], ceiling, rank = start, start, rank - 1
    return kept
