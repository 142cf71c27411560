"""What a failed call of a hosted model means: trouble that may pass, or a refusal that waiting does not lift.

Judged by what came over the wire: status, headers and the server's own error object. Messages say what happened and
shorten what the server said; neither the key nor the prompt is ever in them.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rejoinder.errors import ModelRefusal, ModelTrouble, RefusalKind, TroubleKind
from resources.llm.providers.hosted_wire import LARGEST_BYTES, Exchange
from resources.llm.providers.retry_after import retry_after_s

LONGEST_QUOTE = 300
# What is read of a message; some servers send all back that they were sent.
LONGEST_READ = 2_000
# A piece of a prompt this long is left out of what a server said.
QUOTED_CHARS = 16
# Keys as providers write them, whole or with stars in the middle; and long runs of letters and digits.
KEY_LIKE = re.compile(
    r"\b(?:sk|pk|rk|key|tok|api)[-_][\w*.-]{6,}|\bbearer\s+\S+|[\w-]*\*{3,}[\w-]*|\b(?=\w*\d)[A-Za-z0-9]{28,}\b",
    re.IGNORECASE,
)
NO_MONEY = re.compile(
    # Not the address ".../account/billing", which OpenAI adds to rate limits that pass.
    r"insufficient.?(?:quota|balance|funds|credit)|exceeded.?(?:your.?)?current.?quota|credit balance"
    r"|billing[_ ](?:details|hard|not)"
)
NO_KEY = re.compile(r"(?:invalid|incorrect|missing).{0,20}api.?key|authentication")
TOO_LONG = re.compile(
    r"context.?(?:length|window|size)|prompt is too long|too many tokens|maximum .{0,20}tokens|token limit|must be <="
)
FORBIDDEN = re.compile(r"content.?(?:filter|policy|management)|moderation|flagged|high risk|usage polic")
NO_MODEL = re.compile(r"model.?not.?found|(?:unknown|invalid).?model|model .{0,120}(?:not exist|not found)")
# Status 429 aside, what a server may answer otherwise a while later.
PASSING = frozenset({408, 409, 425})
KINDS: dict[int, TroubleKind] = {408: "timeout", 429: "rate_limit"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whom was asked what, for messages and for what has to stay out of them.

    who names the endpoint and its model, variable the key's place in the environment.
    """

    who: str
    variable: str
    timeout_s: float
    key: str = field(default="", repr=False)
    prompts: Sequence[str] = field(default=(), repr=False)


def failure_of(
    noted: Exchange, error: Exception, asked: Asked, now: Callable[[], datetime]
) -> ModelTrouble | ModelRefusal:
    """The error that a call which gave no reply stands for.

    Args:
        noted: what happened on the wire.
        error: what the library above it made of that.
        asked: whom was asked.
        now: the time, asked where the server's answer carries none.
    """
    if noted.failure is not None:
        return _broken(noted, asked)
    if noted.status is None:
        return ModelRefusal(
            "request",
            f"{asked.who}: nothing was sent, since LiteLLM has no way to ask this"
            f" ({type(error).__name__}{quoted(str(error), asked)}).",
            fix="Check the model's name in the endpoint's uri; one that speaks only OpenAI's Responses API "
            "cannot be asked.",
        )
    message, words = _said(noted.body)
    if noted.status < 300:
        kind = noted.headers.get("content-type", "no content type").partition(";")[0][:60]
        return ModelTrouble(
            "server",
            f"{asked.who} answered with {noted.status} and what is no reply ({kind}).",
            was_sent=True,
        )
    told = f"{asked.who} answered with {noted.status}{quoted(message, asked)}."
    if _is_passing(noted.status, words):
        wait_s = retry_after_s(noted.headers, now)
        return ModelTrouble(KINDS.get(noted.status, "server"), told, retry_after_s=wait_s)
    kind = _refusal_kind(noted.status, words, type(error).__name__)
    return ModelRefusal(kind, told, fix=_fix(kind, noted.status, words, asked))


def quoted(message: str, asked: Asked) -> str:
    """What a server said, shortened, without the key and without the prompt; "" where nothing is left."""
    text = message.replace(asked.key, "[key]") if asked.key else message
    text = KEY_LIKE.sub("[key]", text[:LONGEST_READ])
    for prompt in asked.prompts:
        text = _without(text, prompt)
    text = " ".join(text.split()).rstrip(".")
    return f": {text[:LONGEST_QUOTE]}" if text else ""


def _without(text: str, prompt: str) -> str:
    """A text with each piece that also stands in a prompt replaced."""
    kept, at = "", 0
    while at < len(text):
        end = at + QUOTED_CHARS
        if end > len(text) or text[at:end] not in prompt:
            kept, at = kept + text[at], at + 1
            continue
        while end < len(text) and text[at : end + 1] in prompt:
            end += 1
        kept, at = kept + "[prompt]", end
    return kept


def _broken(noted: Exchange, asked: Asked) -> ModelTrouble:
    trouble = _what_broke(noted, asked)
    # An error's page is not charged, whole or not.
    trouble.was_sent = noted.is_sent and (noted.status is None or noted.status < 300)
    return trouble


def _what_broke(noted: Exchange, asked: Asked) -> ModelTrouble:
    match noted.failure:
        case "timeout":
            return ModelTrouble("timeout", f"{asked.who} gave no whole answer within {asked.timeout_s:g} s.")
        case "too_large":
            return ModelTrouble(
                "server", f"{asked.who} answered with more than {LARGEST_BYTES // 2**20} MiB."
            )
        case "compressed":
            return ModelTrouble("server", f"{asked.who} compressed its answer, which nobody asked for.")
    if noted.status is None:
        return ModelTrouble("connection", f"{asked.who} could not be reached, or hung up before it answered.")
    return ModelTrouble("connection", f"{asked.who} hung up in the middle of its answer.")


def _said(body: bytes) -> tuple[str, str]:
    """The server's message, and all words of its error object in lower case; both "" for what is no JSON object."""
    try:
        found: Any = json.loads(body)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    error = found.get("error") or found
    if isinstance(error, str):
        return error, error[:LONGEST_READ].lower()
    if not isinstance(error, dict):
        return "", ""
    message = error.get("message") or error.get("detail") or ""
    words = " ".join(
        str(error.get(name) or "")[:LONGEST_READ] for name in ("code", "type", "message", "detail")
    )
    return str(message), words.lower()


def _is_passing(status: int, words: str) -> bool:
    if status == 429:
        return not NO_MONEY.search(words)
    return status in PASSING or status >= 500


def _refusal_kind(status: int, words: str, error: str) -> RefusalKind:
    if status in {401, 402, 403} or NO_MONEY.search(words) or NO_KEY.search(words):
        return "key"
    if status == 413 or error == "ContextWindowExceededError" or TOO_LONG.search(words):
        return "context"
    if error == "ContentPolicyViolationError" or FORBIDDEN.search(words):
        return "content"
    is_unknown = NO_MODEL.search(words) or (status == 404 and "model" in words)
    return "unknown_model" if is_unknown else "request"


def _fix(kind: RefusalKind, status: int, words: str, asked: Asked) -> str | None:
    if kind == "key":
        return f"Check the key in {asked.variable}, what it may use, and whether its account has money."
    if kind == "unknown_model":
        return "Check the name of the model in the endpoint's uri."
    if kind == "request" and (status < 400 or status in {404, 405} or not words):
        return "Check the endpoint's base_url: another address than the API's seems to have answered."
    return None
