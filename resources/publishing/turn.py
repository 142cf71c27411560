"""Whether a channel may send anything at all now: no pause, no quiet hours, no limit of its account."""

from datetime import datetime

from rejoinder.listening.quiet_hours import quiet_until
from resources.postgres import Transaction
from resources.publishing.clock import Clock
from resources.publishing.pacing import lock_windows, pace_of
from resources.publishing.switch import hold_switch
from resources.store.channels import Channel


def time_to_send(tx: Transaction, channel: Channel, clock: Clock) -> datetime | None:
    """The time now if the channel may send, None else; the switch and the account's windows stay held.

    The clock is read once they are: however long others held them, a call is counted at the time that it is made.
    """
    if hold_switch(tx, channel):
        return None
    windows = lock_windows(tx, channel, clock.now())
    now = clock.look(tx)
    if quiet_until(channel.policy.quiet_hours, now) or pace_of(windows, now).allowed_from > now:
        return None
    return now
