"""Listening rules that a platform does not take: put aside with its reason, told of once, and taken back."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from rejoinder.ids import ChannelId
from rejoinder.listening.rules import ListeningRule
from resources.platforms.port import RefusedRule
from resources.postgres import Transaction
from resources.store.channels import Channel
from resources.store.publications import notify

LONGEST_REASON = 300


class RuleAside(NamedTuple):
    """A rule of a channel that was put aside, since when and why."""

    channel_id: ChannelId
    channel: str
    tag: str
    query: str
    refusal: str
    refused_at: datetime


def rules_aside(tx: Transaction, channel_id: ChannelId | None = None) -> list[RuleAside]:
    """The rules that were put aside, of one channel or of every enabled one."""
    return [RuleAside(**row) for row in tx.rows("refused_rules", channel_id=channel_id)]


def put_aside(tx: Transaction, channel: Channel, refused: Sequence[RefusedRule]) -> None:
    """Listen for these no more until their text changes; people are told of each once."""
    for rule, reason in refused:
        told = reason[:LONGEST_REASON].replace("\0", "\N{SYMBOL FOR NULL}")
        row = tx.row("put_rule_aside", channel_id=channel.id, query=rule.x_query, reason=told)
        if row is not None:
            message = (
                f"Channel {channel.name}: its platform does not take the listening rule {rule.tag}: {told}"
            )
            notify(tx, "rule_refused", message, "listening_rule", row["id"], since=row["refused_at"])


def take_back(tx: Transaction, channel: Channel, rules: Sequence[ListeningRule]) -> None:
    """Listen for these again: the platform took them."""
    tx.execute("take_rules_back", channel_id=channel.id, queries=[rule.x_query for rule in rules])
