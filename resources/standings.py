"""Writing down what a platform said of heard posts: they stand, read otherwise, are gone, or are back."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, get_args

from rejoinder.listening.post import Post
from rejoinder.listening.standing import Verdict
from resources.postgres import Transaction
from resources.purging import purge_posts
from resources.store.post_edits import ARCHIVED, note_edit


class Found(NamedTuple):
    """A stored post by its id, the verdict on it, and how it stands on its platform now: None where it is gone."""

    post_id: int
    verdict: Verdict
    now: Post | None


def note_found(tx: Transaction, found: Sequence[Found], now: datetime) -> Counter[str]:
    """Write down verdicts; how many posts of each, and how many were purged.

    A post that is gone is withdrawn and open publications of replies to it are cancelled. One that reads otherwise or
    is back starts over at triage where nothing was sent for it, except that nothing brings back an author who opted
    out. Of one that is still hidden nothing is noted: it was withdrawn before, and its term runs on.
    """
    ids = {verdict: [one.post_id for one in found if one.verdict == verdict] for verdict in _VERDICTS}
    tx.execute("note_standing", ids=ids["stands"], now=now)
    note_gone(tx, [*ids["gone"], *ids["purge"]], now)
    note_replaced(tx, ids["replaced"], now)
    for one in found:
        if one.now and one.verdict in ("edited", "restored"):
            note_wording(tx, one.post_id, one.now, now)
    counts: Counter[str] = Counter(
        {verdict: len(of) for verdict, of in ids.items() if of and verdict != "purge"}
    )
    counts["purged"] += purge_posts(tx, ids["purge"], now)
    return counts


_VERDICTS = get_args(Verdict)
_EDITED = "the post was edited after the reply to it was approved"
_WITHDRAWN = "the post was deleted, or its author asked not to be answered"


def note_gone(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    """Withdraw posts that their platform shows no more, and take back what was to be said about them."""
    tx.execute("note_gone", ids=list(ids), now=now)
    tx.execute("cancel_for_withdrawn_posts", ids=list(ids), reason_code="withdrawn", detail=_WITHDRAWN)


def note_replaced(tx: Transaction, ids: Sequence[int], now: datetime) -> None:
    """Withdraw posts of which a newer version stands: that one is another post, this one is purged in time."""
    tx.execute("note_gone", ids=list(ids), now=now)
    tx.execute("cancel_for_withdrawn_posts", ids=list(ids), reason_code="edited", detail=_EDITED)


def withdraw_earlier(tx: Transaction, platform: str, posts: Sequence[Post], now: datetime) -> None:
    """Withdraw the versions that heard posts have replaced, where a platform gives each edit an id of its own."""
    earlier = [one for post in posts for one in post.earlier_ids]
    if earlier:
        rows = tx.rows("earlier_versions", platform=platform, earlier=earlier)
        note_replaced(tx, [row["id"] for row in rows], now)


def note_wording(tx: Transaction, post_id: int, post: Post, now: datetime) -> bool:
    """Keep how a post reads now; True where its walk starts over, so that an approval of the old wording is void."""
    if note_edit(tx, post, now, history=ARCHIVED):
        return True
    tx.execute("note_edit_of_answered", id=post_id, text=post.text, now=now)
    return False
