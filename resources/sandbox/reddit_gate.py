"""Reddit's door: User-Agent, access tokens, its rate headers, and the shapes of its general refusals."""

from resources.sandbox.exchange import Answer, Call, Endpoint, Refused
from resources.sandbox.gate import Gate
from resources.sandbox.oauth import Caller, identify_reddit
from resources.sandbox.reddit_limits import WITH_OAUTH, WITHOUT_OAUTH, is_default_agent
from resources.sandbox.reddit_shapes import in_envelope, refused, unauthorized

RETRY_AFTER_S = "60"
# English as in praw-dev/praw#1954; that others get it in the account's language is from
# ereddicator#14 and snoowrap#81, the sentences are ours.
BREAKS = {
    "ratelimit": (
        840.0,
        "Looks like you've been doing that a lot. Take a break for 14 minutes before trying again.",
    ),
    "ratelimit_ru": (3.0, "Похоже, вы делаете это слишком часто. Подождите 3 с, прежде чем повторить."),
    "ratelimit_nl": (
        540.0,
        "Je doet dit wel erg vaak. Neem 9 minuten pauze voordat je het opnieuw probeert.",
    ),
}
ENVELOPES = {
    "too_long": ("this is too long (max: 10000)", "text"),
    "too_old": ("that's a piece of history now; it's too late to reply to it", "parent"),
    "thread_locked": ("Comments are locked.", "parent"),
    "deleted_comment": ("that comment has been deleted", "parent"),
    "user_blocked": ("you can't reply to a user that you blocked or that blocked you", "parent"),
    "user_muted": ("you have been muted", "parent"),
    "muted_from_subreddit": ("you have been muted from this community", "parent"),
    "too_many_comments": ("you have written too many comments here in a short time", "parent"),
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
    """Check agent, token and pace; the headers to send.

    Raises:
        Refused: the agent is a library's own, the token does not fit, or the window is spent.
    """
    if is_default_agent(call.headers.get("user-agent")):
        raise too_many({"retry-after": RETRY_AFTER_S})
    if endpoint.name == "token":
        return {}
    caller = identify_reddit(call)
    is_open = caller.who == "nobody" and call.path.endswith(".json")
    if not is_open:
        authorize(caller, endpoint)
    client = f"agent {call.headers.get('user-agent')}" if is_open else f"{caller.client} {caller.account}"
    window = call.world.reddit_windows.take(client, WITHOUT_OAUTH if is_open else WITH_OAUTH, call.now)
    if window.is_spent:
        raise too_many(window.headers(call.now))
    return window.headers(call.now)


def authorize(caller: Caller, endpoint: Endpoint) -> None:
    """Refuse a call without a token that fits the endpoint."""
    if caller.who == "nobody":
        raise unauthorized()
    if (endpoint.needs == "user" and caller.who == "app") or (endpoint.is_write and not caller.may_write):
        raise refused(403, "Forbidden")


def too_many(headers: dict[str, str]) -> Refused:
    """The 429 outside of the envelope."""
    return Refused("rate_limited", Answer(429, {"message": "Too Many Requests", "error": 429}, headers))


def faulted(call: Call, kind: str) -> Answer:
    """The answer of an ordered fault."""
    if kind == "401":
        return unauthorized().answer
    if kind == "403":
        return refused(403, "Forbidden").answer
    if kind in BREAKS:
        wait_s, words = BREAKS[kind]
        return in_envelope("RATELIMIT", words, "ratelimit", ratelimit=wait_s).answer
    if kind in ENVELOPES:
        return in_envelope(kind.upper(), *ENVELOPES[kind]).answer
    if kind.startswith("429") or kind == "usage_capped":
        return too_many({} if kind == "429_no_headers" else {"retry-after": RETRY_AFTER_S}).answer
    status = int(kind) if kind.isdecimal() else 503
    return Answer(status, "Service Unavailable")


def attempted(call: Call) -> tuple[str | None, str | None]:
    """Parent id and text of a comment request."""
    return call.form.get("thing_id"), call.form.get("text")


REDDIT_GATE = Gate("reddit", respond, faulted, attempted)
