"""PagerDuty: an event of its Events API v2 per notice; the same key opens an incident and resolves it.

Source: PagerDuty, "Send an Alert Event" (Events API v2): routing_key, event_action, dedup_key (at most 255
characters), payload with summary (at most 1024), source, severity; its "Overview": at most 512 KB for all of it.
"""

from rejoinder.notices.kinds import kind_of
from rejoinder.notices.notice import Event, Notice, stamp

LONGEST_SUMMARY = 1024


def incident(
    event: Event, notice: Notice, *, routing_key: str, installation: str, address: str | None = None
) -> dict[str, object]:
    """The body of the request: ``trigger`` for what began or lasts, ``resolve`` for what ended."""
    told: dict[str, object] = {"routing_key": routing_key, "dedup_key": notice.key(installation)}
    if event == "ended":
        return {**told, "event_action": "resolve"}
    links = {"links": [{"href": address, "text": "Review app"}]} if address else {}
    return {
        **told,
        "event_action": "trigger",
        "client": "Rejoinder",
        **links,
        "payload": _payload(notice, installation),
    }


def _payload(notice: Notice, installation: str) -> dict[str, object]:
    summary = " ".join(f"{kind_of(notice.kind).title}: {notice.told}".split())
    return {
        "summary": _cut(summary, LONGEST_SUMMARY),
        "source": installation,
        "severity": notice.severity,
        "timestamp": stamp(notice.created_at),
        "class": notice.kind,
        "component": notice.about or "installation",
        "custom_details": {"message": notice.told, "notification_id": notice.id},
    }


def _cut(text: str, longest: int) -> str:
    r"""The beginning of a text, counted as UTF-16 does, the way that counts most: what PagerDuty counts is not told.

    >>> _cut("a\U0001f525b", 3), _cut("a\U0001f525b", 2)
    ('a🔥', 'a')
    """
    return text.encode("utf-16-le")[: 2 * longest].decode("utf-16-le", "ignore")
