"""Reddit's answers as values: posts, counts, and the errors it hides in a 200."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.listening.post import Post
from resources.platforms.failures import PlatformFailure, RateLimited, Refused, Unreachable
from resources.platforms.port import Metrics, Unreadable

GONE = frozenset({"[deleted]", "[removed]"})
MENTION = re.compile(r"(?<![\w/.])/?u/([A-Za-z0-9_-]{3,20})(?![\w-])")
COUNTS = ("score", "num_comments")
REFUSALS = {
    "DELETED_COMMENT": "parent_gone",
    "DELETED_LINK": "parent_gone",
    "NO_THING_ID": "parent_gone",
    "THREAD_LOCKED": "thread_locked",
    "TOO_OLD": "too_old",
    "TOO_LONG": "too_long",
    "USER_BLOCKED": "blocked",
    "USER_MUTED": "muted",
    "MUTED_FROM_SUBREDDIT": "muted",
    "TOO_MANY_COMMENTS": "too_many_comments",
    "SUBREDDIT_NOTALLOWED": "reply_limited",
    "NO_TEXT": "invalid",
}


def read_listing(body: Any) -> tuple[list[dict[str, Any]], str | None]:
    """The things of a listing and the name to go on after.

    Raises:
        ValueError: it is no listing.
    """
    try:
        after = body["data"].get("after")
        return [dict(child["data"]) for child in body["data"]["children"]], after
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ValueError("the answer is no listing") from None


def read_posts(items: list[dict[str, Any]]) -> tuple[list[Post], list[Unreadable]]:
    """The posts among the things of a listing, and what could not be read."""
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    for item in items:
        try:
            posts.append(read_post(item))
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raw_id = str(item.get("name", "")) if isinstance(item, dict) else ""
            reason = f"not a post of Reddit: {type(error).__name__} {error}"
            unreadable.append(Unreadable(raw_id, json.dumps(item), reason))
    return posts, unreadable


def read_post(item: Mapping[str, Any]) -> Post:
    """A submission or comment; title and body become one text, a blank line between."""
    name = str(item["name"])
    is_comment = name.startswith("t1_")
    text = item["body"] if is_comment else "\n\n".join(filter(None, (item["title"], item["selftext"])))
    author = item.get("author")
    return Post(
        platform="reddit",
        platform_post_id=name,
        text=str(text),
        created_at=datetime.fromtimestamp(float(item["created_utc"]), UTC),
        author=None if author is None or author in GONE else str(author),
        author_id=str(item["author_fullname"]) if item.get("author_fullname") else None,
        community=str(item["subreddit"]),
        url=f"https://www.reddit.com{item['permalink']}",
        conversation_id=item["link_id"] if is_comment else name,
        parent_id=item.get("parent_id") if is_comment else None,
        mentions=mentions_in(f"{text}\nu/{item['summons']}" if item.get("summons") else str(text)),
        metrics={key: int(item[key]) for key in COUNTS if isinstance(item.get(key), int)},
    )


def mentions_in(text: str) -> tuple[str, ...]:
    """Who is named in a text, in lower case, each once, as Reddit tells them of it.

    >>> mentions_in("ask u/Rejoinder or /u/some-one, not https://x.example/u/nobody")
    ('rejoinder', 'some-one')
    """
    return tuple(dict.fromkeys(name.lower() for name in MENTION.findall(text)))


def is_deleted(item: Mapping[str, Any]) -> bool:
    """Whether a thing was deleted by its author or removed by a moderator."""
    return bool(item.get("removed_by_category")) or item.get("body") in GONE or item.get("selftext") in GONE


def read_metrics(item: Mapping[str, Any]) -> Metrics:
    """Counts of a thing; Reddit tells no impressions, and replies only where num_comments is given."""
    return Metrics(
        impressions=None,
        likes=int(item.get("score") or 0),
        replies=int(item.get("num_comments") or 0),
        reposts=0,
        is_deleted=is_deleted(item),
        reason=removed_by(item),
    )


def removed_by(item: Mapping[str, Any]) -> str:
    """Who took a thing away, in Reddit's own word; empty where it stands."""
    if not is_deleted(item):
        return ""
    by_author = item.get("body") == "[deleted]" or item.get("selftext") == "[deleted]"
    return str(item.get("removed_by_category") or ("deleted" if by_author else "removed"))


def envelope_failure(body: Any, now: Callable[[], datetime]) -> PlatformFailure | None:
    """The failure in an ``api_type=json`` answer, or None.

    The time to wait is read from ``json.ratelimit``: the sentence beside it is in the account's
    language.
    """
    answer = body.get("json") if isinstance(body, dict) else None
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(answer, dict) or not isinstance(errors, list) or not errors:
        return None
    code, words = error_words(errors[0])
    if code == "RATELIMIT":
        return RateLimited(time_after(answer.get("ratelimit"), now), words)
    return Refused(REFUSALS.get(code, "forbidden"), f"{code}: {words}")


def time_after(wait_s: object, now: Callable[[], datetime]) -> datetime | None:
    """A time so many seconds from now; None when either cannot be told."""
    try:
        return now() + timedelta(seconds=float(str(wait_s)))
    except (ValueError, OverflowError, Unreachable):
        return None


def error_words(error: Any) -> tuple[str, str]:
    """Code and sentence of one error of the envelope."""
    parts = [str(part) for part in error if part is not None] if isinstance(error, list) else [str(error)]
    return parts[0] if parts else "", parts[1] if len(parts) > 1 else ""
