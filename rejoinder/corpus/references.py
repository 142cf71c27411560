"""Where something was said, as people write it: time, title, speaker. Addresses that open there: moments.py."""


def timestamp(seconds: float) -> str:
    """Seconds as people write them: ``mm:ss``, from an hour on ``h:mm:ss``; fractions dropped.

    >>> timestamp(75.9), timestamp(3675), timestamp(5)
    ('1:15', '1:01:15', '0:05')
    """
    hours, rest = divmod(max(0, int(seconds)), 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def short_title(title: str, limit: int) -> str:
    """A title on one line, at most limit characters, cut after a word with an ellipsis.

    >>> short_title("Backups you can restore", 14)
    'Backups you…'
    """
    plain = " ".join(title.split())
    if len(plain) <= limit:
        return plain
    cut = plain[: limit - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut).rstrip(" ,;:-—") + "…"


def is_name(speaker: str | None) -> bool:
    """Whether a speaker label names a person, rather than "Speaker 1", "0" or nothing.

    >>> is_name("Grace Hopper"), is_name("Speaker 2"), is_name("0")
    (True, False, False)
    """
    if not speaker or any(map(str.isdigit, speaker)):
        return False
    return speaker.lower() not in ("speaker", "unknown", "host", "guest", "narrator")
