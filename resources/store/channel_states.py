"""What a part of a channel is doing, for people to see: set by whoever does it, read by status and the pages."""

from datetime import datetime
from typing import Literal, NamedTuple

from rejoinder.ids import ChannelId
from resources.postgres import Transaction

Part = Literal["listen", "publish", "spend", "compliance"]
State = Literal[
    # listen
    "streaming",
    "polling",
    "catching_up",
    "waiting",
    "stopped",
    "refused",
    # spend, which may be stopped too; any part that has nothing to tell is ok
    "ok",
    "warned",
]
LONGEST_DETAIL = 500


class ChannelState(NamedTuple):
    """What one part of one channel has been doing since a time; updated_at is when it last said so."""

    channel_id: ChannelId
    channel: str
    part: Part
    state: str
    detail: str
    since: datetime
    updated_at: datetime


def set_state(tx: Transaction, channel_id: ChannelId, part: Part, state: State, detail: str = "") -> None:
    """Say what a part of a channel does now.

    Args:
        tx: of the application or of the publisher.
        channel_id: the channel.
        part: which of its parts.
        state: one word; the same word again keeps the time since when it is so.
        detail: for a person: why, and when it goes on. No secrets. Cut at 500 characters.
    """
    tx.execute(
        "set_channel_state", channel_id=channel_id, part=part, state=state, detail=detail[:LONGEST_DETAIL]
    )


def read_states(tx: Transaction) -> list[ChannelState]:
    """What the parts of every enabled channel do, by channel and part; a part that never told is left out."""
    return [ChannelState(**row) for row in tx.rows("channel_states")]
