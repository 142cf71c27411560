"""The kill switch, as the publisher asks it: nothing may leave while a pause is in force.

Whoever is about to send holds the switch, shared with others, until its claim is committed. A pause takes it alone
(`resources/commands/pauses.py`): it waits for claims in progress, and every later claim sees it. So when the command
that pauses returns, nothing new can leave.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from resources.postgres import Transaction
from resources.store.channels import Channel


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause in force; channel_id and channel are None where everything is paused.

    paused_by is the person's name, None for the owner of the machine.
    """

    channel_id: int | None
    channel: str | None
    reason: str
    paused_by: str | None
    paused_at: datetime

    def __str__(self) -> str:
        """A sentence for people."""
        what = f"channel {self.channel}" if self.channel else "everything"
        return f"{what} is paused by {self.paused_by or 'the owner of the machine'}: {self.reason}"


def hold_switch(tx: Transaction, channel: Channel) -> Pause | None:
    """Hold the switch until the transaction ends; the pause that forbids sending, if one is in force.

    Two statements: the second has to see what was committed while the first one waited.
    """
    tx.execute("hold_switch")
    row = tx.row("pause_in_force", channel_id=channel.id)
    return _pause(row, channel.name) if row else None


def pauses_in_force(tx: Transaction) -> list[Pause]:
    """Every pause in force, that of everything first."""
    return [_pause(row, row["channel"]) for row in tx.rows("pauses_in_force")]


def _pause(row: dict[str, Any], channel: str | None) -> Pause:
    name = channel if row["channel_id"] is not None else None
    return Pause(row["channel_id"], name, row["reason"], row["paused_by"], row["paused_at"])
