"""The engine that programs think with: DSPy's requests answered by the gateway.

What belongs here: turning one question of DSPy into one of the gateway and back. Whatever is cached, limited, repeated
or paid for is so by the gateway; DSPy's own cache and retries are off. DSPy is imported inside functions only.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Llm
from rejoinder.llm.requests import Finish, LlmReply, LlmRequest, Message, MessageRole, ReplySchema, Sampling

if TYPE_CHECKING:
    import dspy
    from dspy import lm15

FINISHES: Mapping[Finish, "lm15.FinishReason"] = {
    "stop": "stop",
    "length": "length",
    "filtered": "content_filter",
}
ROLES: Mapping[str, MessageRole] = {"user": "user", "assistant": "assistant", "developer": "system"}


@dataclass(frozen=True, slots=True)
class CallContext:
    """What a call belongs to; the fields mean what they mean in `LlmRequest`."""

    task: str
    prompt_version: str | None = None
    input_ref: str | None = None
    creator_id: int | None = None
    ab_unit: str | None = None
    offline: Callable[[], str] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class GatewayEngine:
    """Answers DSPy's requests by a gateway, for one context; the gateway's errors pass through.

    on_reply sees each answer as the gateway gave it. A saved engine holds nothing but its task: loaded again it has no
    gateway and says so.
    """

    llm: Llm | None
    context: CallContext
    on_reply: Callable[[LlmReply], object] | None = None

    def complete(self, request: "lm15.Request") -> "lm15.Response":
        """Answer one request.

        Raises:
            ConfigInvalid: it asks for what the gateway has no words for, or the engine was loaded from a file.
        """
        if self.llm is None:
            raise ConfigInvalid("a saved engine has no gateway: set the program's model after loading it")
        reply = self.llm.complete(to_llm_request(request, self.context))
        if self.on_reply:
            self.on_reply(reply)
        return to_response(reply, request)

    def dump_state(self) -> dict[str, str]:
        """The task: no gateway, no key, nothing of an item."""
        return {"task": self.context.task}

    @classmethod
    def load_state(cls, state: Mapping[str, str]) -> "GatewayEngine":
        """An engine without a gateway."""
        return cls(None, CallContext(state["task"]))


@dataclass(frozen=True, slots=True)
class AsyncGatewayEngine:
    """The engine for an event loop: the gateway is asked in a thread."""

    engine: GatewayEngine

    async def complete(self, request: "lm15.Request") -> "lm15.Response":
        """Answer one request; raises as `GatewayEngine.complete`."""
        return await asyncio.to_thread(self.engine.complete, request)

    def dump_state(self) -> dict[str, str]:
        """As that of the engine."""
        return self.engine.dump_state()

    @classmethod
    def load_state(cls, state: Mapping[str, str]) -> "AsyncGatewayEngine":
        """An engine without a gateway."""
        return cls(GatewayEngine.load_state(state))


def language_model(engine: GatewayEngine) -> "dspy.LM":
    """The model of a program: asked once per question, nothing kept by DSPy."""
    import dspy

    # Not the model's name: DSPy changes parameters by what it thinks to know of a name.
    return dspy.LM(
        f"rejoinder/{engine.context.task}",
        engine=engine,
        async_engine=AsyncGatewayEngine(engine),
        cache=False,
        num_retries=0,
    )


def to_llm_request(request: "lm15.Request", context: CallContext) -> LlmRequest:
    """DSPy's request as the gateway's.

    Raises:
        ConfigInvalid: a part is no text, or tools are asked for.
    """
    if request.tools:
        raise ConfigInvalid("the gateway knows no tools: ask for an answer in JSON")
    system = [] if request.system is None else [Message("system", _text(request.system))]
    turns = [Message(_role(message.role), _text(message.parts)) for message in request.messages]
    return LlmRequest(
        task=context.task,
        messages=(*system, *turns),
        schema=_schema(request.config.response_format),
        sampling=_sampling(request.config),
        prompt_version=context.prompt_version,
        input_ref=context.input_ref,
        creator_id=context.creator_id,
        ab_unit=context.ab_unit,
        offline=context.offline,
    )


def to_response(reply: LlmReply, request: "lm15.Request") -> "lm15.Response":
    """The gateway's answer as DSPy's; an answer out of the cache counts no tokens."""
    from dspy import lm15

    return lm15.Response(
        id=None,
        model=reply.model,
        message=lm15.Message.assistant(reply.text),
        finish_reason=FINISHES[reply.finish],
        usage=lm15.Usage(input_tokens=reply.usage.tokens_in, output_tokens=reply.usage.tokens_out),
    )


def _role(role: str) -> MessageRole:
    if role not in ROLES:
        raise ConfigInvalid(f"the gateway knows no turns of role {role!r}")
    return ROLES[role]


def _text(parts: Any) -> str:
    if isinstance(parts, str):
        return parts
    if foreign := sorted({part.type for part in parts} - {"text"}):
        raise ConfigInvalid(f"the gateway takes text only, not {', '.join(foreign)}")
    return "\n".join(part.text for part in parts)


def _schema(wanted: Mapping[str, Any] | None) -> ReplySchema | None:
    if wanted is None:
        return None
    # Any JSON object will do where no schema is given.
    schema = wanted.get("schema", {"type": "object"})
    # In the schema's own order: a model writes its answer's fields in it.
    return ReplySchema(wanted.get("name", "answer"), json.dumps(schema, separators=(",", ":")))


def _sampling(config: "lm15.Config") -> Sampling:
    usual = Sampling()
    return Sampling(
        max_tokens=config.max_tokens or usual.max_tokens,
        temperature=usual.temperature if config.temperature is None else config.temperature,
        top_p=config.top_p or usual.top_p,
        seed=config.seed,
        stop=config.stop,
    )
