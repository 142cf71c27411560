"""The JSON that Reddit sends: submissions, comments, listings, error envelopes."""

import html
from typing import Any

from resources.sandbox.credentials import user_id
from resources.sandbox.engagement import gathered_by
from resources.sandbox.exchange import Answer, Call, Refused
from resources.sandbox.posts import SandboxPost, count_replies, find_post

GONE = "[deleted]"
REMOVED = "[removed]"


def refused(status: int, message: str, **headers: str) -> Refused:
    """Reddit's refusal outside the error envelope."""
    return Refused(
        message.lower().replace(" ", "_"), Answer(status, {"message": message, "error": status}, headers)
    )


def unauthorized() -> Refused:
    """401 with the header that clients read."""
    answer = refused(401, "Unauthorized").answer
    header = {"www-authenticate": 'Bearer realm="reddit", error="invalid_token"'}
    return Refused("unauthorized", Answer(401, answer.body, header))


def in_envelope(code: str, message: str, field: str, **more: float) -> Refused:
    """An error in the envelope of ``api_type=json``: HTTP 200 with a list of errors."""
    return Refused(code, Answer(200, {"json": {**more, "errors": [[code, message, field]]}}))


def split_text(text: str) -> tuple[str, str]:
    r"""A loaded text as title and body: the first paragraph is the title.

    >>> split_text("Title\n\nBody")
    ('Title', 'Body')
    """
    title, _, body = text.partition("\n\n")
    return title, body


def listing(
    children: list[dict[str, Any]], after: str | None = None, before: str | None = None
) -> dict[str, Any]:
    """A Listing."""
    data = {"children": children, "after": after, "before": before, "dist": len(children), "modhash": None}
    return {"kind": "Listing", "data": data}


def things(call: Call, posts: list[SandboxPost]) -> list[dict[str, Any]]:
    """Posts as things, t1 or t3 by their id."""
    replies = count_replies(call.world.state, "reddit", [post.id for post in posts])
    return [thing(call, post, replies.get(post.id, 0)) for post in posts]


def thing(call: Call, post: SandboxPost, replies_here: int) -> dict[str, Any]:
    """One post as ``{"kind", "data"}``."""
    kind = post.id.partition("_")[0]
    shown = shared_fields(call, post, replies_here)
    shown |= comment_fields(post) if kind == "t1" else submission_fields(post)
    return {"kind": kind, "data": shown if "raw_json" in call.query else escaped(shown)}


def shared_fields(call: Call, post: SandboxPost, replies_here: int) -> dict[str, Any]:
    """What submissions and comments have in common."""
    community = post.community or "all"
    score, comments = scores(call, post)
    return {
        "id": post.id.partition("_")[2],
        "name": post.id,
        "author": shown_author(post),
        **({"author_fullname": f"t2_{user_id(post.author)}"} if shown_author(post) == post.author else {}),
        "subreddit": community,
        "subreddit_name_prefixed": f"r/{community}",
        "created_utc": post.created_at,
        "created": post.created_at,
        "score": score,
        "ups": max(score, 0),
        "num_comments": comments + replies_here,
        "locked": post.is_locked,
        "edited": False if post.edited_at is None else post.edited_at,
        "archived": post.is_archived,
        "stickied": False,
        "distinguished": None,
        "permalink": permalink(post),
    }


def shown_author(post: SandboxPost) -> str:
    """The author's name; not that of who deleted something, nor of who wrote a removed comment."""
    is_hidden = post.is_deleted or (post.removed_by is not None and post.id.startswith("t1_"))
    return GONE if is_hidden or post.author is None else post.author


def shown_text(post: SandboxPost, text: str) -> str:
    """A text, or the mark that stands in its place."""
    if post.is_deleted:
        return GONE
    return text if post.removed_by is None else REMOVED


def scores(call: Call, post: SandboxPost) -> tuple[int, int]:
    """Score and number of comments: as loaded for others, gathered over time for the account's own."""
    if post.is_own:
        parent = find_post(call.world.state, "reddit", post.parent_id) if post.parent_id else None
        own = gathered_by(post, parent, call.now)
        return 1 + own.likes, own.replies
    return post.metrics.get("score", 1), post.metrics.get("num_comments", 0)


def permalink(post: SandboxPost) -> str:
    """The path of a post or comment."""
    number = post.id.partition("_")[2]
    if post.id.startswith("t3_"):
        return f"/r/{post.community}/comments/{number}/_/"
    return f"/r/{post.community}/comments/{post.conversation_id.partition('_')[2]}/_/{number}/"


def submission_fields(post: SandboxPost) -> dict[str, Any]:
    """What only submissions have."""
    title, body = split_text(post.text)
    return {
        "title": title,
        "selftext": shown_text(post, body),
        "removed_by_category": "deleted" if post.is_deleted else post.removed_by,
        "is_self": bool(body) or post.url is None,
        "url": post.url or f"https://www.reddit.com{permalink(post)}",
        "domain": "self" if post.url is None else "",
        "over_18": False,
        "upvote_ratio": ratio(post),
        "gilded": 0,
        "is_video": False,
        "spoiler": False,
    }


def ratio(post: SandboxPost) -> float:
    """Share of upvotes, where the loaded counts tell; 1.0 otherwise."""
    ups, score = post.metrics.get("upvotes", 0), post.metrics.get("score", 0)
    votes = 2 * ups - score
    return round(ups / votes, 2) if votes > 0 and 0 <= ups <= votes else 1.0


def comment_fields(post: SandboxPost) -> dict[str, Any]:
    """What only comments have."""
    return {
        "body": shown_text(post, post.text),
        "collapsed_reason_code": "DELETED" if post.is_deleted else None,
        "body_html": "",
        "link_id": post.conversation_id,
        "parent_id": post.parent_id or post.conversation_id,
        "replies": "",
        "depth": 0,
        "is_submitter": False,
        "score_hidden": False,
        "collapsed": False,
        "controversiality": 0,
    }


def escaped(shown: dict[str, Any]) -> dict[str, Any]:
    """Without ``raw_json=1`` Reddit escapes the texts, as old clients expect."""
    texts: dict[str, Any] = {
        name: html.escape(shown[name], quote=False)
        for name in ("title", "selftext", "body", "url")
        if name in shown
    }
    return {**shown, **texts}
