"""The body of a request for a new post on X, checked against the published schema.

Source: X's OpenAPI document, operation createPosts: unknown keys are refused, ids are 1 to 19 digits.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from resources.sandbox.exchange import Call
from resources.sandbox.x_shapes import invalid

POST_ID = re.compile(r"[0-9]{1,19}")
REPLY_SETTINGS = frozenset({"following", "mentionedUsers", "subscribers", "verified"})
REPLY_KEYS = frozenset({"in_reply_to_tweet_id", "exclude_reply_user_ids", "auto_populate_reply_metadata"})


class Wanted(NamedTuple):
    """A checked request for a new post."""

    text: str
    parent_id: str | None
    quoted_id: str | None = None
    previous_id: str | None = None


def is_flag(value: Any) -> bool:
    """Whether a value is true or false."""
    return isinstance(value, bool)


def is_id(value: Any) -> bool:
    """Whether a value is an id as X writes them."""
    return isinstance(value, str) and POST_ID.fullmatch(value) is not None


def are_ids(value: Any, most: int = 4) -> bool:
    """Whether a value is a list of one to so many ids."""
    return isinstance(value, list) and 1 <= len(value) <= most and all(map(is_id, value))


def is_media(value: Any) -> bool:
    """Whether a value names one to four media."""
    return isinstance(value, dict) and are_ids(value.get("media_ids"))


def is_poll(value: Any) -> bool:
    """Whether a value is a poll of two to four options."""
    if not isinstance(value, dict) or not isinstance(value.get("options"), list):
        return False
    minutes, options = value.get("duration_minutes"), value["options"]
    are_options = all(isinstance(one, str) and 1 <= len(one) <= 25 for one in options)
    return 2 <= len(options) <= 4 and are_options and type(minutes) is int and 5 <= minutes <= 10080


def is_edit(value: Any) -> bool:
    """Whether a value names the version that is edited."""
    return (
        isinstance(value, dict) and value.keys() == {"previous_post_id"} and is_id(value["previous_post_id"])
    )


CHECKS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "reply": lambda value: isinstance(value, dict),
    "quote_tweet_id": is_id,
    "media": is_media,
    "poll": is_poll,
    "reply_settings": lambda value: value in REPLY_SETTINGS,
    "made_with_ai": is_flag,
    "paid_partnership": is_flag,
    "community_id": is_id,
    "edit_options": is_edit,
    "for_super_followers_only": is_flag,
    "geo": lambda value: isinstance(value, dict),
    "direct_message_deep_link": lambda value: isinstance(value, str),
    "nullcast": is_flag,
    "card_uri": lambda value: isinstance(value, str),
    "share_with_followers": is_flag,
}


def read_body(call: Call) -> Wanted:
    """The body of a create request; unknown keys and wrong shapes are refused with 400."""
    try:
        body = call.json()
    except ValueError:
        raise invalid("$", "", "the body is not JSON in UTF-8") from None
    if not isinstance(body, dict):
        raise invalid("$", body, "the body must be an object")
    for key, value in body.items():
        if key not in CHECKS:
            raise invalid(
                f"$.{key}", key, f"$.{key}: is not defined in the schema and the schema does not allow more"
            )
        if value is not None and not is_fit(key, value):
            raise invalid(f"$.{key}", value, f"$.{key}: does not fit the schema")
    text = body.get("text")
    if not isinstance(text, str) or not text.strip():
        raise invalid("$.text", text, "$.text: is missing but it is required")
    previous = (body.get("edit_options") or {}).get("previous_post_id")
    return Wanted(text, read_reply(body.get("reply")), body.get("quote_tweet_id"), previous)


def is_fit(key: str, value: Any) -> bool:
    """Whether a value fits its key; values that cannot be compared do not."""
    try:
        return CHECKS[key](value)
    except TypeError:
        return False


def read_reply(reply: Any) -> str | None:
    """The parent's id from the ``reply`` part of a body."""
    if reply is None:
        return None
    if not isinstance(reply, dict) or "in_reply_to_tweet_id" not in reply:
        raise invalid("$.reply", reply, "$.reply.in_reply_to_tweet_id: is missing but it is required")
    for key in reply.keys() - REPLY_KEYS:
        raise invalid(f"$.reply.{key}", key, f"$.reply.{key}: is not defined in the schema")
    parent_id = reply["in_reply_to_tweet_id"]
    if not isinstance(parent_id, str) or not POST_ID.fullmatch(parent_id):
        raise invalid("$.reply.in_reply_to_tweet_id", parent_id, "does not match ^[0-9]{1,19}$")
    return parent_id
