"""Replies that are looked at on the way: a lookup that is made anyway asks whether others still stand, at no cost.

A platform that charges for a read charges a resource once a UTC day, and a call holds a hundred ids whether it names
them or not. So what was read today already, or costs nothing, fills what a call has left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rejoinder.engagement.counts import PartCounts
from rejoinder.engagement.windows import is_gone_unsaid
from rejoinder.ids import PublicationId
from resources.platforms.port import Metrics
from resources.postgres import Database, Transaction
from resources.store.channels import Channel
from resources.store.engagement import Measurement, note_looked_at, note_standing_of_reply

A_CALL = 100
# Older replies are looked at no more, and none more often than this.
LOOKED_AFTER = timedelta(days=30)
EVERY = timedelta(hours=1)
# A reply that the platform has said nothing of for so long that it counts as gone.
UNSAID = Metrics(None, 0, 0, 0, is_deleted=True, reason="left out")


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


@dataclass(frozen=True, slots=True)
class _Chosen:
    publication_id: PublicationId
    unsaid_since: datetime | None


@dataclass(slots=True)
class LookingAlong:
    """Which replies of a channel go along with its lookups, and what was seen of them.

    Whatever an answer says or leaves out, who was asked about goes to the end of the line.
    """

    channel: Channel
    n_gone: int = 0
    _chosen: dict[str, _Chosen] = field(default_factory=dict)
    _seen: dict[PublicationId, Metrics] = field(default_factory=dict)
    _unsaid: set[PublicationId] = field(default_factory=set)
    _passed_over: set[PublicationId] = field(default_factory=set)
    _asked_at: datetime | None = None

    def choose(self, tx: Transaction, items: Sequence[Measurement]) -> None:
        """Choose those that go along with the lookup of these."""
        n_ids = sum(len(item.platform_ids) for item in items)
        now = datetime.now(UTC)
        asked = {*self._seen, *self._unsaid, *self._passed_over}
        rows = tx.rows(
            "replies_to_look_along",
            channel_id=self.channel.id,
            day=now.date(),
            is_free=not self.channel.policy.price_usd("own_read"),
            sent_after_at=now - LOOKED_AFTER,
            looked_before_at=now - EVERY,
            except_ids=[*(item.publication_id for item in items), *asked],
            most=-n_ids % A_CALL,
        )
        self._chosen = {
            row["platform_id"]: _Chosen(row["publication_id"], row["unsaid_since"]) for row in rows
        }

    def ids(self) -> list[str]:
        """The platform's ids of those chosen."""
        return list(self._chosen)

    def note(self, counts: Mapping[str, Metrics], asked_at: datetime) -> None:
        """What a lookup said of them, or that it said nothing; asked_at in the channel's own time."""
        self._asked_at = asked_at
        for one, chosen in self._chosen.items():
            if one not in counts:
                self._unsaid.add(chosen.publication_id)
            if one in counts or is_gone_unsaid(chosen.unsaid_since, asked_at):
                self._seen[chosen.publication_id] = counts.get(one, UNSAID)

    def pass_over(self) -> None:
        """The platform did not take the call for the ids of those chosen."""
        self._passed_over |= {chosen.publication_id for chosen in self._chosen.values()}

    def save(self, db: Database) -> None:
        """Write down which of them stand and which are gone."""
        now = datetime.now(UTC)
        with db.transaction() as tx:
            if self._asked_at:
                asked = [*{*self._seen, *self._unsaid}]
                note_looked_at(tx, asked, now, unsaid=[*self._unsaid], asked_at=self._asked_at)
            tx.execute("note_passed_over", ids=sorted(self._passed_over), now=now)
            for publication_id, seen in sorted(self._seen.items()):
                gone, reason = seen.is_deleted, seen.reason or None
                is_news = note_standing_of_reply(tx, publication_id, is_gone=gone, reason=reason, now=now)
                self.n_gone += is_news and gone
