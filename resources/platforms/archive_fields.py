"""One record of an archive as a post: the sandbox's form, X's and Reddit's own, rows of a table.

Tables name the same thing in many ways; `NAMES` says which are known. Times may be ISO 8601, X's own
(``Wed Oct 10 20:19:24 +0000 2018``), Unix seconds or milliseconds, or month/day/year; without a zone they are UTC.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from rejoinder.listening.post import Platform, Post

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("platform_post_id", "tweet_id", "post_id", "status_id", "id_str", "id", "name"),
    "text": ("text", "full_text", "tweet_text", "tweet", "body", "content", "message"),
    "created": ("created_at", "created_utc", "timestamp", "time", "datetime", "date", "posted_at"),
    "author": ("author", "screen_name", "user_screen_name", "username", "handle", "user", "author_name"),
    "followers": ("author_followers", "followers_count", "user_followers_count", "followers"),
    "community": ("community", "subreddit"),
    "url": ("permalink", "url", "link", "tweet_url"),
    "conversation": ("conversation_id", "link_id"),
    "parent": ("parent_id", "in_reply_to_status_id_str", "in_reply_to_status_id", "in_reply_to_tweet_id"),
    "quoted": ("quotes", "quoted_author"),
    "lang": ("lang", "language"),
}
COUNTS: Mapping[Platform, Mapping[str, tuple[str, ...]]] = {
    "x": {
        "like_count": ("like_count", "favorite_count", "favourites_count", "favorites", "likes"),
        "reply_count": ("reply_count", "replies"),
        "retweet_count": ("retweet_count", "repost_count", "retweets"),
        "quote_count": ("quote_count", "quotes_count"),
        "impression_count": ("impression_count", "impressions", "views"),
    },
    "reddit": {"score": ("score", "ups"), "num_comments": ("num_comments", "comments")},
}
X_ID = re.compile(r"/status(?:es)?/(\d{1,19})")
COMMUNITY = re.compile(r"(?:reddit\.com|^)/r/(\w+)/")
X_MENTION = re.compile(r"(?<![\w@/])@(\w{1,15})(?![\w@])")
GONE = frozenset({"[deleted]", "[removed]"})
TIME_FORMS = ("%a %b %d %H:%M:%S %z %Y", "%m/%d/%y %H:%M", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y")
MILLISECONDS_FROM = 1e11


class PartlyRead(ValueError):
    """Some posts of a record cannot be read; those that can are posts."""

    def __init__(self, problem: str, posts: list[Post]) -> None:
        self.posts = posts
        super().__init__(problem)


def read_record(record: Mapping[str, Any], platform: Platform, author: str | None = None) -> list[Post]:
    """The posts of one record; one, but for an answer of X's API kept whole.

    Args:
        record: names and values, as they were written.
        platform: where the posts are from, unless the record says so itself.
        author: who wrote them, where the record does not say it.

    Raises:
        PartlyRead: it is an answer of X of which some posts can be read.
        ValueError: it is no post of that platform; the message says what is missing.
    """
    told = record.get("platform", platform)
    if told != platform:
        raise ValueError(f"it is a post of {told}, and the channel is on {platform}")
    inner = record.get("tweet")
    if isinstance(inner, Mapping):
        return [read_flat(inner, platform, author)]
    if platform == "x" and (isinstance(record.get("data"), Mapping | list) or "author_id" in record):
        return _of_x_answer(record)
    return [read_flat(record, platform, author)]


def _of_x_answer(record: Mapping[str, Any]) -> list[Post]:
    from resources.platforms.x_answers import read_posts

    posts, unreadable = read_posts(record if "data" in record else {"data": record})
    if unreadable:
        raise PartlyRead(f"{unreadable[0].reason}; {len(unreadable)} of its posts cannot be read", posts)
    if not posts:
        raise ValueError("an answer of X without a post")
    return posts


def read_flat(record: Mapping[str, Any], platform: Platform, author: str | None = None) -> Post:
    """A record with a value to a name.

    Raises:
        ValueError: text, id or time are missing or cannot be read.
    """
    plan = _plan(tuple(record), platform)
    found = {each: _first(record, names) for each, names in plan.fields}
    text = _text(record, platform, found["text"])
    post_id = _post_id(
        found["id"], found["url"], platform, is_comment=bool(record.get("body") and not record.get("title"))
    )
    who = _handle(found["author"]) or author
    metrics = record.get("metrics") or record.get("public_metrics")
    return Post(
        platform=platform,
        platform_post_id=post_id,
        text=text,
        created_at=read_time(found["created"]),
        author=who,
        author_followers=_number(found["followers"]),
        community=_word(found["community"]) or _community_in(found["url"]),
        url=_url(found["url"], platform, post_id, who),
        conversation_id=_word(found["conversation"]) or (post_id if post_id.startswith("t3_") else None),
        parent_id=_word(found["parent"]),
        mentions=_mentions(record, text, platform),
        quoted_author=(_word(found["quoted"]) or "").lower() or None,
        lang=_word(found["lang"]),
        metrics=_counts(metrics if isinstance(metrics, Mapping) else record, platform),
    )


class _Plan(NamedTuple):
    """Which of the known names a record has, by what they stand for; most records of a file have the same."""

    fields: tuple[tuple[str, tuple[str, ...]], ...]
    counts: tuple[tuple[str, tuple[str, ...]], ...]


@lru_cache(maxsize=256)
def _plan(names: tuple[str, ...], platform: Platform) -> _Plan:
    known = COUNTS.get(platform, {})
    fields = ((each, tuple(n for n in told if n in names)) for each, told in NAMES.items())
    counts = ((each, tuple(n for n in told if n in names)) for each, told in known.items())
    return _Plan(tuple(fields), tuple((each, told) for each, told in counts if told))


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        value = record[name]
        if value is not None and value != "":
            return value
    return None


def _word(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _handle(value: object) -> str | None:
    name = value.get("screen_name") or value.get("username") if isinstance(value, Mapping) else value
    return name.removeprefix("@") if isinstance(name, str) and name not in GONE else None


def _community_in(url: object) -> str | None:
    found = COMMUNITY.search(str(url))
    return found[1] if found else None


def _number(value: object) -> int | None:
    if value is None or type(value) is int:
        return value
    try:
        return int(float(str(value)))
    except (ValueError, OverflowError):
        return None


def _text(record: Mapping[str, Any], platform: Platform, text: object) -> str:
    if platform == "reddit" and record.get("title"):
        text = "\n\n".join(
            str(part) for part in (record["title"], record.get("selftext") or record.get("body")) if part
        )
    if platform == "reddit" and not GONE.isdisjoint((record.get("selftext"), record.get("body"))):
        raise ValueError("its author deleted it, or a moderator did")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("it has no text")
    return text


def _post_id(given: object, url: object, platform: Platform, *, is_comment: bool) -> str:
    post_id = _word(given) or ""
    if platform == "x":
        in_url = X_ID.search(str(url))
        # Spreadsheets round long numbers; the address still has them whole.
        post_id = in_url[1] if in_url else post_id
        if not post_id.isdecimal():
            raise ValueError(f"it has no id of a post on X: {post_id[:40]!r}" if post_id else "it has no id")
    elif platform == "reddit" and post_id and not post_id.startswith(("t1_", "t3_")):
        post_id = f"{'t1' if is_comment else 't3'}_{post_id}"
    if not post_id:
        raise ValueError("it has no id")
    return post_id


def _url(url: object, platform: Platform, post_id: str, author: str | None) -> str | None:
    if isinstance(url, str) and url:
        return f"https://www.reddit.com{url}" if platform == "reddit" and url.startswith("/") else url
    return f"https://x.com/{author or 'i'}/status/{post_id}" if platform == "x" else None


def _mentions(record: Mapping[str, Any], text: str, platform: Platform) -> tuple[str, ...]:
    listed = record.get("mentions")
    if isinstance(listed, list) and all(isinstance(each, str) for each in listed):
        return tuple(each.lower() for each in listed)
    if platform == "reddit":
        from resources.platforms.reddit_answers import mentions_in

        return mentions_in(text)
    return tuple(dict.fromkeys(name.lower() for name in X_MENTION.findall(text))) if platform == "x" else ()


def _counts(record: Mapping[str, Any], platform: Platform) -> dict[str, int]:
    if platform not in COUNTS:
        return {name: value for name, value in record.items() if type(value) is int}
    plan = _plan(tuple(record), platform)
    told = ((name, _number(_first(record, names))) for name, names in plan.counts)
    return {name: value for name, value in told if value is not None}


def read_time(value: object) -> datetime:
    """A time in any of the known forms, in UTC.

    Raises:
        ValueError: there is none, or it cannot be read.

    >>> read_time("Wed Oct 10 20:19:24 +0000 2018").isoformat()
    '2018-10-10T20:19:24+00:00'
    >>> read_time("10/16/17 22:59") == read_time(1508194740) == read_time("1508194740000")
    True
    """
    given = str(value or "").strip()
    if not given:
        raise ValueError("it has no time")
    moment = _iso(given) or _unix(given) or _formed(given)
    if moment is None:
        raise ValueError(f"its time cannot be read: {given[:40]!r}")
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)


def _iso(given: str) -> datetime | None:
    if given.isdecimal():
        return None
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        return None


def _unix(given: str) -> datetime | None:
    try:
        seconds = float(given)
        return datetime.fromtimestamp(seconds / 1000 if seconds >= MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _formed(given: str) -> datetime | None:
    for form in TIME_FORMS:
        try:
            return datetime.strptime(given, form)  # noqa: DTZ007 - read_time gives it one
        except ValueError:
            continue
    return None
