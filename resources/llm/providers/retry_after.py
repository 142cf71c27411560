"""How long a server asks to wait, read from the headers of its answer."""

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

# "1m30.5s", "12ms": how long until a rate limit is lifted.
SPAN = re.compile(r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
LIMITS = ("requests", "tokens")


def retry_after_s(headers: httpx.Headers, now: Callable[[], datetime]) -> float | None:
    """Seconds to wait, None where no header says.

    Read are retry-after-ms, retry-after as seconds or as an HTTP date (counted from the answer's own date where it
    has one), and what x-ratelimit-reset-requests and -tokens say of a limit of which nothing remains.

    Args:
        headers: of the answer.
        now: the time, asked where a date is named and the answer carries none.

    >>> retry_after_s(httpx.Headers({"retry-after": "2"}), lambda: datetime.now(UTC))
    2.0
    """
    in_ms = _number(headers.get("retry-after-ms"))
    if in_ms is not None:
        return in_ms / 1000
    given = headers.get("retry-after")
    in_s = _number(given)
    if in_s is not None:
        return in_s
    until = _date(given)
    if until is not None:
        return max(0.0, (until - (_date(headers.get("date")) or now())).total_seconds())
    return max(
        (
            wait_s
            for limit in LIMITS
            if headers.get(f"x-ratelimit-remaining-{limit}") == "0"
            and (wait_s := span_s(headers.get(f"x-ratelimit-reset-{limit}", ""))) is not None
        ),
        default=None,
    )


def span_s(text: str) -> float | None:
    """Seconds of a span as rate limit headers write it; None for another text.

    >>> span_s("1m30.5s"), span_s("12ms"), span_s("soon")
    (90.5, 0.012, None)
    """
    found = SPAN.fullmatch(text.strip())
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, ms = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + ms / 1000


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text or "")
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo is not None else date.replace(tzinfo=UTC)
