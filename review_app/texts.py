"""Numbers, times and names as the pages say them. Times are UTC, and say so."""

from datetime import UTC, datetime

from rejoinder.listening.answerable import Answerable, Unanswerable

PLATFORMS = {"x": "X", "reddit": "Reddit"}
STAGES = {
    "triage": "Triage",
    "research": "Research",
    "response": "Response",
    "editorial": "Editorial",
    "review": "Review",
    "post_queue": "Post queue",
    "done": "Done",
}
STATES = {
    "queued": "Queued",
    "sending": "Being sent",
    "sent": "Sent",
    "refused": "Refused",
    "unknown": "Outcome unknown",
    "cancelled": "Taken back",
    "handoff": "Handed to you",
    "abandoned": "Given up",
}
SOURCE_STEPS = {
    "fetch": "fetch",
    "extract": "read",
    "chunk": "cut",
    "embed": "embed",
    "keywords": "summarise",
    "ready": "ready",
    "done": "read",
}
TONES = {
    "sent": "good",
    "completed": "good",
    "accepted": "good",
    "supports": "good",
    "approved": "good",
    "refused": "bad",
    "rejected": "bad",
    "failed": "bad",
    "dead": "bad",
    "disputes": "warn",
    "unknown": "warn",
    "handoff": "warn",
    "rate_limited": "warn",
    "sent_back": "warn",
}
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400


def utc_now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def day_start() -> datetime:
    """Midnight of this day, UTC."""
    return utc_now().replace(hour=0, minute=0, second=0, microsecond=0)


def when(at: datetime | None) -> str:
    """A time with its zone.

    >>> when(datetime(2026, 11, 14, 19, 22, 5, tzinfo=UTC)), when(None)
    ('2026-11-14 19:22 UTC', '')
    """
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if at else ""


def age(at: datetime, now: datetime) -> str:
    """How long ago, in its largest unit.

    >>> age(datetime(2026, 11, 14, 19, tzinfo=UTC), datetime(2026, 11, 14, 22, 30, tzinfo=UTC))
    '3 h'
    """
    seconds = max(0, int((now - at).total_seconds()))
    if seconds < HOUR_S:
        return f"{seconds // MINUTE_S} min"
    return f"{seconds // HOUR_S} h" if seconds < 2 * DAY_S else f"{seconds // DAY_S} d"


def length(seconds: float | None) -> str:
    """How long a recording is; empty where it has no times.

    >>> length(5400), length(160), length(None)
    ('1 h 30 min', '3 min', '')
    """
    if not seconds:
        return ""
    hours, minutes = divmod(max(1, round(seconds / MINUTE_S)), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def clock(seconds: float | None) -> str:
    """A second in a recording as hours, minutes and seconds; empty where there is none.

    >>> clock(3724.9), clock(64), clock(None)
    ('1:02:04', '1:04', '')
    """
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def words(code: str) -> str:
    """A code as words.

    >>> words("quote_first")
    'quote first'
    """
    return code.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "cue"), counted(1_200, "chunk")
    ('1 cue', '1,200 chunks')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def author_of(author: str | None) -> str:
    """The author's name; an unknown one is unknown, not one person."""
    return author or "unknown author"


def way_ahead(standing: Answerable | Unanswerable, platform: str, account: str, price_usd: float) -> str:
    """Where a reply will go once it is approved, at which price, and what it waits for; or why it may not go."""
    if isinstance(standing, Unanswerable):
        if standing.until is None:
            return f"This post may not be answered: {standing.reason}."
        return f"Not yet: {standing.reason}."
    if standing.way == "handoff":
        return f"Once approved, it is handed to you to post: {standing.why_by_hand}."
    text = f"Once approved, it is sent by API to {PLATFORMS[platform]} as @{account.removeprefix('@')}"
    price = f", for {price_usd:.3f} USD as it was drafted" if price_usd else ""
    wait = (
        f"; not before {when(standing.not_before)}, when the quiet hours end" if standing.not_before else ""
    )
    return f"{text}{price}{wait}."
