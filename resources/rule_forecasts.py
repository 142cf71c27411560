"""What rules would bring and cost, by the platform's counts of the last days."""

from collections.abc import Sequence
from dataclasses import dataclass

from rejoinder.listening.forecast import Forecast, forecast_listening
from rejoinder.listening.rules import ListeningRule
from rejoinder.listening.spending import budget_of
from resources.platforms.port import PlatformClient
from resources.store.channels import Channel


@dataclass(frozen=True, slots=True)
class RuleForecast:
    """What hearing one rule would bring and cost; None where the platform counted nothing."""

    channel: str
    rule: ListeningRule
    forecast: Forecast | None


def forecasts(client: PlatformClient, channel: Channel, rules: Sequence[ListeningRule]) -> list[RuleForecast]:
    """What each rule would cost by the counts of the last days; each count is a call that may cost money itself.

    Raises:
        PlatformFailure: the platform does not answer.
    """
    if "counts" not in client.capabilities:
        return []
    budget = budget_of(channel.policy, channel.platform)
    return [
        RuleForecast(
            channel.name, rule, forecast_listening(client.counts(rule.x_query), channel.policy, budget)
        )
        for rule in rules
    ]


def usd_per_day(found: Sequence[RuleForecast]) -> float:
    """What all rules together are expected to cost a day."""
    return sum(one.forecast.usd_per_day.expected for one in found if one.forecast is not None)


def cost_in_words(channel: Channel, found: Sequence[RuleForecast]) -> str:
    """What new rules are expected to bring and cost, for a person; empty where nothing was counted."""
    told = [one.forecast for one in found if one.forecast is not None]
    if not told:
        return ""
    posts = sum(one.posts_per_day.expected for one in told)
    cap = budget_of(channel.policy, channel.platform).of("day")
    budget = "it has no budget a day" if cap is None else f"its budget is {cap:.2f} USD a day"
    return (
        f"Channel {channel.name}: {len(found)} new rules are expected to bring about {posts:,.0f} posts and to cost"
        f" about {usd_per_day(found):.2f} USD a day; {budget}."
    )
