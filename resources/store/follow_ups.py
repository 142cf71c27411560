"""Answers to our replies: rows <-> values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from rejoinder.engagement.follow_ups import FollowUp
from rejoinder.ids import ChannelId, PublicationId
from resources.postgres import Transaction


class OwnReply(NamedTuple):
    """A reply of ours, by its publication, and the account that it was written by."""

    publication_id: PublicationId
    account: str


@dataclass(frozen=True, slots=True)
class StoredFollowUp:
    """An answer to a reply of ours; kind is None where it was heard before the reply's own id was known."""

    publication_id: PublicationId
    post_id: int
    platform: str
    platform_post_id: str
    author: str | None
    text: str
    url: str | None
    created_at: datetime
    stage: str
    status: str
    rejection_reason: str | None
    kind: str | None
    version: int


def own_accounts(tx: Transaction, channel_id: ChannelId) -> frozenset[str]:
    """Our accounts where the channel is: those of all channels of its project there, in lower case, without ``@``."""
    return frozenset(row["account"] for row in tx.rows("own_accounts", channel_id=channel_id))


def replies_among(tx: Transaction, platform: str, platform_ids: Sequence[str]) -> dict[str, OwnReply]:
    """Which of these ids are replies of ours or parts of them."""
    known = [one for one in platform_ids if _may_be_stored(one)]
    if not known:
        return {}
    rows = tx.rows("replies_among", platform=platform, platform_ids=known)
    return {
        row["platform_id"]: OwnReply(PublicationId(row["publication_id"]), row["account"]) for row in rows
    }


def _may_be_stored(platform_id: str) -> bool:
    """Whether PostgreSQL can hold such a text; what it cannot hold was never written down as an id of ours."""
    return "\0" not in platform_id and not any("\ud800" <= letter <= "\udfff" for letter in platform_id)


def tie_to_publication(tx: Transaction, publication_id: PublicationId, platform_ids: Sequence[str]) -> int:
    """Tie the posts that answer one of these ids to the publication; how many are tied to it now."""
    tx.execute("tie_follow_ups", publication_id=publication_id, platform_ids=list(platform_ids))
    return int(tx.value("count_follow_ups", publication_id=publication_id))


def note_follow_ups(tx: Transaction, platform: str, judged: Mapping[str, FollowUp]) -> None:
    """Write down what answers are, by their platform's id."""
    if judged:
        given = [
            {"platform_post_id": one, "kind": found.kind, "reason": found.reason}
            for one, found in judged.items()
        ]
        tx.execute("note_follow_ups", platform=platform, judged=json.dumps(given))


def follow_ups_of(
    tx: Transaction, publication_ids: Sequence[int], *, most: int = 100
) -> list[StoredFollowUp]:
    """The latest answers to these publications, so many of each at most, each publication's oldest first."""
    rows = tx.rows("follow_ups_of", publication_ids=list(publication_ids), most=most)
    return [StoredFollowUp(**row) for row in rows]


def list_follow_ups(tx: Transaction, *, kind: str | None = None, most: int = 100) -> list[StoredFollowUp]:
    """The latest answers, newest first; of one kind, or of all."""
    return [StoredFollowUp(**row) for row in tx.rows("list_follow_ups", kind=kind, most=most)]


def follow_up_counts(tx: Transaction) -> dict[str, int]:
    """How many answers there were, as ``kind: place``."""
    return {f"{row['kind']}: {row['place']}": row["n"] for row in tx.rows("follow_up_counts")}
