"""The engine of programs: DSPy's requests as the gateway's, its answers as DSPy's."""

import asyncio
import warnings

import dspy
import pytest
from dspy import lm15

from rejoinder.errors import BudgetSpent, ConfigInvalid
from rejoinder.llm.requests import LlmReply, LlmRequest, Message, ReplySchema, Sampling, Usage
from resources.llm.engine import (
    AsyncGatewayEngine,
    CallContext,
    GatewayEngine,
    language_model,
    to_llm_request,
)

REPLY = LlmReply("red", "scripted::one", "one", Usage(7, 3), 0.01, "length", 1.0)


class EchoLlm:
    """Answers everything with one reply, or raises."""

    def __init__(self, reply: LlmReply | Exception = REPLY) -> None:
        self.reply, self.seen = reply, []

    def complete(self, request: LlmRequest) -> LlmReply:
        self.seen.append(request)
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


def request(**config) -> lm15.Request:
    return lm15.Request(
        model="rejoinder/t",
        system="Be brief.",
        messages=(lm15.Message.user("q"), lm15.Message.assistant("a"), lm15.Message.user(["b", "c"])),
        config=lm15.Config(**config),
    )


def test_a_request_becomes_one_of_the_gateway():
    def offline() -> str:
        return "{}"

    context = CallContext("t", "v1", "post:1", 2, "unit", offline)
    schema = {"type": "json_schema", "name": "Colour", "schema": {"type": "object", "title": "Ü"}}
    made = to_llm_request(
        request(max_tokens=9, temperature=0.5, top_p=0.9, seed=4, stop=("x",), response_format=schema),
        context,
    )
    assert made == LlmRequest(
        "t",
        (
            Message("system", "Be brief."),
            Message("user", "q"),
            Message("assistant", "a"),
            Message("user", "b\nc"),
        ),
        ReplySchema("Colour", '{"type":"object","title":"\\u00dc"}'),
        Sampling(9, 0.5, 0.9, 4, ("x",)),
        "v1",
        "post:1",
        2,
        "unit",
    )
    assert made.offline is offline


def test_what_is_not_said_is_as_the_gateway_has_it():
    made = to_llm_request(request(), CallContext("t"))
    assert (made.sampling, made.schema) == (Sampling(), None)
    assert to_llm_request(request(response_format={"type": "json_object"}), CallContext("t")).schema == (
        ReplySchema("answer", '{"type":"object"}')
    )


def test_a_developers_turn_is_the_systems():
    asked = lm15.Request(model="m", messages=(lm15.Message.user("q"), lm15.Message.developer("Be brief.")))
    assert to_llm_request(asked, CallContext("t")).messages[1] == Message("system", "Be brief.")


def test_what_the_gateway_has_no_words_for_is_refused():
    tool = lm15.Request(
        model="m", messages=(lm15.Message.user("q"),), tools=(lm15.FunctionTool(name="look"),)
    )
    picture = lm15.Request(
        model="m", messages=(lm15.Message.user([lm15.ImagePart(url="http://localhost/x.png")]),)
    )
    result = lm15.Request(model="m", messages=(lm15.Message.tool("id", "found"),))
    for asked, problem in [(tool, "no tools"), (picture, "not image"), (result, "role 'tool'")]:
        with pytest.raises(ConfigInvalid, match=problem):
            to_llm_request(asked, CallContext("t"))


def test_an_answer_comes_back_with_its_usage_and_its_end():
    seen: list[LlmReply] = []
    engine = GatewayEngine(EchoLlm(), CallContext("t"), seen.append)
    response = engine.complete(request())
    assert (response.text, response.model, response.finish_reason) == ("red", "scripted::one", "length")
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 3)
    assert seen == [REPLY]
    assert asyncio.run(AsyncGatewayEngine(engine).complete(request())) == response


def test_dspy_asks_once_and_keeps_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("DSPY_CACHEDIR", str(tmp_path))
    llm = EchoLlm()
    lm = language_model(GatewayEngine(llm, CallContext("t")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lm(request()).text == lm(request()).text == "red"
    assert len(llm.seen) == 2
    assert list(tmp_path.iterdir()) == []
    failing = EchoLlm(BudgetSpent("none left"))
    with pytest.raises(dspy.LMError) as caught:
        language_model(GatewayEngine(failing, CallContext("t")))(request())
    assert caught.value.__cause__ is failing.reply
    assert len(failing.seen) == 1


def test_a_saved_engine_holds_its_task_and_asks_nobody():
    lm = language_model(GatewayEngine(EchoLlm(), CallContext("t", input_ref="post:1", creator_id=7)))
    state = lm.dump_state()
    assert state["engine"]["state"] == {"task": "t"}
    loaded = dspy.LM.load_state(
        {k: v for k, v in state.items() if not k.startswith("_")}, allow_custom_lm_class=True
    )
    with pytest.raises(dspy.LMError, match="no gateway"):
        loaded(request())
