"""Numbers, times and names as the pages say them. Times are UTC, and say so."""

from datetime import UTC, datetime

from rejoinder.listening.policy import Way

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


def way_ahead(way: Way, platform: str, account: str) -> str:
    """Where a reply will go once it is approved."""
    if way == "api":
        return f"Once approved, it is sent by API to {PLATFORMS[platform]} as @{account.removeprefix('@')}."
    if platform == "x":
        return "Once approved, it is handed to you to post: the author did not call us, so X takes no reply by API."
    return f"Once approved, it is handed to you to post: this {PLATFORMS[platform]} channel does not reply by API."
