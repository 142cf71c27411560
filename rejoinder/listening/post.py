"""A post as it was heard on a platform."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# "x", "reddit", or the name of another package's adapter (entry point group rejoinder.platforms).
Platform = str


@dataclass(frozen=True, slots=True)
class Post:
    """One post or comment by someone else.

    author is None when the platform does not say who wrote it: unknown, not one person. author_id is the platform's own
    id of the author, which stays when the handle changes; None where it tells none.
    created_at is the platform's time (aware, UTC); mentions and quoted_author are handles
    without ``@`` in lower case. parent_id is the post that it answers, None where it answers none.
    earlier_ids are those of the versions that it replaced, where a platform gives each edit an id of its own.
    """

    platform: Platform
    platform_post_id: str
    text: str
    created_at: datetime
    author: str | None = None
    author_followers: int | None = None
    community: str | None = None
    url: str | None = None
    conversation_id: str | None = None
    parent_id: str | None = None
    earlier_ids: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    quoted_author: str | None = None
    lang: str | None = None
    metrics: Mapping[str, int] = field(default_factory=dict)
    author_id: str | None = None
