"""What the sandbox's models do wrong on order, as a client sees it, and what the sandbox counts."""

import asyncio
import json
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from resources.sandbox.openai_faults import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "sandbox.md"
SCHEMA = {
    "type": "object",
    "properties": {"label": {"enum": ["a", "b"]}, "why": {"type": "string"}},
    "required": ["label", "why"],
    "additionalProperties": False,
}
FORMAT = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": SCHEMA, "strict": True}}
CHAT: dict[str, Any] = {"model": "rehearsal", "messages": [{"role": "user", "content": "Is that so?"}]}
VECTORS: dict[str, Any] = {"model": "rehearsal-embedding", "input": ["a", "b"], "dimensions": 8}


def ask(caller: httpx.Client, **more: Any) -> httpx.Response:
    return caller.post("/chat/completions", json={**CHAT, **more})


def order(models: Any, kind: str, **more: Any) -> None:
    models.post("models/faults", kind=kind, **more)


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("401", 401, "invalid_api_key"),
        ("403", 403, "model_not_found"),
        ("408", 408, "timeout"),
        ("429", 429, "rate_limit_exceeded"),
        ("429_http_date", 429, "rate_limit_exceeded"),
        ("429_ratelimit", 429, "rate_limit_exceeded"),
        ("429_no_headers", 429, "rate_limit_exceeded"),
        ("insufficient_quota", 429, "insufficient_quota"),
        ("500", 500, None),
        ("502", 502, None),
        ("503", 503, None),
        ("529", 529, None),
        ("stream_error", 500, None),
        ("context_overflow", 400, "context_length_exceeded"),
        ("unknown_model", 404, "model_not_found"),
    ],
)
def test_refusals_come_once_and_in_shape(
    models: Any, caller: httpx.Client, kind: str, status: int, code: str | None
) -> None:
    order(models, kind)
    answer = ask(caller)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert set(error) == {"message", "type", "param", "code"} and error["code"] == code
    assert ask(caller).status_code == 200 and models.get("models/faults") == []


def test_a_rate_limit_says_in_four_ways_when_to_come_back(models: Any, caller: httpx.Client) -> None:
    for kind in ("429", "429_http_date", "429_ratelimit", "429_no_headers"):
        order(models, kind, retry_after_s=90.5)
    seconds, date, ratelimit, silent = (ask(caller).headers for _ in range(4))
    assert (seconds["retry-after"], seconds["retry-after-ms"]) == ("91", "90500")
    until, now = (parsedate_to_datetime(date[name]) for name in ("retry-after", "date"))
    assert (until - now).total_seconds() >= 90 and "retry-after-ms" not in date
    assert "retry-after" not in ratelimit
    assert ratelimit["x-ratelimit-reset-requests"] == "1m30.5s"
    assert ratelimit["x-ratelimit-remaining-requests"] == "0"
    assert not [name for name in silent if name.startswith(("retry-after", "x-ratelimit"))]


def test_a_server_error_may_name_a_wait(models: Any, caller: httpx.Client) -> None:
    order(models, "503", retry_after_s=7)
    order(models, "503")
    assert ask(caller).headers["retry-after"] == "7" and "retry-after" not in ask(caller).headers


@pytest.mark.parametrize("kind", ["drop", "drop_mid", "truncated"])
@pytest.mark.parametrize("is_stream", [False, True])
def test_connections_break(models: Any, caller: httpx.Client, kind: str, is_stream: bool) -> None:
    order(models, kind)
    received = b""
    with (
        pytest.raises(httpx.RemoteProtocolError),
        caller.stream("POST", "/chat/completions", json={**CHAT, "stream": is_stream}) as answer,
    ):
        for piece in answer.iter_raw():
            received += piece
    assert bool(received) == (kind != "drop") and b"[DONE]" not in received
    assert ask(caller).status_code == 200
    counts = models.get("models")
    assert (counts["gone"], counts["in_flight"], counts["faults"]) == (1, 0, {kind: 1})
    assert counts["statuses"] == {"200": 1 if kind == "drop" else 2}


@pytest.mark.parametrize("kind", ["hang", "stall"])
def test_answers_that_never_end_are_left(models: Any, caller: httpx.Client, kind: str) -> None:
    order(models, kind)
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/chat/completions", json=CHAT, timeout=0.3)
    assert ask(caller).status_code == 200
    counts = models.get("models")
    assert (counts["gone"], counts["in_flight"], counts["calls"]) == (1, 0, 2)


@pytest.mark.parametrize("kind", ["slow", "slow_stream"])
def test_slow_answers_are_whole(models: Any, caller: httpx.Client, kind: str) -> None:
    order(models, kind, delay_s=600)
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/chat/completions", json=CHAT, timeout=0.3)
    order(models, kind, delay_s=0.02, times=2)
    assert ask(caller).json()["choices"][0]["message"]["content"].startswith("[rehearsal]")
    assert ask(caller, stream=True).text.endswith("data: [DONE]\n\n")


def test_a_stream_may_end_in_an_error(models: Any, caller: httpx.Client) -> None:
    order(models, "stream_error")
    events = [line.removeprefix("data: ") for line in ask(caller, stream=True).text.split("\n\n") if line]
    assert "delta" in events[0] and json.loads(events[-1])["error"]["type"] == "server_error"


def test_bodies_that_are_not_json(models: Any, caller: httpx.Client) -> None:
    for kind in ("invalid_json", "html", "html_200"):
        order(models, kind)
    answers = [ask(caller) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 502, 200]
    assert [answer.headers["content-type"] for answer in answers] == [
        "application/json", "text/html", "text/html",
    ]  # fmt: skip
    for answer in answers:
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def replied(caller: httpx.Client) -> tuple[dict[str, Any], str]:
    choice = ask(caller, response_format=FORMAT).json()["choices"][0]
    return choice["message"], choice["finish_reason"]


def test_json_that_is_not_what_was_asked_for(models: Any, caller: httpx.Client) -> None:
    for kind in ("wrong_schema", "fenced", "prose", "cut_off", "not_json"):
        order(models, kind)
    wrong, fenced, prose, cut, text = (replied(caller)[0]["content"] for _ in range(5))
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(json.loads(wrong))
    inner = re.fullmatch(r"```json\n(.*)\n```", fenced, re.DOTALL)
    assert inner is not None and json.loads(inner[1])["label"] == "a"
    assert prose.startswith("[rehearsal]") and json.loads(prose[prose.index("{") :])["label"] == "a"
    for broken in (cut, text):
        with pytest.raises(json.JSONDecodeError):
            json.loads(broken)


@pytest.mark.parametrize(
    ("kind", "content", "has_refusal", "finish_reason"),
    [
        ("refusal", None, True, "stop"),
        ("empty", "", False, "stop"),
        ("content_filter", "", False, "content_filter"),
    ],
)
def test_nothing_is_said(
    models: Any, caller: httpx.Client, kind: str, content: str | None, has_refusal: bool, finish_reason: str
) -> None:
    order(models, kind)
    message, reason = replied(caller)
    assert message["content"] == content and bool(message["refusal"]) is has_refusal
    assert reason == finish_reason


def test_a_cut_answer_says_so(models: Any, caller: httpx.Client) -> None:
    order(models, "cut_off")
    assert replied(caller)[1] == "length"


def test_answers_without_choices_or_usage(models: Any, caller: httpx.Client) -> None:
    for kind in ("no_choices", "no_usage", "wrong_usage", "no_usage"):
        order(models, kind)
    empty, bare, wrong = (ask(caller).json() for _ in range(3))
    assert empty["choices"] == [] and "usage" not in bare
    usage = wrong["usage"]
    assert usage["total_tokens"] != usage["prompt_tokens"] + usage["completion_tokens"]
    stream = ask(caller, stream=True, stream_options={"include_usage": True}).text
    assert "prompt_tokens" not in stream


def test_vectors_that_are_not_what_was_asked_for(models: Any, caller: httpx.Client) -> None:
    for kind in ("too_few", "wrong_dimensions", "no_usage", "503"):
        order(models, kind, endpoint="embeddings")
    assert ask(caller).status_code == 200
    answers = [caller.post("/embeddings", json=VECTORS) for _ in range(4)]
    sizes = [[len(item["embedding"]) for item in answer.json()["data"]] for answer in answers[:3]]
    assert sizes == [[8], [7, 7], [8, 8]]
    assert "usage" not in answers[2].json() and answers[3].status_code == 503


def test_faults_choose_their_calls(models: Any, caller: httpx.Client) -> None:
    models.post("models", id="other")
    order(models, "503", model="other")
    order(models, "500", match="(?i)is THAT", task="check")
    assert ask(caller).status_code == 200
    assert ask(caller, metadata={"task": "check"}).status_code == 500
    assert ask(caller, model="other").status_code == 503


def test_a_share_is_seeded_and_may_end(models: Any, caller: httpx.Client) -> None:
    def statuses() -> list[int]:
        models.post("models/reset", parts=["faults"])
        order(models, "503", share=0.5, seed=3, times=4)
        return [ask(caller).status_code for _ in range(16)]

    first = statuses()
    assert first == statuses() and first.count(503) == 4 and first[:5] != [503] * 4 + [200]


def test_a_script_may_mix_faults_and_answers(models: Any, caller: httpx.Client) -> None:
    answers = [{"fault": {"kind": "429", "retry_after_s": 2}}, {"text": "Now."}]
    models.post("models/answers", answers=answers)
    assert ask(caller).headers["retry-after"] == "2"
    assert ask(caller).json()["choices"][0]["message"]["content"] == "[rehearsal] Now."


def test_a_minute_holds_so_many_requests_and_tokens(models: Any, caller: httpx.Client) -> None:
    models.post("models", id="few", requests_per_min=2)
    models.post("models", id="short", tokens_per_min=8)
    answers = [ask(caller, model="few") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in answers] == ["1", "0", "0"]
    assert 0 < int(answers[2].headers["retry-after"]) <= 60
    assert ask(caller, model="short").json()["usage"]["prompt_tokens"] == 7
    assert ask(caller, model="short").json()["error"]["type"] == "tokens"


async def call_at_once(models: Any, count: int, limit: int) -> list[int]:
    """Statuses of many calls of which at most so many are on their way; held until all of those are."""
    headers = {"Authorization": f"Bearer {models.get('credentials')['openai']['api_key']}"}
    free, limits = asyncio.Semaphore(limit), httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=models.url, headers=headers, limits=limits, timeout=60) as client:

        async def call() -> int:
            async with free:
                return (await client.post("/openai/v1/chat/completions", json=CHAT)).status_code

        calls = asyncio.gather(*[call() for _ in range(count)])
        while not calls.done():
            counts = (await client.get("/sandbox/models")).json()
            done = counts["calls"] - counts["in_flight"]
            if counts["in_flight"] == min(limit, count - done):
                await client.post("/sandbox/models/release", json={})
            await asyncio.sleep(0.01)
        return await calls


@pytest.mark.parametrize(("count", "limit"), [(60, 7), (200, 200)])
def test_the_server_counts_what_is_in_flight(models: Any, count: int, limit: int) -> None:
    order(models, "hold", share=1)
    assert asyncio.run(call_at_once(models, count, limit)) == [200] * count
    counts = models.get("models")
    (asked,) = [model for model in counts["models"] if model["id"] == "rehearsal"]
    assert (asked["calls"], asked["in_flight"], asked["gone"]) == (count, 0, 0)
    # Never more than the client's own limit; and all of it was used.
    assert asked["most_in_flight"] == counts["most_in_flight"] == limit


def test_a_held_call_may_be_left(models: Any, caller: httpx.Client) -> None:
    order(models, "hold")
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/chat/completions", json=CHAT, timeout=0.3)
    assert ask(caller).status_code == 200
    counts = models.get("models")
    assert (counts["gone"], counts["in_flight"]) == (1, 0)


def test_a_model_may_take_its_time(models: Any, caller: httpx.Client) -> None:
    models.post("models", id="late", latency_s=600)
    with pytest.raises(httpx.ReadTimeout):
        caller.post("/chat/completions", json={**CHAT, "model": "late"}, timeout=0.3)
    models.post("models", id="late", latency_s=0.02)
    assert ask(caller, model="late").status_code == 200


def test_counts_begin_again_on_request(models: Any, caller: httpx.Client) -> None:
    ask(caller)
    assert models.get("models")["calls"] == 1
    models.post("models/reset", parts=["counts"])
    counts = models.get("models")
    assert (counts["calls"], counts["prompt_tokens"], counts["statuses"]) == (0, 0, {})
    assert counts["processor_s"] > 0 and models.get("models/calls") == []


def test_every_fault_is_in_the_docs_and_in_a_test() -> None:
    documented = re.findall(
        r"^\| ((?:`[a-z0-9_]+`(?:, )?)+) \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE
    )
    names = {name for cell in documented for name in re.findall(r"`([a-z0-9_]+)`", cell)}
    assert set(KINDS) <= names, set(KINDS) - names
    tested = set(re.findall(r'"([a-z0-9_]+)"', Path(__file__).read_text(encoding="utf-8")))
    assert set(KINDS) <= tested, set(KINDS) - tested
