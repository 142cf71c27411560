"""X's answers as values: posts, limits, failures."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import requests
import tweepy

from rejoinder.listening.post import Post
from rejoinder.posting.pacing import RateWindow
from resources.platforms.failures import (
    AuthExpired,
    OutcomeUnknown,
    PlatformFailure,
    RateLimited,
    Refused,
    Unreachable,
)
from resources.platforms.port import Metrics, Unreadable
from resources.platforms.wire import connection_failure

# Ten digits hold every Unix time until 2286; longer ones are no numbers to go by.
LONGEST_NUMBER = 10
# The endpoint's own window, and the days of the app and of the user (docs.x.com, fundamentals/rate-limits).
WINDOW_HEADERS = {
    "endpoint": "x-rate-limit-{}",
    "app_24h": "x-app-limit-24hour-{}",
    "user_24h": "x-user-limit-24hour-{}",
}
# X's refusals of a reply have no codes; these words tell the ones that matter apart. Read 2026-11-22:
# "duplicate content" in akrherz/iembot#163 (2026-02) and xdevplatform/playground; "not been mentioned or otherwise
# engaged by the author" as several public clients quote it of X since the rule of 2026-02-23
# (devcommunity.x.com thread 257909); "deleted or not visible" (385) in plhery/node-twitter-api-v2#366 (2022-09);
# "restricted who can reply" (433) in nminaya/grammar-nazi-bot#221 (2021-05). The other words were seen nowhere and only
# catch what may be said. What has none of them is refused as ``forbidden``.
REFUSAL_WORDS = (
    ("duplicate content", "duplicate_content"),
    ("is a duplicate", "duplicate_content"),
    ("mentioned or quoted", "not_summoned"),
    ("not been mentioned", "not_summoned"),
    ("too long", "too_long"),
    ("deleted or not visible", "parent_gone"),
    ("restricted who can reply", "reply_limited"),
    ("conversation is not allowed", "reply_limited"),
    ("muted", "muted"),
    ("blocked", "blocked"),
)
COUNTS = ("like_count", "reply_count", "retweet_count", "quote_count", "bookmark_count", "impression_count")


def read_json(response: requests.Response) -> dict[str, Any]:
    """The body of an answer.

    Raises:
        ValueError: it is not a JSON object.
    """
    body = response.json()
    if not isinstance(body, dict):
        raise ValueError("the answer is not a JSON object")
    return body


def read_posts(body: Mapping[str, Any]) -> tuple[list[Post], list[Unreadable]]:
    """The posts of a page or of a stream item, and what could not be read."""
    data = body.get("data") or []
    includes = body.get("includes") or {}
    people = {user.get("id"): user for user in includes.get("users", [])}
    quoted = {post.get("id"): post.get("author_id") for post in includes.get("tweets", [])}
    posts: list[Post] = []
    unreadable: list[Unreadable] = []
    for item in data if isinstance(data, list) else [data]:
        try:
            posts.append(read_post(item, people, quoted))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raw_id = str(item.get("id", "")) if isinstance(item, dict) else ""
            unreadable.append(
                Unreadable(raw_id, json.dumps(item), f"not a post of X: {type(error).__name__} {error}")
            )
    return posts, unreadable


def read_post(item: Mapping[str, Any], people: Mapping[str, Any], quoted: Mapping[str, Any]) -> Post:
    """One post; people and quoted are the expansions of its answer, by id."""
    post_id, author = str(item["id"]), people.get(str(item.get("author_id")))
    counts = item.get("public_metrics") or {}
    followers = ((author or {}).get("public_metrics") or {}).get("followers_count")
    mentions = (item.get("entities") or {}).get("mentions", [])
    handle = str(author["username"]) if author else None
    return Post(
        platform="x",
        platform_post_id=post_id,
        text=str(item["text"]),
        created_at=read_time(item["created_at"]),
        author=handle,
        author_id=str(item["author_id"]) if item.get("author_id") else None,
        author_followers=None if followers is None else int(followers),
        url=f"https://x.com/{handle or 'i'}/status/{post_id}",
        conversation_id=item.get("conversation_id"),
        parent_id=read_parent_id(item),
        earlier_ids=tuple(one for one in read_versions(item) if int(one) < int(post_id)),
        mentions=tuple(dict.fromkeys(str(mention["username"]).lower() for mention in mentions)),
        quoted_author=read_quoted_author(item, people, quoted),
        lang=item.get("lang"),
        metrics={name: int(count) for name, count in with_old_names(counts).items() if name in COUNTS},
    )


def read_quoted_author(
    item: Mapping[str, Any], people: Mapping[str, Any], quoted: Mapping[str, Any]
) -> str | None:
    """Handle of the author of the quoted post, in lower case, when the expansions tell."""
    for reference in item.get("referenced_tweets") or []:
        author = people.get(str(quoted.get(reference["id"])))
        if reference["type"] == "quoted" and author:
            return str(author["username"]).lower()
    return None


def read_versions(item: Mapping[str, Any]) -> list[str]:
    """The ids of all versions of a post, oldest first; X's specification knows the field by two names."""
    known = item.get("edit_history_tweet_ids") or item.get("edit_history_post_ids") or [item["id"]]
    return sorted((str(one) for one in known), key=int)


def read_parent_id(item: Mapping[str, Any]) -> str | None:
    """The post that a post answers, where it answers one."""
    for reference in item.get("referenced_tweets") or []:
        if reference["type"] == "replied_to":
            return str(reference["id"])
    return None


def read_time(value: str) -> datetime:
    """An ISO 8601 time with a zone."""
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("created_at has no time zone")
    return moment.astimezone(UTC)


def with_old_names(counts: Mapping[str, Any]) -> dict[str, Any]:
    """X's specification renames retweet_count to repost_count; both are taken."""
    renamed = {"retweet_count": counts["repost_count"]} if "repost_count" in counts else {}
    return {**counts, **renamed}


def read_metrics(body: Mapping[str, Any]) -> dict[str, Metrics]:
    """Counts by id; ids among the errors are gone."""
    found = {
        item["id"]: one_metrics(item.get("public_metrics") or {}, item.get("non_public_metrics") or {})
        for item in body.get("data") or []
    }
    for error in body.get("errors") or []:
        kind = str(error.get("type", "")).rsplit("/", 1)[-1]
        if kind == "resource-not-found":
            gone = str(error.get("resource_id") or error.get("value"))
            found.setdefault(gone, Metrics(None, 0, 0, 0, is_deleted=True, reason=kind))
    return found


def one_metrics(counts: Mapping[str, Any], own: Mapping[str, Any]) -> Metrics:
    """Counts of one post; own are those that X tells its author alone."""
    known = with_old_names(counts)
    return Metrics(
        link_clicks=own.get("url_link_clicks"),
        profile_clicks=own.get("user_profile_clicks"),
        impressions=known.get("impression_count"),
        likes=int(known.get("like_count", 0)),
        replies=int(known.get("reply_count", 0)),
        reposts=int(known.get("retweet_count", 0)) + int(known.get("quote_count", 0)),
    )


def read_windows(headers: Mapping[str, str]) -> tuple[RateWindow, ...]:
    """The limits an answer reports; any of the header sets may be missing."""
    found = []
    for name, pattern in WINDOW_HEADERS.items():
        values = [headers.get(pattern.format(part), "") for part in ("limit", "remaining", "reset")]
        if all(value.isdecimal() and len(value) <= LONGEST_NUMBER for value in values):
            limit, remaining, reset = map(int, values)
            found.append(RateWindow(limit, remaining, datetime.fromtimestamp(reset, UTC), name))
    return tuple(found)


def retry_time(headers: Mapping[str, str]) -> datetime | None:
    """When the platform allows the next call: the latest reset of a window that is used up."""
    windows = read_windows(headers)
    spent = [window.reset_at for window in windows if window.remaining < 1]
    return max(spent or [window.reset_at for window in windows[:1]], default=None)


def x_failure(error: Exception, *, is_write: bool) -> PlatformFailure:
    """The failure behind an exception that tweepy or requests raised.

    tweepy lets stray exceptions through where an error's body has an odd shape; after a write they
    mean that the outcome was not seen.
    """
    if isinstance(error, requests.RequestException):
        return connection_failure(error, is_write=is_write)
    if isinstance(error, tweepy.HTTPException) and isinstance(error.response, requests.Response):
        return http_failure(error, is_write=is_write)
    detail = f"the answer could not be read ({type(error).__name__})"
    return OutcomeUnknown(detail) if is_write else Unreachable(detail)


def http_failure(error: tweepy.HTTPException, *, is_write: bool) -> PlatformFailure:
    """The failure behind a status of X."""
    status, words = error.response.status_code, platform_words(error)
    if status == 429:
        return too_many(error.response, words)
    if status == 401 or "unsupported-authentication" in error.response.text:
        return AuthExpired(words)
    if 400 <= status < 500:
        code = refusal_code(status, words, error.response.text)
        return Refused(code, words, parameters=named_parameters(error))
    detail = f"the platform answered {status}"
    return OutcomeUnknown(detail) if is_write else Unreachable(detail)


def named_parameters(error: tweepy.HTTPException) -> frozenset[str]:
    """Names of the parameters that X refuses, in its validation shape."""
    named = [each.get("parameters") for each in error.api_errors if isinstance(each, dict)]
    return frozenset(str(name) for one in named if isinstance(one, dict) for name in one)


def platform_words(error: tweepy.HTTPException) -> str:
    """What X said, or at least its status."""
    problems = [each for each in error.api_errors if isinstance(each, dict)]
    said = [str(message) for message in error.api_messages]
    said += [str(each.get("details") or each.get("detail")) for each in problems if "message" not in each]
    return "; ".join(said) or f"status {error.response.status_code}"


def too_many(response: requests.Response, words: str) -> PlatformFailure:
    """A 429: a window to wait for, or the plan's cap, which no waiting lifts."""
    if "usage-capped" in response.text:
        return Refused("usage_capped", words)
    return RateLimited(retry_time(response.headers), words)


def refusal_code(status: int, words: str, body: str = "") -> str:
    """The code of a refusal, from X's words where they are known; a 403 of other words is ``forbidden``."""
    lowered = words.lower()
    for part, code in REFUSAL_WORDS:
        if part in lowered:
            return code
    if "resource-not-found" in body:
        return "parent_gone"
    if "rule-cap" in body:
        return "usage_capped"
    return "forbidden" if status == 403 else "invalid"


def newest_id(posts: Iterable[Post]) -> str | None:
    """The highest id, compared as a number."""
    return max((post.platform_post_id for post in posts), key=int, default=None)
