"""Replies that are looked at on the way: a lookup that is made anyway asks whether others still stand, at no cost.

A platform that charges for a read charges a resource once a UTC day, and a call holds a hundred ids whether it names
them or not. So what was read today already, or costs nothing, fills what a call has left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rejoinder.engagement.counts import PartCounts
from rejoinder.ids import PublicationId
from resources.platforms.port import Metrics
from resources.postgres import Database, Transaction
from resources.store.channels import Channel
from resources.store.engagement import Measurement, note_standing_of_reply

A_CALL = 100
# Older replies are looked at no more, and none more often than this.
LOOKED_AFTER = timedelta(days=30)
EVERY = timedelta(hours=1)


def part_counts(metrics: Metrics) -> PartCounts:
    """A platform's counts as the domain has them."""
    return PartCounts(
        metrics.impressions,
        metrics.likes,
        metrics.replies,
        metrics.reposts,
        metrics.link_clicks,
        metrics.profile_clicks,
        metrics.is_deleted,
    )


@dataclass(slots=True)
class LookingAlong:
    """Which replies of a channel go along with its lookups, and what was seen of them."""

    channel: Channel
    n_gone: int = 0
    _chosen: dict[str, PublicationId] = field(default_factory=dict)
    _seen: dict[PublicationId, Metrics] = field(default_factory=dict)

    def choose(self, tx: Transaction, items: Sequence[Measurement]) -> None:
        """Choose those that go along with the lookup of these."""
        n_ids = sum(len(item.platform_ids) for item in items)
        now = datetime.now(UTC)
        rows = tx.rows(
            "replies_to_look_along",
            channel_id=self.channel.id,
            day=now.date(),
            is_free=not self.channel.policy.price_usd("own_read"),
            sent_after_at=now - LOOKED_AFTER,
            looked_before_at=now - EVERY,
            except_ids=[*(item.publication_id for item in items), *self._seen],
            most=-n_ids % A_CALL,
        )
        self._chosen = {row["platform_id"]: row["publication_id"] for row in rows}

    def ids(self) -> list[str]:
        """The platform's ids of those chosen."""
        return list(self._chosen)

    def note(self, counts: Mapping[str, Metrics]) -> None:
        """What a lookup said of them."""
        self._seen |= {
            publication_id: counts[one] for one, publication_id in self._chosen.items() if one in counts
        }

    def save(self, db: Database) -> None:
        """Write down which of them stand and which are gone."""
        now = datetime.now(UTC)
        with db.transaction() as tx:
            tx.execute("note_looked_at", ids=sorted(self._seen), now=now)
            for publication_id, seen in sorted(self._seen.items()):
                gone, reason = seen.is_deleted, seen.reason or None
                is_news = note_standing_of_reply(tx, publication_id, is_gone=gone, reason=reason, now=now)
                self.n_gone += is_news and gone
