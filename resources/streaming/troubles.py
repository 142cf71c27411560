"""What went wrong with a stream: its kind, for the schedule of reconnecting, and the word that people see."""

from datetime import UTC, datetime, timedelta

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.reconnecting import Trouble
from resources.platforms.failures import AuthExpired, RateLimited, Refused, SpendStopped
from resources.platforms.streaming import SlotTaken, StreamEnded
from resources.store.channel_states import State


def trouble_of(error: Exception) -> Trouble:
    """The kind of a failure, for the schedule of reconnecting.

    >>> trouble_of(StreamEnded("silent", "")), trouble_of(RateLimited(None)), trouble_of(AuthExpired("no"))
    ('silent', 'rate_limited', 'refused')
    """
    if isinstance(error, StreamEnded):
        return error.trouble
    if isinstance(error, SlotTaken):
        return "slot_taken"
    if isinstance(error, RateLimited):
        return "rate_limited"
    return "refused" if isinstance(error, AuthExpired | Refused | ConfigInvalid) else "http"


def state_of(trouble: Trouble, error: Exception | None) -> State:
    """The word that people see for it.

    >>> state_of("refused", None), state_of("rate_limited", SpendStopped(None)), state_of("http", None)
    ('refused', 'stopped', 'waiting')
    """
    if trouble == "refused":
        return "refused"
    return "stopped" if isinstance(error, SpendStopped) else "waiting"


def a_day_ago() -> datetime:
    """Since when people were told of a trouble that lasts: once a day is enough."""
    return datetime.now(UTC) - timedelta(days=1)
