"""Climbing a conversation from a post to the posts above it, the same on every platform."""

from collections.abc import Callable, Mapping, Sequence

from rejoinder.listening.post import Post
from resources.platforms.port import Standing


def climb(
    post: Post, most: int, look_up_posts: Callable[[Sequence[str]], Mapping[str, Standing]]
) -> tuple[Post, ...]:
    """The posts above one, oldest first; ends at the first that is gone, or where a post answers one met before."""
    above: list[Post] = []
    seen, wanted = {post.platform_post_id}, post.parent_id
    while wanted is not None and wanted not in seen and len(above) < most:
        seen.add(wanted)
        parent = look_up_posts([wanted]).get(wanted, Standing(None)).post
        if parent is None:
            break
        above.append(parent)
        wanted = parent.parent_id
    return tuple(reversed(above))
