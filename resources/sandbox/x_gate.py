"""X's door: tokens, rate-limit headers, and the shapes of its general refusals."""

import json
from collections.abc import Callable, Iterable
from typing import Any

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused, Who
from resources.sandbox.gate import Gate
from resources.sandbox.limits import RATE_LIMITED, Quota, create_quota, day_quota
from resources.sandbox.oauth import account_of, identify_x
from resources.sandbox.x_settings import read_settings
from resources.sandbox.x_shapes import PROBLEMS, problem
from resources.sandbox.x_usage import capped

WRONG_TOKEN = {
    "app": "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. Supported "
    "authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
    "user": "Authenticating with OAuth 1.0a User Context is forbidden for this endpoint. Supported "
    "authentication types are [OAuth 2.0 Application-Only].",
}
READ_ONLY = "Your client app is not configured with the appropriate oauth1 app permissions for this endpoint."
PREFIXES = {"15min": "x-rate-limit-", "app_day": "x-app-limit-24hour-", "user_day": "x-user-limit-24hour-"}
TOO_MANY = "Too Many Requests"
# The three bodies that a 429 comes with: what current clients see, what the docs show, and the problem type.
LIMIT_BODIES: dict[str, Any] = {
    "plain": {"title": TOO_MANY, "detail": TOO_MANY, "type": "about:blank", "status": 429},
    "code_88": {"errors": [{"code": 88, "message": "Rate limit exceeded"}]},
    "problem": {
        "title": TOO_MANY,
        "detail": TOO_MANY,
        "type": PROBLEMS + "rate-limit-exceeded",
        "status": 429,
    },
}
LIMIT_FAULTS = frozenset({"429", "ratelimit", "429_no_headers", "429_problem", "429_app_day", "429_user_day"})
CLIENT_DETAIL = "This app is not permitted to use this endpoint: it has to be attached to a project."
FAULTS: dict[str, Callable[[], Refused]] = {
    "401": lambda: problem(401, "Unauthorized", "Unauthorized"),
    "403": lambda: problem(403, "Forbidden", "You are not permitted to perform this action."),
    "500": lambda: problem(500, "Internal Error", "Internal error", "internal-error"),
    "usage_capped": capped,
    "client_forbidden": lambda: problem(
        403, "Client Forbidden", CLIENT_DETAIL, "client-forbidden", reason="client-not-enrolled"
    ),
    "resource_unavailable": lambda: problem(
        403, "Resource Unavailable", "The post cannot be shown to you.", "resource-unavailable"
    ),
    "disallowed_resource": lambda: problem(
        403, "Disallowed Resource", "The post breaks a rule of the platform.", "disallowed-resource"
    ),
}


def respond(call: Call, endpoint: Endpoint) -> tuple[Answer, str | None]:
    """The answer, and the refusal's code when it is one."""
    headers: dict[str, str] = {}
    try:
        headers |= enter(call, endpoint)
        answer, code = endpoint.handler(call), None
    except Refused as refusal:
        answer, code = refusal.answer, refusal.code
    return spelled(call, Answer(answer.status, answer.body, {**headers, **answer.headers})), code


def spelled(call: Call, answer: Answer) -> Answer:
    """An answer with the host that problems have now, and without the headers that are left out."""
    settings = read_settings(call.world.state)
    prefixes = tuple(PREFIXES[name] for name in settings.missing_headers)
    headers = {name: value for name, value in answer.headers.items() if not name.startswith(prefixes)}
    return Answer(answer.status, with_host(answer.body, settings.problem_host), headers)


def with_host(body: Any, host: str) -> Any:
    """A body whose problems name another host in their types.

    >>> with_host({"type": "https://api.twitter.com/2/problems/usage-capped"}, "api.x.com")
    {'type': 'https://api.x.com/2/problems/usage-capped'}
    """
    if host in PROBLEMS or PROBLEMS not in (text := json.dumps(body)):
        return body
    return json.loads(text.replace(PROBLEMS, PROBLEMS.replace("api.twitter.com", host)))


def enter(call: Call, endpoint: Endpoint) -> dict[str, str]:
    """Check token and limits; the headers to send.

    Raises:
        Refused: the token is missing or of the wrong kind, or a limit is used up.
    """
    who, account = authorize(call, endpoint), account_of(call)
    limit = endpoint.app_limit if who == "app" else endpoint.user_limit
    if endpoint.name != "create":
        quota = call.world.windows.take(endpoint.name, f"{who} {account}", limit, call.now)
        return admit(call, [quota], quota_headers(quota))
    state, settings = call.world.state, read_settings(call.world.state)
    app = day_quota(state, account, call.now, settings.creates_per_day_app)
    user = day_quota(state, account, call.now, settings.creates_per_day_user)
    quota = create_quota(state, account, call.now)
    headers = quota_headers(quota) | day_headers("app", app) | day_headers("user", user)
    return admit(call, [app, user, quota], headers)


def authorize(call: Call, endpoint: Endpoint) -> Who:
    """Whose token it is, when it fits the endpoint."""
    caller = identify_x(call)
    who = caller.who
    if who == "nobody":
        raise problem(401, "Unauthorized", "Unauthorized", code="unauthorized")
    if endpoint.needs not in ("either", who):
        raise problem(403, "Unsupported Authentication", WRONG_TOKEN[who], "unsupported-authentication")
    if endpoint.is_write and not caller.may_write:
        raise problem(403, "Forbidden", READ_ONLY, "oauth1-permissions")
    return who


def admit(call: Call, quotas: Iterable[Quota], headers: dict[str, str]) -> dict[str, str]:
    """The headers of an allowed call; 429 otherwise."""
    if all(quota.is_allowed for quota in quotas):
        return headers
    shape = read_settings(call.world.state).limit_shape
    raise Refused(RATE_LIMITED, Answer(429, LIMIT_BODIES[shape], headers))


def quota_headers(quota: Quota) -> dict[str, str]:
    """``x-rate-limit-*``; reset in whole Unix seconds, rounded up."""
    return {
        "x-rate-limit-limit": str(quota.limit),
        "x-rate-limit-remaining": str(quota.remaining),
        "x-rate-limit-reset": str(int(quota.reset) + 1),
    }


def day_headers(whose: str, quota: Quota) -> dict[str, str]:
    """The 24-hour headers of the app or of the user."""
    values = {"limit": quota.limit, "remaining": quota.remaining, "reset": int(quota.reset) + 1}
    return {f"x-{whose}-limit-24hour-{name}": str(value) for name, value in values.items()}


def faulted(call: Call, kind: str) -> Answer:
    """The answer of an ordered fault."""
    if kind in LIMIT_FAULTS:
        return limited(call, kind)
    make = FAULTS.get(kind)
    answer = make().answer if make else Answer(int(kind) if kind.isdecimal() else 503, "Service Unavailable")
    return spelled(call, answer)


def limited(call: Call, kind: str) -> Answer:
    """A 429 on order; with a day that is used up, the quarter of an hour still has calls left."""
    if kind == "429_no_headers":
        return Answer(429, LIMIT_BODIES["code_88"])
    is_day = kind in ("429_app_day", "429_user_day")
    quarter = Quota(100, 87 if is_day else 0, call.now + 900, is_allowed=is_day)
    headers = quota_headers(quarter)
    for whose in ("app", "user") if is_day else ():
        is_spent = kind == f"429_{whose}_day"
        day = Quota(10_000, 0 if is_spent else 9_000, call.now + 6 * 3600, is_allowed=not is_spent)
        headers |= day_headers(whose, day)
    shape = "problem" if kind == "429_problem" else read_settings(call.world.state).limit_shape
    return spelled(call, Answer(429, LIMIT_BODIES[shape], headers))


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
