"""What the answer of a hosted model says: a reply, or that there is none, and what it took."""

from collections.abc import Mapping
from typing import Any

from rejoinder.errors import ModelRefusal, ModelTrouble
from rejoinder.llm.requests import Finish, RawReply, Sampling, Usage
from resources.llm.providers.hosted_errors import Asked, quoted

FINISHES: Mapping[str, Finish] = {"length": "length", "content_filter": "filtered"}


def reply_of(answer: Any, sampling: Sampling, asked: Asked) -> RawReply:
    """What LiteLLM's answer says.

    Raises:
        ModelTrouble: nothing.
        ModelRefusal: that the model will not say anything, or that it had no tokens left to.
    """
    usage = usage_of(answer)
    charged = None if usage is None else (usage.tokens_in, usage.tokens_out)
    if not answer.choices:
        raise ModelTrouble("empty", f"{asked.who} gave an empty list of choices.", charged=charged)
    choice = answer.choices[0]
    refusal = (choice.message.provider_specific_fields or {}).get("refusal")
    if refusal:
        raise ModelRefusal("content", f"{asked.who} declined{quoted(str(refusal), asked)}.", charged=charged)
    text = before_stop(choice.message.content or "", sampling.stop)
    if not text.strip():
        raise _nothing_said(str(choice.finish_reason), asked, charged)
    # A text of no tokens was not counted.
    is_counted = usage is not None and usage.tokens_out > 0
    return RawReply(text, usage if is_counted else None, FINISHES.get(choice.finish_reason, "stop"))


def _nothing_said(finish: str, asked: Asked, charged: tuple[int, int] | None) -> ModelTrouble | ModelRefusal:
    if finish == "content_filter":
        message = f"{asked.who} gave no answer: its content filter cut all of it."
        return ModelRefusal("content", message, charged=charged)
    if finish == "length":
        return ModelRefusal(
            "request",
            f"{asked.who} used up the tokens of its answer before it said anything, thinking perhaps.",
            fix="Allow longer answers (max_tokens), or name a model that thinks less.",
            charged=charged,
        )
    if finish in {"tool_calls", "function_call"}:
        return ModelRefusal("request", f"{asked.who} called a tool, and was given none.", charged=charged)
    return ModelTrouble("empty", f"{asked.who} gave an empty answer.", charged=charged)


def before_stop(text: str, stop: tuple[str, ...]) -> str:
    """A text up to the first of the stops, for models that cannot be told any.

    >>> before_stop("yes END no", ("END",))
    'yes '
    """
    return text[: min((at for word in stop if (at := text.find(word)) >= 0), default=len(text))]


def usage_of(answer: Any) -> Usage | None:
    """Tokens read, from a provider's cache too, and written; None where it did not say (LiteLLM tells 0 then)."""
    told = getattr(answer, "usage", None)
    read, written = getattr(told, "prompt_tokens", None) or 0, getattr(told, "completion_tokens", None) or 0
    return Usage(read, written) if read > 0 and written >= 0 else None
