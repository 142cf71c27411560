"""Answers to our replies, as people see them: the list, and a remark that somebody wants answered after all."""

from rejoinder.errors import DecisionInvalid
from resources.commands.actors import Actor, authorise, record
from resources.postgres import Database
from resources.store.follow_ups import StoredFollowUp, list_follow_ups


def read_follow_ups(db: Database, *, kind: str | None = None, most: int = 100) -> list[StoredFollowUp]:
    """The latest answers to our replies, newest first; of one kind, or of all."""
    with db.transaction() as tx:
        return list_follow_ups(tx, kind=kind, most=most)


def take_up(db: Database, actor: Actor, post_id: int) -> None:
    """Send a remark that was only kept to triage, as if it had asked.

    Raises:
        DecisionInvalid: there is no such remark, it is worked on already, or its author asked to be left alone.
        NotAllowed: the role does not allow it.
    """
    with db.transaction() as tx:
        acting = authorise(tx, actor, "reopen")
        if not tx.row("take_up_follow_up", id=post_id):
            raise DecisionInvalid(
                f"post {post_id} is no remark that was only kept, or its author asked to be left alone"
            )
        record(tx, acting, "take_up", "post", post_id)
