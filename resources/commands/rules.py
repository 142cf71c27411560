"""Listening rules for people: what is listened for, what a sync would change, and what it would cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rejoinder.errors import ConfigInvalid
from rejoinder.listening.rules import ListeningRule
from rejoinder.listening.spending import budget_of
from resources.clients import OpenClient
from resources.platforms.failures import Refused
from resources.platforms.port import PlatformClient, RefusedRule
from resources.platforms.streaming import RuleChanges, as_block_stream
from resources.postgres import Database
from resources.rule_forecasts import RuleForecast, forecasts, usd_per_day
from resources.store.channels import Channel, enabled_channels, read_credential
from resources.store.refused_rules import put_aside, rules_aside, take_back


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """The rules of one channel; aside are those that its platform did not take, with its reason."""

    channel: Channel
    rules: tuple[ListeningRule, ...]
    aside: tuple[RefusedRule, ...] = ()

    @property
    def wanted(self) -> tuple[ListeningRule, ...]:
        """All of them: those that were put aside are wanted too."""
        return (*self.rules, *(refused.rule for refused in self.aside))


def rules_of_channels(db: Database, name: str | None = None) -> list[ChannelRules]:
    """The rules of every enabled channel, or of the one that is named.

    Raises:
        ConfigInvalid: no enabled channel has that name.
    """
    with db.transaction() as tx:
        channels = [one for one in enabled_channels(tx) if name in (None, one.name)]
        found = [
            ChannelRules(
                channel,
                tuple(
                    ListeningRule(row["tag"], row["query"], channel.communities)
                    for row in tx.rows("active_rules", channel_id=channel.id)
                ),
                tuple(
                    RefusedRule(ListeningRule(one.tag, one.query, channel.communities), one.refusal)
                    for one in rules_aside(tx, channel.id)
                ),
            )
            for channel in channels
        ]
    if name and not found:
        raise ConfigInvalid(f"There is no enabled channel named {name}.", fix="See `rejoinder channel list`.")
    return found


def client_of(db: Database, channel: Channel, open_client: OpenClient) -> PlatformClient:
    """A channel's client with its read credential."""
    with db.transaction() as tx:
        credential = read_credential(tx, channel.id)
    return open_client(channel, credential)


def planned(client: PlatformClient, rules: Sequence[ListeningRule]) -> RuleChanges | None:
    """What a sync would change; None where the platform keeps no rules."""
    stream = as_block_stream(client)
    return None if stream is None else stream.plan_rules(rules)


def synced(client: PlatformClient, rules: Sequence[ListeningRule]) -> RuleChanges | None:
    """Make the platform's rules equal to these; None where it keeps none."""
    stream = as_block_stream(client)
    return None if stream is None else stream.sync_rules(rules)


def try_again(db: Database, one: ChannelRules, client: PlatformClient) -> RuleChanges | None:
    """Make the platform's rules equal to all of a channel's, those too that were put aside before.

    What it takes now is listened for again, what it does not is put aside with its reason. None where the platform
    keeps no rules.
    """
    changes = synced(client, one.wanted)
    if changes is not None:
        with db.transaction() as tx:
            take_back(tx, one.channel, (*changes.added, *changes.kept))
            put_aside(tx, one.channel, changes.refused)
    return changes


def forecasts_of_wanted(client: PlatformClient, one: ChannelRules) -> list[RuleForecast]:
    """What all rules of a channel would cost; one that the platform cannot read counts for nothing, nor is it taken."""
    found = forecasts(client, one.channel, one.rules)
    for refused in one.aside:
        try:
            found += forecasts(client, one.channel, [refused.rule])
        except Refused as refusal:
            if refusal.code != "invalid":
                raise
    return found


def refuse_beyond_budget(channel: Channel, found: Sequence[RuleForecast], *, is_agreed: bool) -> None:
    """Stop rules that would spend more in a day than the channel may, unless somebody agreed.

    Raises:
        ConfigInvalid: with the figures.
    """
    cap = budget_of(channel.policy, channel.platform).of("day")
    cost = usd_per_day(found)
    if cap is None or is_agreed or cost <= float(cap):
        return
    raise ConfigInvalid(
        f"The rules of channel {channel.name} would cost {cost:.2f} USD a day, its budget is {cap:.2f} USD a day.",
        fix="Narrow the rules, raise the budget with `rejoinder policy set`, or give --yes: the budget then stops"
        " listening when it is spent.",
    )


def forecast_row(one: RuleForecast) -> dict[str, Any]:
    """A forecast for people and programs; null where nothing was counted."""
    told = one.forecast
    return {
        "channel": one.channel,
        "tag": one.rule.tag,
        "query": one.rule.x_query,
        "posts_per_day": told and round(told.posts_per_day.expected, 1),
        "posts_per_day_high": told and round(told.posts_per_day.high, 1),
        "usd_per_day": told and round(told.usd_per_day.expected, 2),
        "usd_per_month": told and round(told.usd_per_month.expected, 2),
        "share_of_day_budget": told and told.day_share,
        "share_of_month_budget": told and told.month_share,
    }
