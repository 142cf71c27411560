"""Strings and numbers that a JSON schema accepts."""

import math
import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

MARK = "[rehearsal]"
MOST_CHARACTERS = 100_000
FORMATS = {
    "date-time": "2026-01-01T00:00:00Z",
    "date": "2026-01-01",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "rehearsal@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/rehearsal",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


class Unsatisfiable(ValueError):
    """No value for a schema was found."""


def sample_text(flat: dict[str, Any]) -> str:
    """A string: the mark, cut or lengthened to what is allowed.

    >>> sample_text({"maxLength": 4}), sample_text({"minLength": 14})
    ('[reh', '[rehearsal] [r')
    """
    least, most = flat.get("minLength", 0), flat.get("maxLength", MOST_CHARACTERS)
    if least > min(most, MOST_CHARACTERS):
        raise Unsatisfiable(f"minLength {least} is more than maxLength, or than {MOST_CHARACTERS}")
    if "pattern" in flat:
        return sample_pattern(str(flat["pattern"]), least, most)
    if flat.get("format") in FORMATS:
        return FORMATS[flat["format"]]
    return marked(max(least, min(len(MARK), most)))


def marked(length: int) -> str:
    """The mark over and over, to a length."""
    return (f"{MARK} " * (length // len(MARK) + 1))[:length]


def sample_pattern(pattern: str, least: int, most: int) -> str:
    """The first of some usual strings that a pattern accepts.

    >>> sample_pattern("^[A-Z]{3}$", 0, 9)
    'AAA'
    """
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise Unsatisfiable(f"pattern {pattern!r} is not a regular expression: {error}") from None
    for text in usual_strings(least, most):
        if least <= len(text) <= most and wanted.search(text):
            return text
    raise Unsatisfiable(f"no string for pattern {pattern!r} is known here: script an answer")


def usual_strings(least: int, most: int) -> Iterator[str]:
    """Strings to try, the readable ones first."""
    yield marked(max(least, min(len(MARK), most)))
    yield from FORMATS.values()
    yield from ("rehearsal", "en", "en-US", "A1", "a1", "a-1", "a_1", "00:00", "1.0", "0.0.0", "@a", "#a")
    for length in range(least, min(most, least + 64) + 1):
        for letter in ("a", "A", "0", "1", "f", " "):
            yield letter * length


def sample_number(flat: dict[str, Any], *, is_integer: bool) -> int | float:
    """0 if it is allowed, else the allowed number that is nearest to a bound.

    >>> sample_number({"minimum": 2.5}, is_integer=True)
    3
    >>> sample_number({"exclusiveMaximum": 0, "multipleOf": 5}, is_integer=False)
    -5
    """
    low, high = bounds(flat)
    step = Fraction(flat.get("multipleOf", 1)) if is_integer or "multipleOf" in flat else None
    if is_integer and step is not None and step.denominator != 1:
        step = Fraction(step.numerator)  # the whole numbers among the multiples
    for candidate in candidates(low, high, step):
        if allows(low, high, candidate):
            return int(candidate) if candidate.denominator == 1 else float(candidate)
    raise Unsatisfiable(f"no number is allowed by {flat}")


Bound = tuple[Fraction, bool]


def bounds(flat: dict[str, Any]) -> tuple[Bound | None, Bound | None]:
    """The lowest and the highest number, each with whether it is itself excluded."""
    lows = [(Fraction(flat["minimum"]), False)] if "minimum" in flat else []
    lows += [(Fraction(flat["exclusiveMinimum"]), True)] if "exclusiveMinimum" in flat else []
    highs = [(Fraction(flat["maximum"]), True)] if "maximum" in flat else []
    highs += [(Fraction(flat["exclusiveMaximum"]), False)] if "exclusiveMaximum" in flat else []
    # Of two equal bounds the excluding one is tighter: it sorts last among lows and first among highs.
    low, high = max(lows, default=None), min(highs, default=None)
    return low, None if high is None else (high[0], not high[1])


def candidates(low: Bound | None, high: Bound | None, step: Fraction | None) -> Iterator[Fraction]:
    """Numbers to try: 0, then what lies next to the bounds."""
    yield Fraction(0)
    if step is not None:
        for bound, rounded, outward in ((low, math.ceil, 1), (high, math.floor, -1)):
            if bound is not None:
                count = rounded(bound[0] / step)
                yield from (count * step, (count + outward) * step)
        return
    if low is not None and high is not None:
        yield from (low[0], high[0], (low[0] + high[0]) / 2)
    for bound, outward in ((low, 1), (high, -1)):
        if bound is not None:
            yield from (bound[0], bound[0] + outward)


def allows(low: Bound | None, high: Bound | None, value: Fraction) -> bool:
    """Whether a number lies within bounds."""
    if low is not None and (value < low[0] or (low[1] and value == low[0])):
        return False
    return high is None or value < high[0] or (not high[1] and value == high[0])
