"""Reddit's inbox of mentions and of answers: messages that are comments, as comments."""

from collections.abc import Mapping
from typing import Any

KIND = "t1_"


def as_comments(body: Any, account: str | None) -> Any:
    """A page of the inbox as a page of comments; what is no comment is left out.

    Args:
        body: a listing, as ``/message/mentions`` and ``/message/comments`` answer.
        account: who is mentioned, as Reddit says by putting the comment among the mentions; None among the answers.

    Raises:
        KeyError, TypeError, AttributeError: it is no listing.
    """
    data = body["data"]
    messages = [child["data"] for child in data["children"]]
    comments = [as_comment(each, account) for each in messages if str(each.get("name")).startswith(KIND)]
    return {"data": {"after": data.get("after"), "children": [{"data": each} for each in comments]}}


def as_comment(message: Mapping[str, Any], account: str | None) -> dict[str, Any]:
    """A message as the comment that it tells of; its place is in its context.

    >>> found = as_comment({"name": "t1_b", "context": "/r/py/comments/a/title/b/?context=3"}, "me")
    >>> found["permalink"], found["link_id"]
    ('/r/py/comments/a/title/b/', 't3_a')
    """
    path = str(message.get("context") or "").partition("?")[0]
    parts = path.split("/")
    link_id = f"t3_{parts[4]}" if len(parts) > 4 and parts[3] == "comments" else None
    return {**message, "permalink": path, "link_id": message.get("link_id") or link_id, "summons": account}
