"""The money of a reply, part by part: booked with its claim, taken back once it is sure that nothing was taken for it.

In between it counts, also when the process dies or the outcome is never seen: the platform may have charged it. What
was booked stays with the reply, so that what it cost does not change with the price.
"""

from datetime import datetime
from typing import Any

from rejoinder.listening.policy import PaidAction, reply_action
from rejoinder.listening.spending import Stop, exact_usd
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
    books, action = open_books(tx, publication.channel_id, now, channel=channel), _action(publication)
    if stop := book_deed(books, action, _deed(publication)):
        return stop
    charged_usd = exact_usd(books.channel.policy.price_usd(action))
    values = _attempt(publication) | {"action": action, "charged_usd": charged_usd}
    tx.execute("keep_charge", **values)
    return None


def take_back_reply(tx: Transaction, publication: Publication, now: datetime) -> None:
    """Count the attempt at the part in hand no more: the platform did not take it. What was booked is given back."""
    books = open_books(tx, publication.channel_id, now)
    # An attempt that began before charges were kept has none.
    booked = tx.row("drop_charge", **_attempt(publication)) or {}
    action = booked.get("action") or _action(publication)
    take_back_deed(books, action, _deed(publication), booked.get("charged_usd"))


def _action(publication: Publication) -> PaidAction:
    # Only the first part answers somebody who called us: the others answer our own words.
    part = publication.part
    has_link = any(True for _ in find_links(part.text))
    return reply_action(has_link=has_link, is_summoned=publication.is_summoned and part.position == 0)


def _attempt(publication: Publication) -> dict[str, Any]:
    part = publication.part
    return {"publication_id": publication.id, "position": part.position, "attempt": part.attempts}


def _deed(publication: Publication) -> str:
    part = publication.part
    thread = f".{part.position + 1}" if part.position else ""
    return f"reply {publication.id}{thread}/{part.attempts}"
