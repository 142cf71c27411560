"""What happens to posts on order: edits, deletions, locks, removals, blocks."""

from collections.abc import Mapping
from typing import Any

from resources.sandbox.posts import FLAGS, edit_post, set_flags, set_removed
from resources.sandbox.state import State
from resources.sandbox.x_edits import add_version

# Who takes posts away, in the words of Reddit's removed_by_category.
REMOVERS = (
    "moderator",
    "automod_filtered",
    "reddit",
    "anti_evil_ops",
    "content_takedown",
    "copyright_takedown",
    "community_ops",
)


def apply_change(state: State, post_id: str, wanted: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Change a post; what was changed, with its id.

    Args:
        state: where the post is.
        post_id: the platform's id.
        wanted: ``text`` (an edit by its author; with ``new_id`` it makes a version of its own, as X does, and
            the id in the answer is that one's), ``removed`` (true or who removed it; false puts it back),
            and the flags ``deleted``, ``locked``, ``archived``, ``blocked``.
        now: the simulated time, in Unix seconds.

    Raises:
        ValueError: nothing is wanted, or a value cannot be used.
        LookupError: there is no such post.
    """
    flags = {name: bool(wanted[name]) for name in FLAGS if name in wanted}
    done: dict[str, Any] = dict(flags)
    changed: list[int | str] = []
    with state.transaction():
        if flags:
            changed.append(set_flags(state, post_id, flags))
        if "removed" in wanted:
            done["removed"] = read_remover(wanted["removed"])
            changed.append(set_removed(state, post_id, done["removed"]))
        if "text" in wanted:
            done["text"] = read_text(wanted["text"])
            if wanted.get("new_id"):
                done["id"] = add_version(state, post_id, done["text"], now)
            changed.append(done.get("id") or edit_post(state, post_id, done["text"], now))
    if not changed:
        raise ValueError(f"give text, removed, or one of {', '.join(FLAGS)}")
    if not all(changed):
        raise LookupError(f"no post {post_id}")
    return {"id": post_id, **done}


def read_remover(value: object) -> str | None:
    """Who removed a post; None puts it back."""
    if isinstance(value, bool):
        return "moderator" if value else None
    if value not in REMOVERS:
        raise ValueError(f"removed must be true, false or one of {', '.join(REMOVERS)}")
    return str(value)


def read_text(value: object) -> str:
    """The new text of a post."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("text must be text that is not blank")
    value.encode("utf-8")  # half a surrogate pair cannot be stored; UnicodeEncodeError is a ValueError
    return value
