"""Every refusal of a reply that platforms are known to give has a reason code; none is a reason to send again."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
import tweepy

from rejoinder.posting.verdicts import REFUSALS, after_failure
from resources.platforms.failures import AuthExpired, PlatformFailure, Refused
from resources.platforms.reddit_answers import envelope_failure
from resources.platforms.x_answers import x_failure

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PROBLEM = "https://api.twitter.com/2/problems/"


def on_x(status: int, body: dict[str, Any]) -> PlatformFailure:
    response = requests.Response()
    response.status_code = status
    response._content = json.dumps(body).encode()
    kind = {403: tweepy.Forbidden, 404: tweepy.NotFound, 400: tweepy.BadRequest, 429: tweepy.TooManyRequests}
    return x_failure(kind[status](response), is_write=True)


def forbidden(detail: str, kind: str = "about:blank") -> dict[str, Any]:
    return {"detail": detail, "type": kind, "title": "Forbidden", "status": 403}


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (403, forbidden("You are not allowed to create a Tweet with duplicate content."), "duplicate_content"),
        (403, {"errors": [{"code": 187, "message": "Status is a duplicate."}]}, "duplicate_content"),
        (403, forbidden("You attempted to reply to a Tweet that is deleted or not visible to you."), "parent_gone"),
        (404, {"detail": "Not found", "type": f"{PROBLEM}resource-not-found", "title": "Not Found"}, "parent_gone"),
        (403, forbidden("The original Tweet author restricted who can reply to this Tweet."), "reply_limited"),
        (403, forbidden("Reply to this conversation is not allowed."), "reply_limited"),
        (403, forbidden("Reply to this conversation is not allowed because you have not been mentioned or otherwise"
                        " engaged by the author of the post you are replying to."),
         "not_summoned"),
        (403, forbidden("You have been blocked from replying to this Tweet by its author."), "blocked"),
        (403, forbidden("Your Tweet text is too long."), "too_long"),
        (403, forbidden("Something that X says next year."), "forbidden"),
        (403, forbidden("Your client app may not do this.", f"{PROBLEM}client-forbidden"), "forbidden"),
        (400, {"errors": [{"message": "$.text: is missing"}], "type": f"{PROBLEM}invalid-request"}, "invalid"),
        (429, {"title": "UsageCapExceeded", "type": f"{PROBLEM}usage-capped"}, "usage_capped"),
    ],
)  # fmt: skip
def test_a_refusal_of_x_has_a_code(status: int, body: dict[str, Any], code: str) -> None:
    failure = on_x(status, body)
    assert isinstance(failure, Refused)
    assert failure.code == code
    assert code in REFUSALS
    verdict = after_failure(failure.as_failure(), attempts=1, now=NOW, backoff_s=30)
    assert (verdict.state, verdict.reason_code) == ("refused", code)


def test_a_token_of_the_wrong_kind_is_renewed_not_the_reply_refused() -> None:
    body = forbidden(
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.",
        f"{PROBLEM}unsupported-authentication",
    )
    assert isinstance(on_x(403, body), AuthExpired)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("DELETED_COMMENT", "parent_gone"),
        ("DELETED_LINK", "parent_gone"),
        ("THREAD_LOCKED", "thread_locked"),
        ("TOO_OLD", "too_old"),
        ("TOO_LONG", "too_long"),
        ("NO_TEXT", "invalid"),
        ("USER_BLOCKED", "blocked"),
        ("USER_MUTED", "muted"),
        ("MUTED_FROM_SUBREDDIT", "muted"),
        ("TOO_MANY_COMMENTS", "too_many_comments"),
        ("A_CODE_OF_NEXT_YEAR", "forbidden"),
    ],
)
def test_a_refusal_of_reddit_has_a_code(said: str, code: str) -> None:
    failure = envelope_failure({"json": {"errors": [[said, "words", "field"]]}}, lambda: NOW)
    assert isinstance(failure, Refused)
    assert failure.code == code
    assert code in REFUSALS
    assert after_failure(failure.as_failure(), attempts=1, now=NOW, backoff_s=30).state == "refused"
