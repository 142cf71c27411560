"""Reddit's door: access tokens, its rate headers, and the shapes of its general refusals."""

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused
from resources.sandbox.gate import Gate
from resources.sandbox.oauth import reddit_caller
from resources.sandbox.reddit_shapes import in_envelope, refused, unauthorized

# prawcore spreads its calls over the window these headers describe; with these it never waits.
FRIENDLY = {"x-ratelimit-used": "1", "x-ratelimit-remaining": "999.0", "x-ratelimit-reset": "300"}
BREAK_S = 840.0
BREAK_TEXT = "Looks like you've been doing that a lot. Take a break for 14 minutes before trying again."
RETRY_AFTER_S = "60"


def respond(call: Call, endpoint: Endpoint) -> tuple[Answer, str | None]:
    """The answer, and the refusal's code when it is one."""
    try:
        authorize(call, endpoint)
        answer, code = endpoint.handler(call), None
    except Refused as refusal:
        answer, code = refusal.answer, refusal.code
    return Answer(answer.status, answer.body, {**FRIENDLY, **answer.headers}), code


def authorize(call: Call, endpoint: Endpoint) -> None:
    """Refuse a call without a token that fits the endpoint."""
    if endpoint.name == "token":
        return
    who = reddit_caller(call)
    if who == "nobody":
        raise unauthorized()
    if endpoint.needs == "user" and who == "app":
        raise refused(403, "Forbidden")


def faulted(call: Call, kind: str) -> Answer:
    """The answer of an ordered fault."""
    if kind == "401":
        return unauthorized().answer
    if kind == "ratelimit":
        return in_envelope("RATELIMIT", BREAK_TEXT, "ratelimit", ratelimit=BREAK_S).answer
    if kind.startswith("429") or kind == "usage_capped":
        headers = {} if kind == "429_no_headers" else {"retry-after": RETRY_AFTER_S}
        return Answer(429, {"message": "Too Many Requests", "error": 429}, headers)
    return Answer(503, "Service Unavailable")


def attempted(call: Call) -> tuple[str | None, str | None]:
    """Parent id and text of a comment request."""
    return call.form.get("thing_id"), call.form.get("text")


REDDIT_GATE = Gate("reddit", respond, faulted, attempted)
