"""Whether a channel may send anything at all now: no pause, no quiet hours, no limit of its account."""

from datetime import datetime

from rejoinder.listening.quiet_hours import quiet_until
from resources.postgres import Transaction
from resources.publishing.pacing import lock_pace
from resources.publishing.switch import hold_switch
from resources.store.channels import Channel


def may_send(tx: Transaction, channel: Channel, now: datetime) -> bool:
    """Whether the channel may send now; holds the kill switch and the account's windows until the transaction ends."""
    if hold_switch(tx, channel) or quiet_until(channel.policy.quiet_hours, now):
        return False
    return lock_pace(tx, channel, now).allowed_from <= now
