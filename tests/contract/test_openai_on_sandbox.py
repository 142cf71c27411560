"""The sandbox as a server of models: shapes, keys, limits, schemas, scripts, streams, vectors."""

import base64
import json
import math
import re
import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = {
    "type": "object",
    "properties": {
        "label": {"enum": ["supported", "refuted"]},
        "reason": {"type": "string", "maxLength": 20},
        "score": {"type": "number", "minimum": 0.25, "maximum": 1},
    },
    "required": ["label", "reason", "score"],
    "additionalProperties": False,
}


def chat(text: str = "Is that so?", **more: Any) -> dict[str, Any]:
    return {"model": "rehearsal", "messages": [{"role": "user", "content": text}], **more}


def asking_for(schema: Any, name: str = "verdict", **more: Any) -> dict[str, Any]:
    wanted = {"name": name, "schema": schema, **more}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def ask(caller: httpx.Client, **body: Any) -> Any:
    answer = caller.post("/chat/completions", json=chat(**body))
    assert answer.status_code == 200, answer.text
    return answer.json()


def said(caller: httpx.Client, **body: Any) -> str:
    content: str = ask(caller, **body)["choices"][0]["message"]["content"]
    return content


def error_of(answer: httpx.Response, status: int) -> Any:
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert set(body) == {"error"} and set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def events_of(answer: httpx.Response) -> list[Any]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    lines = [line.removeprefix("data: ") for line in answer.text.split("\n\n") if line]
    assert lines[-1] == "[DONE]"
    return [json.loads(line) for line in lines[:-1]]


def test_a_completion_has_the_documented_fields(caller: httpx.Client) -> None:
    answer = caller.post("/chat/completions", json=chat("four tokens here"))
    body = answer.json()
    assert body["id"].startswith("chatcmpl-") and body["object"] == "chat.completion"
    assert isinstance(body["created"], int) and body["model"] == "rehearsal"
    assert body["system_fingerprint"] == "rehearsal"
    (choice,) = body["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    message = choice["message"]
    assert (message["role"], message["refusal"]) == ("assistant", None)
    assert message["content"].startswith("[rehearsal]")
    said_tokens = math.ceil(len(message["content"]) / 4)
    usage = body["usage"]
    assert (usage["prompt_tokens"], usage["completion_tokens"]) == (4 + 4, said_tokens)
    assert usage["total_tokens"] == 8 + said_tokens
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0


def test_an_answer_has_the_documented_headers(caller: httpx.Client) -> None:
    answer = caller.post("/chat/completions", json=chat())
    assert answer.headers["x-request-id"].startswith("req_")
    for what in ("requests", "tokens"):
        limit, left = (int(answer.headers[f"x-ratelimit-{name}-{what}"]) for name in ("limit", "remaining"))
        assert 0 < left <= limit
        assert re.fullmatch(r"(\d+m)?[\d.]+m?s", answer.headers[f"x-ratelimit-reset-{what}"])


def test_json_follows_the_asked_schema(caller: httpx.Client) -> None:
    made = json.loads(said(caller, **asking_for(SCHEMA, strict=True)))
    jsonschema.validate(made, SCHEMA)
    assert made == {"label": "supported", "reason": "[rehearsal]", "score": 0.25}


def test_json_mode_gives_an_object_and_wants_the_word(caller: httpx.Client) -> None:
    wanted = {"response_format": {"type": "json_object"}}
    assert isinstance(json.loads(said(caller, text="answer in JSON", **wanted)), dict)
    refused = error_of(caller.post("/chat/completions", json=chat("no such word", **wanted)), 400)
    assert "'json'" in refused["message"] and refused["param"] == "messages"


def test_strict_mode_refuses_what_openai_refuses(caller: httpx.Client) -> None:
    open_schema = {key: held for key, held in SCHEMA.items() if key != "additionalProperties"}
    body = chat(**asking_for(open_schema, strict=True))
    refused = error_of(caller.post("/chat/completions", json=body), 400)
    assert refused["param"] == "response_format" and "additionalProperties" in refused["message"]
    assert caller.post("/chat/completions", json=chat(**asking_for(open_schema))).status_code == 200


def test_a_schema_nobody_can_answer_is_refused(caller: httpx.Client) -> None:
    refused = error_of(caller.post("/chat/completions", json=chat(**asking_for({"$ref": "#"}))), 400)
    assert "No rehearsed value" in refused["message"]


def test_tokens_choices_and_stops_end_an_answer(caller: httpx.Client) -> None:
    short = ask(caller, max_completion_tokens=2, n=3)
    assert [choice["message"]["content"] for choice in short["choices"]] == ["[rehears"] * 3
    assert {choice["finish_reason"] for choice in short["choices"]} == {"length"}
    assert short["usage"]["completion_tokens"] == 6
    stopped = ask(caller, stop=["model"])["choices"][0]
    assert (stopped["message"]["content"], stopped["finish_reason"]) == ("[rehearsal] No ", "stop")


def test_long_prompts_that_come_again_are_cached(caller: httpx.Client) -> None:
    details = [
        ask(caller, text="x" * 5000)["usage"]["prompt_tokens_details"]["cached_tokens"] for _ in range(2)
    ]
    assert details == [0, 1024]


def test_a_stream_says_the_same_in_pieces(caller: httpx.Client) -> None:
    whole = said(caller)
    options = {"stream": True, "stream_options": {"include_usage": True}}
    events = events_of(caller.post("/chat/completions", json=chat(**options)))
    assert {event["object"] for event in events} == {"chat.completion.chunk"}
    assert len({event["id"] for event in events}) == 1
    assert events[0]["choices"][0]["delta"]["role"] == "assistant"
    deltas = [event["choices"][0]["delta"] for event in events[:-1]]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole
    assert events[-2]["choices"][0]["finish_reason"] == "stop"
    assert events[-1]["choices"] == [] and events[-1]["usage"]["completion_tokens"] > 0
    assert all(event["usage"] is None for event in events[:-1])
    bare = events_of(caller.post("/chat/completions", json=chat(stream=True)))
    assert all("usage" not in event for event in bare)


@pytest.mark.parametrize("authorization", [None, "Bearer sk-other", "Bearer", "Basic x", "Bearer \xff"])
def test_a_wrong_key_is_refused(models: Any, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    for method, path in (("POST", "chat/completions"), ("POST", "embeddings"), ("GET", "models")):
        answer = httpx.request(method, f"{models.url}/openai/v1/{path}", headers=headers, timeout=10)
        refused = error_of(answer, 401)
        assert refused["type"] == "invalid_request_error" and "sk-other" not in answer.text
    assert models.get("models")["calls"] == 0


def test_models_are_listed_and_shown(caller: httpx.Client) -> None:
    listed = caller.get("/models").json()
    assert listed["object"] == "list"
    assert {"rehearsal", "rehearsal-embedding"} <= {model["id"] for model in listed["data"]}
    shown = caller.get("/models/rehearsal").json()
    assert shown == {
        "id": "rehearsal", "object": "model", "created": shown["created"], "owned_by": "rehearsal",
    }  # fmt: skip
    assert error_of(caller.get("/models/none"), 404)["code"] == "model_not_found"


def test_what_is_not_there_is_said_in_the_same_shape(caller: httpx.Client) -> None:
    missing = error_of(caller.post("/chat/completions", json=chat() | {"model": "none"}), 404)
    assert missing["code"] == "model_not_found" and "`none`" in missing["message"]
    assert "Invalid URL" in error_of(caller.get("/chat/completions"), 404)["message"]
    assert "Invalid URL" in error_of(caller.post("/responses", json={}), 404)["message"]


def test_the_context_of_a_model_is_held(caller: httpx.Client) -> None:
    body = {"model": "rehearsal-small", "messages": [{"role": "user", "content": "x" * 4 * 4093}]}
    refused = error_of(caller.post("/chat/completions", json=body), 400)
    assert (refused["code"], refused["param"]) == ("context_length_exceeded", "messages")
    assert "maximum context length is 4096 tokens" in refused["message"] and "4097" in refused["message"]
    body["messages"] = [{"role": "user", "content": "x" * 4 * 4000}]
    assert caller.post("/chat/completions", json=body).status_code == 200
    refused = error_of(caller.post("/chat/completions", json={**body, "max_tokens": 100}), 400)
    assert "(4004 in the messages, 100 in the completion)" in refused["message"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 7}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["hi"]}, "messages[0]"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": 10**6}, "max_completion_tokens"),
        ({"n": 1000}, "n"),
        ({"n": "2"}, "n"),
        ({"stop": list("abcde")}, "stop"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"metadata": "x"}, "metadata"),
        ({"stream_options": True}, "stream_options"),
        ({"response_format": "json"}, "response_format"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {}}},
            "response_format.json_schema.name",
        ),
        ({"model": "rehearsal-embedding"}, "model"),
    ],
)
def test_wrong_requests_name_the_parameter(caller: httpx.Client, change: Any, param: str) -> None:
    refused = error_of(caller.post("/chat/completions", json=chat() | change), 400)
    assert (refused["type"], refused["param"]) == ("invalid_request_error", param)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"model": NaN}', b'{"model": "\\ud800"}'])
def test_a_body_that_is_no_json_object_is_refused(caller: httpx.Client, body: bytes) -> None:
    assert "JSON object" in error_of(caller.post("/chat/completions", content=body), 400)["message"]


def test_parts_of_a_message_are_read_as_one_text(models: Any, caller: httpx.Client) -> None:
    models.post("models/answers", match="^one\ntwo$", answers=["Both."])
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    body = {"model": "rehearsal", "messages": [{"role": "user", "content": parts}]}
    message = caller.post("/chat/completions", json=body).json()["choices"][0]["message"]
    assert message["content"] == "[rehearsal] Both."


def test_vectors_are_repeatable_and_know_shared_words(caller: httpx.Client) -> None:
    inputs = ["the cache is slow", "the cache is not slow", "penguins swim well"]
    body = {"model": "rehearsal-embedding", "input": inputs, "dimensions": 256}
    first, again = (caller.post("/embeddings", json=body).json() for _ in range(2))
    assert first == again and first["object"] == "list" and first["model"] == "rehearsal-embedding"
    assert [item["index"] for item in first["data"]] == [0, 1, 2]
    assert {item["object"] for item in first["data"]} == {"embedding"}
    near, other, far = (item["embedding"] for item in first["data"])
    assert len(near) == 256 and math.isclose(math.fsum(held * held for held in near), 1)
    assert sum(a * b for a, b in zip(near, other, strict=True)) > 0.5
    assert sum(a * b for a, b in zip(near, far, strict=True)) < 0.5
    tokens = sum(math.ceil(len(text) / 4) for text in inputs)
    assert first["usage"] == {"prompt_tokens": tokens, "total_tokens": tokens}


def test_packed_vectors_are_the_same_numbers(caller: httpx.Client) -> None:
    body = {"model": "rehearsal-embedding", "input": "a few words", "dimensions": 8}
    plain = caller.post("/embeddings", json=body).json()["data"][0]["embedding"]
    packed = caller.post("/embeddings", json={**body, "encoding_format": "base64"}).json()
    numbers = struct.unpack("<8f", base64.b64decode(packed["data"][0]["embedding"]))
    assert numbers == pytest.approx(plain, abs=1e-6)


def test_inputs_may_be_tokens(caller: httpx.Client) -> None:
    body = {"model": "rehearsal-embedding", "input": [[1, 2, 3], [4]]}
    answer = caller.post("/embeddings", json=body).json()
    assert [len(item["embedding"]) for item in answer["data"]] == [1536, 1536]
    assert answer["usage"]["prompt_tokens"] == 4


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"input": None}, "Missing required parameter: 'input'"),
        ({"input": ""}, "not empty"),
        ({"input": []}, "between 1 and 2048"),
        ({"input": ["a"] * 2049}, "between 1 and 2048"),
        ({"input": ["a", 1]}, "not empty"),
        ({"input": "x" * 4 * 8193}, "maximum context length is 8192 tokens, however you requested 8193"),
        ({"dimensions": 0}, "'dimensions'"),
        ({"dimensions": 1537}, "at most 1536"),
        ({"encoding_format": "hex"}, "'float' or 'base64'"),
        ({"model": "rehearsal"}, "not an embedding model"),
    ],
)
def test_wrong_inputs_are_refused(caller: httpx.Client, change: Any, part: str) -> None:
    body = {"model": "rehearsal-embedding", "input": "x", **change}
    assert part in error_of(caller.post("/embeddings", json=body), 400)["message"]


def test_scripts_answer_by_text_model_and_task(models: Any, caller: httpx.Client) -> None:
    models.post("models", id="other-model")
    models.post("models/answers", match="(?i)episode", answers=["At 12:04."])
    models.post("models/answers", model="other-.*", answers=[{"refusal": "No."}])
    models.post("models/answers", task="verdict", answers=[{"json": {"label": "refuted"}}])
    assert said(caller, text="Which EPISODE?") == "[rehearsal] At 12:04."
    refused = ask(caller, model="other-model")["choices"][0]["message"]
    assert (refused["content"], refused["refusal"]) == (None, "[rehearsal] No.")
    for named in ({"metadata": {"task": "verdict"}}, asking_for(SCHEMA)):
        assert json.loads(said(caller, **named)) == {"label": "refuted"}
    assert said(caller, text="anything else").startswith("[rehearsal] No model")


@pytest.mark.parametrize(
    ("then", "last"), [("last", "b"), ("cycle", "a"), ("default", "[rehearsal] No model")]
)
def test_answers_come_one_after_the_other(models: Any, caller: httpx.Client, then: str, last: str) -> None:
    models.post("models/answers", answers=[{"raw": "a"}, {"raw": "b"}], then=then)
    heard = [said(caller) for _ in range(3)]
    assert heard[:2] == ["a", "b"] and heard[2].startswith(last)


def test_an_answer_may_script_its_usage_and_end(models: Any, caller: httpx.Client) -> None:
    models.post(
        "models/answers",
        answers=[{"raw": "{", "finish_reason": "length", "usage": {"prompt_tokens": 9}}],
    )
    body = ask(caller)
    assert body["choices"][0]["finish_reason"] == "length" and body["usage"]["prompt_tokens"] == 9


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("models", {}, "models[0]: a model's id"),
        ("models", {"id": "m", "kind": "image"}, "kind must be"),
        ("models", {"id": "m", "colour": 1}, "no colour"),
        ("models", {"id": "m", "context_tokens": -1}, "whole number"),
        ("models", {"id": "m", "latency_s": -1}, "latency_s"),
        ("models/answers", {"answers": []}, "at least one"),
        ("models/answers", {"answers": [{}]}, "an answer must be"),
        ("models/answers", {"answers": [{"text": "a", "raw": "b"}]}, "one of text"),
        ("models/answers", {"answers": [{"text": 1}]}, "text must be text"),
        ("models/answers", {"answers": ["a"], "match": "("}, "match is not a regular expression"),
        ("models/answers", {"answers": ["a"], "then": "stop"}, "then must be"),
        ("models/answers", {"answers": ["a"], "colour": 1}, "no colour"),
        ("models/faults", {"kind": "meteor"}, "kind must be one of"),
        ("models/faults", {"kind": "503", "times": 0}, "times must"),
        ("models/faults", {"kind": "503", "share": 2}, "share must"),
        ("models/faults", {"kind": "slow", "delay_s": -1}, "delay_s must"),
        ("models/faults", {"kind": "503", "endpoint": "create"}, "endpoint must"),
        ("models/faults", {"kind": "503", "colour": 1}, "no colour"),
        ("models/script", {"answers": {}}, "answers must be a list"),
        ("models/script", {"other": []}, "a script file is"),
        ("models/reset", {"parts": ["all"]}, "parts must be"),
    ],
)
def test_wrong_orders_change_nothing(models: Any, path: str, body: Any, part: str) -> None:
    before = models.get("models/script")
    answer = httpx.post(f"{models.url}/sandbox/{path}", json=body, timeout=10)
    assert answer.status_code == 400 and part in answer.json()["error"]
    assert models.get("models/script") == before


def test_calls_are_remembered_with_what_was_asked(models: Any, caller: httpx.Client) -> None:
    answer = caller.post("/chat/completions", json=chat("word for word", metadata={"task": "reply"}))
    (call,) = models.get("models/calls")
    assert call["request"]["messages"][0]["content"] == "word for word"
    assert (call["task"], call["status"], call["fault"]) == ("reply", 200, None)
    assert call["request_id"] == answer.headers["x-request-id"]
    assert "authorization" not in json.dumps(call).lower()


def test_what_was_set_up_survives_a_kill(models: Any, caller: httpx.Client) -> None:
    models.post("models", id="kept", context_tokens=10)
    models.post("models/answers", answers=["Kept."])
    models.post("models/faults", kind="503", times=2)
    key = models.get("credentials")["openai"]
    assert caller.post("/chat/completions", json=chat()).status_code == 503
    models.end(signal.SIGKILL)
    models.start()
    assert models.get("credentials")["openai"] == key
    script = models.get("models/script")
    assert [model["id"] for model in script["models"]][-1] == "kept"
    assert script["faults"][0]["times"] == 1 and script["answers"][0]["answers"] == ["Kept."]
    assert models.get("models")["calls"] == 0


def test_a_script_file_replaces_what_is_there(models: Any, tmp_path: Path) -> None:
    models.post("models/answers", answers=["Old."])
    path = tmp_path / "script.json"
    path.write_text('{"models": [{"id": "new"}], "answers": [{"answers": ["New."]}]}', encoding="utf-8")
    models.end(signal.SIGTERM)
    models.extra = ["--script", str(path)]
    try:
        models.start()
    finally:
        models.extra = []
    assert [rule["answers"] for rule in models.get("models/script")["answers"]] == [["New."]]


def test_an_unusable_script_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"faults": [{"kind": "meteor"}]}', encoding="utf-8")
    command = [sys.executable, "-m", "resources.sandbox", "--state", str(tmp_path / "state.db")]
    command += ["--script", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 4 and f"cannot use {path}: faults[0]: kind must be" in done.stderr
