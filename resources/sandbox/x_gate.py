"""X's door: tokens, rate-limit headers, and the shapes of its general refusals."""

from typing import Any

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused, Who
from resources.sandbox.gate import Gate
from resources.sandbox.limits import RATE_LIMITED, Quota, create_quota, day_quota
from resources.sandbox.oauth import x_caller
from resources.sandbox.x_shapes import problem

WRONG_TOKEN = {
    "app": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint.",
    "user": "Authenticating with OAuth 1.0a User Context is forbidden for this endpoint.",
}


def respond(call: Call, endpoint: Endpoint) -> tuple[Answer, str | None]:
    """The answer, and the refusal's code when it is one."""
    headers: dict[str, str] = {}
    try:
        headers |= enter(call, endpoint)
        answer, code = endpoint.handler(call), None
    except Refused as refusal:
        answer, code = refusal.answer, refusal.code
    return Answer(answer.status, answer.body, {**headers, **answer.headers}), code


def enter(call: Call, endpoint: Endpoint) -> dict[str, str]:
    """Check token and limits; the headers to send.

    Raises:
        Refused: the token is missing or of the wrong kind, or a limit is used up.
    """
    who = authorize(call, endpoint)
    limit = endpoint.app_limit if who == "app" else endpoint.user_limit
    if endpoint.name != "create":
        quota = call.world.windows.take(endpoint.name, who, limit, call.now)
        return admit(quota, quota_headers(quota))
    quota, day = create_quota(call.world.state, call.now), day_quota(call.world.state, call.now)
    headers = quota_headers(quota) | day_headers(day)
    admit(day, headers)
    return admit(quota, headers)


def authorize(call: Call, endpoint: Endpoint) -> Who:
    """Whose token it is, when it fits the endpoint."""
    who = x_caller(call)
    if who == "nobody":
        raise problem(401, "Unauthorized", "Unauthorized", code="unauthorized")
    if endpoint.needs not in ("either", who):
        raise problem(403, "Unsupported Authentication", WRONG_TOKEN[who], "unsupported-authentication")
    return who


def admit(quota: Quota, headers: dict[str, str]) -> dict[str, str]:
    """The headers of an allowed call; 429 otherwise."""
    if quota.is_allowed:
        return headers
    refusal = too_many()
    raise Refused(RATE_LIMITED, Answer(429, refusal.body, headers))


def too_many() -> Answer:
    """The 429 that current clients see."""
    title = "Too Many Requests"
    return Answer(429, {"title": title, "detail": title, "type": "about:blank", "status": 429})


def quota_headers(quota: Quota) -> dict[str, str]:
    """``x-rate-limit-*``; reset in whole Unix seconds, rounded up."""
    return {
        "x-rate-limit-limit": str(quota.limit),
        "x-rate-limit-remaining": str(quota.remaining),
        "x-rate-limit-reset": str(int(quota.reset) + 1),
    }


def day_headers(quota: Quota) -> dict[str, str]:
    """The 24-hour headers, for the app and for the user."""
    values = {"limit": quota.limit, "remaining": quota.remaining, "reset": int(quota.reset) + 1}
    return {
        f"x-{whose}-limit-24hour-{name}": str(value)
        for whose in ("app", "user")
        for name, value in values.items()
    }


def faulted(call: Call, kind: str) -> Answer:
    """The answer of an ordered fault."""
    if kind == "401":
        return problem(401, "Unauthorized", "Unauthorized").answer
    if kind in ("429", "ratelimit"):
        spent = Quota(100, 0, call.now + 900, is_allowed=False)
        return Answer(429, too_many().body, quota_headers(spent))
    if kind == "429_no_headers":
        return Answer(429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]})
    if kind == "usage_capped":
        return problem(
            429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", "usage-capped"
        ).answer
    return Answer(503, "Service Unavailable")


def attempted(call: Call) -> tuple[str | None, str | None]:
    """Parent id and text of a create request, as far as they can be read."""
    try:
        body: Any = call.json()
    except ValueError:
        return None, None
    if not isinstance(body, dict):
        return None, None
    reply = body.get("reply")
    parent_id = reply.get("in_reply_to_tweet_id") if isinstance(reply, dict) else None
    text = body.get("text")
    return (parent_id if isinstance(parent_id, str) else None), (text if isinstance(text, str) else None)


X_GATE = Gate("x", respond, faulted, attempted)
