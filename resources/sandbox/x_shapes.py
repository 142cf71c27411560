"""The JSON that X sends: posts, users, expansions, problems."""

import hashlib
from collections.abc import Iterable
from typing import Any

from resources.sandbox.clock import iso
from resources.sandbox.credentials import user_id
from resources.sandbox.engagement import gathered_by
from resources.sandbox.exchange import Answer, Call, Refused
from resources.sandbox.oauth import account_of, x_caller
from resources.sandbox.posts import SandboxPost, count_replies, find_post, find_posts
from resources.sandbox.x_edits import edit_controls, versions
from resources.sandbox.x_match import HANDLE, LINK
from resources.sandbox.x_settings import read_settings

FIELD_PARAMETERS = frozenset(
    {"expansions", "tweet.fields", "user.fields", "media.fields", "place.fields", "poll.fields"}
)
PROBLEMS = "https://api.twitter.com/2/problems/"
NON_PUBLIC_S = 30 * 86_400
COUNT_NAMES = {
    "retweet_count": ("retweet_count", "repost_count", "reposts"),
    "like_count": ("like_count", "likes"),
    "quote_count": ("quote_count", "quotes"),
    "bookmark_count": ("bookmark_count", "bookmarks"),
    "impression_count": ("impression_count", "impressions"),
}


def problem(
    status: int, title: str, detail: str, kind: str = "about:blank", code: str = "", **more: Any
) -> Refused:
    """A refusal in X's problem shape; kind is the last part of the problem's address."""
    address = kind if kind == "about:blank" else PROBLEMS + kind
    body = {"title": title, "detail": detail, "type": address, "status": status, **more}
    return Refused(code or kind, Answer(status, body))


def invalid(parameter: str, value: object, message: str) -> Refused:
    """A 400 for a parameter, in X's validation shape."""
    body = {
        "errors": [{"parameters": {parameter: [str(value)[:200]]}, "message": message}],
        "title": "Invalid Request",
        "detail": "One or more parameters to your request was invalid.",
        "type": PROBLEMS + "invalid-request",
    }
    return Refused("invalid_request", Answer(400, body))


def refuse_unknown(call: Call, known: frozenset[str]) -> None:
    """X answers 400 to a query parameter it does not know."""
    for name in call.query.keys() - known:
        raise invalid(name, call.query[name], f"The query parameter [{name}] is not one of {sorted(known)}")


def not_found(post_id: str) -> dict[str, str]:
    """The partial error for an id that is unknown or deleted."""
    return {
        "value": post_id,
        "detail": f"Could not find tweet with ids: [{post_id}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": post_id,
        "type": PROBLEMS + "resource-not-found",
    }


def not_authorized(post_id: str) -> dict[str, str]:
    """The partial error for a post of a protected account."""
    return {
        "value": post_id,
        "detail": f"Sorry, you are not authorized to see the Tweet with ids: [{post_id}].",
        "title": "Authorization Error",
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": post_id,
        "type": PROBLEMS + "not-authorized-for-resource",
    }


def author_id(post: SandboxPost) -> str:
    """The author's user id; an unknown author has an id that no user answers to."""
    return user_id(post.author if post.author is not None else f"unknown author of {post.id}")


def quoted_id(post: SandboxPost) -> str:
    """The id of the quoted post; a made-up one when only its author is known."""
    if post.quoted_id:
        return post.quoted_id
    return str(int(hashlib.sha256(f"quoted by {post.id}".encode()).hexdigest()[:14], 16))


def public_metrics(call: Call, post: SandboxPost, replies_here: int) -> dict[str, int]:
    """Counts of a post: as loaded for others, gathered over time for the account's own."""
    if post.is_own:
        parent = find_post(call.world.state, "x", post.parent_id) if post.parent_id else None
        own = gathered_by(post, parent, call.now)
        counts = {"retweet_count": own.reposts, "like_count": own.likes, "impression_count": own.impressions}
        return {**dict.fromkeys(COUNT_NAMES, 0), **counts, "reply_count": own.replies + replies_here}
    counts = {
        name: next((post.metrics[key] for key in keys if key in post.metrics), 0)
        for name, keys in COUNT_NAMES.items()
    }
    loaded = post.metrics.get("reply_count", post.metrics.get("replies", 0))
    return {**counts, "reply_count": loaded + replies_here}


def is_told_more(call: Call, post: SandboxPost) -> bool:
    """Whether X tells more than the public counts: to the author itself, of posts of the last 30 days."""
    is_author = x_caller(call) == "user" and post.author == account_of(call)
    return is_author and call.now - post.created_at <= NON_PUBLIC_S


def non_public_metrics(public: dict[str, int]) -> dict[str, int]:
    """What only the author is told, steady shares of the public counts: a rehearsal, no model of X."""
    seen, likes = public["impression_count"], public["like_count"]
    clicks, visits = seen // 50, seen // 80
    return {
        "impression_count": seen,
        "url_link_clicks": clicks,
        "user_profile_clicks": visits,
        "engagements": likes + public["retweet_count"] + public["reply_count"] + clicks + visits,
    }


def entities(post: SandboxPost) -> dict[str, Any]:
    """Mentions (with positions where they stand in the text) and links."""
    mentions: list[dict[str, Any]] = [
        {"start": at.start(), "end": at.end(), "username": at[1], "id": user_id(at[1])}
        for at in HANDLE.finditer(post.text)
    ]
    written = {mention["username"].lower() for mention in mentions}
    for handle in post.mentions:
        if handle.lower() not in written:
            mentions.append({"start": 0, "end": 0, "username": handle, "id": user_id(handle)})
    urls = [
        {"start": at.start(), "end": at.end(), "url": at[0], "expanded_url": at[0]}
        for at in LINK.finditer(post.text)
    ]
    return {name: found for name, found in (("mentions", mentions), ("urls", urls)) if found}


def references(post: SandboxPost) -> list[dict[str, str]]:
    """What a post replies to, quotes or repeats."""
    found = []
    if post.retweeted_id:
        found.append({"type": "retweeted", "id": post.retweeted_id})
    if post.parent_id:
        found.append({"type": "replied_to", "id": post.parent_id})
    if post.quotes or post.quoted_id:
        found.append({"type": "quoted", "id": quoted_id(post)})
    return found


def post_json(call: Call, post: SandboxPost, fields: frozenset[str], replies_here: int) -> dict[str, Any]:
    """A post with the default fields and those asked for."""
    naming = read_settings(call.world.state).naming
    shown: dict[str, Any] = {
        "id": post.id,
        "text": post.text,
        f"edit_history_{naming}_ids": versions(call.world.state, post),
    }
    if "edit_controls" in fields:
        shown["edit_controls"] = edit_controls(call.world.state, post, call.now)
    if "public_metrics" in fields:
        counts = public_metrics(call, post, replies_here)
        if naming == "post":
            counts["repost_count"] = counts.pop("retweet_count")
        shown["public_metrics"] = counts
    if "non_public_metrics" in fields and is_told_more(call, post):
        shown["non_public_metrics"] = non_public_metrics(public_metrics(call, post, replies_here))
    known: dict[str, Any] = {
        "author_id": author_id(post),
        "conversation_id": post.conversation_id,
        "created_at": iso(post.created_at),
        "entities": entities(post) if "entities" in fields else None,
        "lang": post.lang,
        "referenced_tweets": references(post),
    }
    shown.update({name: value for name, value in known.items() if name in fields and value})
    return shown


def asked(call: Call, parameter: str) -> frozenset[str]:
    """The comma-separated values of a parameter."""
    return frozenset(filter(None, call.query.get(parameter, "").split(",")))


def posts_answer(call: Call, posts: Iterable[SandboxPost]) -> dict[str, Any]:
    """``data`` and ``includes`` for posts, with the fields and expansions that were asked for."""
    shown = list(posts)
    expansions = asked(call, "expansions")
    fields = asked(call, "tweet.fields")
    if any(name.startswith("referenced_tweets.id") for name in expansions):
        fields |= {"referenced_tweets"}
    if "author_id" in expansions:
        fields |= {"author_id"}
    replies = count_replies(call.world.state, "x", [post.id for post in shown])
    body: dict[str, Any] = {
        "data": [post_json(call, post, fields, replies.get(post.id, 0)) for post in shown]
    }
    includes = included(call, shown, expansions)
    return {**body, "includes": includes} if includes else body


def included(call: Call, posts: list[SandboxPost], expansions: frozenset[str]) -> dict[str, Any]:
    """Authors and referenced posts that the expansions ask for."""
    people: dict[str, dict[str, Any]] = {}
    tweets: list[dict[str, Any]] = []
    if "author_id" in expansions:
        people.update((author_id(post), user_json(call, post)) for post in posts if post.author)
    if any(name.startswith("referenced_tweets.id") for name in expansions):
        tweets = referenced(call, posts)
    if "referenced_tweets.id.author_id" in expansions:
        people.update((user_id(post.quotes), bare_user(post.quotes)) for post in posts if post.quotes)
    found = {"users": list(people.values()), "tweets": tweets}
    return {name: values for name, values in found.items() if values}


def referenced(call: Call, posts: list[SandboxPost]) -> list[dict[str, Any]]:
    """Parents, quoted and repeated posts that are stored here; of other quoted ones only the author is known."""
    named = (one for post in posts for one in (post.parent_id, post.quoted_id, post.retweeted_id))
    parents = find_posts(call.world.state, "x", dict.fromkeys(filter(None, named)))
    parents = [parent for parent in parents if not (parent.is_deleted or parent.is_protected)]
    shown = [post_json(call, parent, asked(call, "tweet.fields"), 0) for parent in parents]
    for post in posts:
        if post.quotes and not post.quoted_id:
            quoted = quoted_id(post)
            shown.append(
                {
                    "id": quoted,
                    "text": "",
                    "edit_history_tweet_ids": [quoted],
                    "author_id": user_id(post.quotes),
                }
            )
    return shown


def user_json(call: Call, post: SandboxPost) -> dict[str, Any]:
    """The author of a post, who is known."""
    person = bare_user(post.author or "")
    if "public_metrics" in asked(call, "user.fields") and post.author_followers is not None:
        person["public_metrics"] = {"followers_count": post.author_followers}
    return person


def bare_user(handle: str) -> dict[str, Any]:
    """A user of whom only the handle is known."""
    return {"id": user_id(handle), "name": handle, "username": handle}
