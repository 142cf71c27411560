"""The money of a reply, part by part: booked with its claim, taken back once it is sure that nothing was taken for it.

In between it counts, also when the process dies or the outcome is never seen: the platform may have charged it.
"""

from datetime import datetime

from rejoinder.listening.policy import PaidAction, reply_action
from rejoinder.listening.spending import Stop
from rejoinder.text.links import find_links
from resources.postgres import Transaction
from resources.spending.books import book_deed, open_books, take_back_deed
from resources.store.channels import Channel
from resources.store.publications import Publication

# An attempt that ended so was not taken by the platform.
NOT_TAKEN = frozenset({"queued", "refused"})


def book_reply(
    tx: Transaction, publication: Publication, now: datetime, channel: Channel | None = None
) -> Stop | None:
    """Count the part in hand in the claim's own transaction; why not, where its channel's budget has no room.

    channel is the publication's, if this transaction has loaded it.
    """
    books = open_books(tx, publication.channel_id, now, channel=channel)
    return book_deed(books, _action(publication), _deed(publication))


def take_back_reply(tx: Transaction, publication: Publication, now: datetime) -> None:
    """Count the attempt at the part in hand no more: the platform did not take it."""
    books = open_books(tx, publication.channel_id, now)
    take_back_deed(books, _action(publication), _deed(publication))


def _action(publication: Publication) -> PaidAction:
    # Only the first part answers somebody who called us: the others answer our own words.
    part = publication.part
    has_link = any(True for _ in find_links(part.text))
    return reply_action(has_link=has_link, is_summoned=publication.is_summoned and part.position == 0)


def _deed(publication: Publication) -> str:
    part = publication.part
    thread = f".{part.position + 1}" if part.position else ""
    return f"reply {publication.id}{thread}/{part.attempts}"
