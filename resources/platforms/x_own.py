"""The account's own posts on X: which one answers a post, and whether it says what was sent."""

import html
import re
from collections.abc import Mapping
from typing import Any

LINK = re.compile(r"https?://\S+")


def answers(item: Mapping[str, Any], parent_id: str) -> bool:
    """Whether a post replies to this parent."""
    references = item.get("referenced_tweets") or []
    return any(ref.get("type") == "replied_to" and ref.get("id") == parent_id for ref in references)


def same_text(shown: str, sent: str) -> bool:
    """Whether X shows the text that was sent: it escapes ``&<>`` and shortens every link.

    >>> same_text("R&amp;D https://t.co/x", "R&D https://example.com/a")
    True
    """
    return comparable(html.unescape(shown)) == comparable(sent)


def comparable(text: str) -> str:
    """A text with its links made equal and its blanks made single."""
    return " ".join(LINK.sub("<link>", text).split())
