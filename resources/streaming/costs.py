"""What new rules will cost is told before they are switched on."""

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import psycopg

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.rules import ListeningRule
from rejoinder.listening.spending import budget_of
from resources.platforms.failures import PlatformFailure
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.rule_forecasts import cost_in_words, forecasts, usd_per_day
from resources.store.channels import Channel
from resources.store.publications import notify

log = logging.getLogger("rejoinder.listening")

# A count is a paid call: of more rules than this the first are counted, and the words say of how many they speak.
MOST_COUNTED = 50


def tell_cost(
    db: Database, client: PlatformClient, channel: Channel, added: Callable[[], Sequence[ListeningRule]]
) -> str | None:
    """Say in the log what new rules will bring and cost, and tell people where it is more than the day's budget.

    Listening goes on either way: the budget stops it where it is spent. Nothing is counted where reading is free, and a
    platform that does not count is no reason not to listen.

    Args:
        db: as the application's login.
        client: of the channel.
        channel: whose rules they are.
        added: gives the rules that the platform does not have yet; asked only where reading costs anything.

    Returns:
        The words; None where nothing was counted.
    """
    if channel.policy.price_usd("post_read") <= 0:
        return None
    try:
        found = forecasts(client, channel, added()[:MOST_COUNTED])
    except PlatformFailure as error:
        log.warning("channel %s: what new rules will cost is not known: %s", channel.name, error)
        return None
    words = cost_in_words(channel, found)
    if not words:
        return None
    log.info("%s", words)
    cap = budget_of(channel.policy, channel.platform).of("day")
    if cap is not None and usd_per_day(found) > float(cap):
        _notify(
            db, channel, f"{words} It stops when that is spent: `rejoinder rules forecast` shows each rule."
        )
    return words


def _notify(db: Database, channel: Channel, message: str) -> None:
    try:
        with db.transaction() as tx:
            since = datetime.now(UTC) - timedelta(days=1)
            notify(tx, "rules_beyond_budget", message, "channel", channel.id, since=since)
    except (ServiceUnavailable, psycopg.Error) as error:
        log.warning("a notification cannot be written: %s", error)
