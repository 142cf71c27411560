"""What servers do to a hosted model's call around the API: slowness, wrong pages, errors of many shapes."""

import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import httpx
import pytest
from hosted_server import Served, answer, completion
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.endpoints import Endpoint, ModelUri
from rejoinder.llm.requests import LlmRequest, Message, Sampling
from resources.llm.gateway.admitted import may_be_charged
from resources.llm.providers import hosted_wire
from resources.llm.providers.hosted import HostedClient, open_client
from resources.llm.providers.hosted_errors import Asked

KEY = "sk-proj-AbCdEf0123456789"
PROMPT = "Tell me whether asyncio is faster than threads are."
ASKED = LlmRequest("check", (Message("user", PROMPT),), None, Sampling(max_tokens=100))


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.close()


@pytest.fixture
def hosted(served: Served) -> HostedClient:
    return client_of(served.url)


def client_of(url: str, provider: str = "openai") -> HostedClient:
    return open_client(Endpoint("far", ModelUri(provider, "some-model"), url), SecretStr(KEY))


def failure(hosted: HostedClient, timeout_s: float = 20) -> ModelTrouble | ModelRefusal:
    with pytest.raises((ModelTrouble, ModelRefusal)) as raised:
        hosted.complete(ASKED, timeout_s)
    assert isinstance(raised.value, ModelTrouble | ModelRefusal)
    return raised.value


@pytest.mark.parametrize("at", [0, 150])
def test_a_server_that_drips_holds_nobody(served: Served, hosted: HostedClient, at: int) -> None:
    served.reply = answer(200, completion("Late."))
    assert hosted.complete(ASKED, 20).text == "Late."
    # Headers or body, a byte each tenth of a second: every single read is in time.
    served.drip_s, served.whole_first = 0.1, at
    began = time.monotonic()
    failed = failure(hosted, 0.5)
    # Far from the half minute that the whole answer takes.
    assert failed.kind == "timeout" and time.monotonic() - began < 10


def test_nobody_listens() -> None:
    served = Served()
    url = served.url
    served.close()
    failed = failure(client_of(url))
    assert failed.kind == "connection" and "could not be reached" in str(failed)
    assert failure(client_of("http://no-such-host.invalid")).kind == "connection"


@pytest.mark.parametrize("cut", [0, 20, -5])
def test_what_breaks_off_after_it_was_sent_may_be_charged(
    served: Served, hosted: HostedClient, cut: int
) -> None:
    served.reply = answer(200, completion("So."))[:cut]
    failed = failure(hosted)
    assert failed.kind == "connection" and may_be_charged(failed)
    served.reply = answer(200, "no reply")
    assert may_be_charged(failure(hosted))


def test_what_was_not_sent_or_is_refused_costs_nothing(served: Served, hosted: HostedClient) -> None:
    served.reply = answer(500, {"error": {"message": "broken"}})[:-5]
    assert not may_be_charged(failure(hosted))
    gone = client_of(served.url)
    served.close()
    assert not may_be_charged(failure(gone))
    assert not may_be_charged(failure(client_of("http://no-such-host.invalid")))


def test_a_server_that_reads_slowly_holds_nobody() -> None:
    stopped = threading.Event()

    def read_slowly(listening: socket.socket) -> None:
        with listening.accept()[0] as connection, suppress(OSError):
            while connection.recv(2**16) and not stopped.wait(0.01):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listening, hosted_wire.http_client(1) as asking:
        reader = threading.Thread(target=read_slowly, args=(listening,))
        reader.start()
        began = time.monotonic()
        with hosted_wire.exchange(0.5) as noted, pytest.raises(httpx.ReadTimeout):
            # Every single part is taken in time; all of them would take twenty seconds.
            asking.post(f"http://127.0.0.1:{listening.getsockname()[1]}", content=b"x" * 2**27)
        assert noted.failure == "timeout" and time.monotonic() - began < 10
        stopped.set()
        reader.join(10)


def test_no_redirect_is_followed(served: Served, hosted: HostedClient) -> None:
    other = Served()
    try:
        other.reply = answer(200, completion("Caught."))
        served.reply = answer(307, "", location=f"{other.url}/chat/completions")
        failed = failure(hosted)
        assert failed.kind == "request" and "base_url" in str(failed.fix) and other.requests == []
    finally:
        other.close()


def test_a_body_without_end_is_left(
    served: Served, hosted: HostedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hosted_wire, "LARGEST_BYTES", 2**20)
    served.reply = answer(200, completion("x" * 2**21))
    failed = failure(hosted)
    assert failed.kind == "server" and "MiB" in str(failed)


def test_a_compressed_body_is_not_unpacked(served: Served, hosted: HostedClient) -> None:
    served.reply = answer(200, b"\x1f\x8b\x08", content_encoding="gzip")
    assert failure(hosted).kind == "server"
    assert served.requests[0][1]["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"3", b'{"choices": null}', b'{"choices": {}}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_good_status_with_anything_else_is_trouble(
    served: Served, hosted: HostedClient, body: bytes
) -> None:
    served.reply = answer(200, body)
    assert failure(hosted).kind in {"server", "empty"}


def test_text_with_the_wrong_type_is_no_reply(served: Served, hosted: HostedClient) -> None:
    served.reply = answer(200, "All is well.", media_type="text/plain")
    failed = failure(hosted)
    assert failed.kind == "server" and "text/plain" in str(failed)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # The shapes of OpenAI, Anthropic, llama.cpp, vLLM, Ollama, Moonshot and Together.
        (400, {"error": {"message": "maximum context length is 8192", "code": "context_length_exceeded"}}, "context"),
        (400, {"error": {"message": "Your request was flagged", "code": "content_policy_violation"}}, "content"),
        (400, {"error": {"message": "n must be 1", "type": "invalid_request_error", "code": None}}, "request"),
        (404, {"error": {"message": "The model `m` does not exist", "code": "model_not_found"}}, "unknown_model"),
        (400, {"type": "error", "error": {"type": "e", "message": "prompt is too long"}}, "context"),
        (400, {"type": "error", "error": {"type": "e", "message": "Your credit balance is too low"}}, "key"),
        (404, {"type": "error", "error": {"type": "not_found_error", "message": "model: m"}}, "unknown_model"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "server"),
        (413, {"type": "error", "error": {"type": "request_too_large", "message": "too large"}}, "context"),
        (400, {"error": {"code": 400, "message": "m", "type": "exceed_context_size_error"}}, "context"),
        (503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "server"),
        (401, {"error": {"code": 401, "message": "Invalid API Key", "type": "authentication_error"}}, "key"),
        (404, {"object": "error", "message": "The model `m` does not exist.", "code": 404}, "unknown_model"),
        (404, {"detail": "Not Found"}, "request"),
        (404, {"error": "model 'm' not found"}, "unknown_model"),
        (429, {"error": {"type": "exceeded_current_quota_error", "message": "no balance"}}, "key"),
        (429, {"error": {"message": "You exceeded your current quota, check your billing details."}}, "key"),
        (429, {"error": {"message": "Limit: 3 / min. Visit https://x/account/billing to add a card."}}, "rate_limit"),
        (429, {"error": {"type": "engine_overloaded_error", "message": "busy"}}, "rate_limit"),
        (400, {"error": {"type": "invalid_request_error", "message": "exceeded model token limit"}}, "context"),
        (400, {"error": {"type": "content_filter", "message": "considered high risk"}}, "content"),
        (422, {"error": {"message": "`inputs` tokens + `max_new_tokens` must be <= 4097"}}, "context"),
        (402, {"error": {"message": "Payment required"}}, "key"),
        (405, "<html>no</html>", "request"),
        (403, "<html>blocked</html>", "key"),
        (504, "<html>late</html>", "server"),
        (400, {"error": ["a", "b"]}, "request"),
        (400, [1], "request"),
    ],
)  # fmt: skip
def test_errors_of_many_shapes_have_a_kind(
    served: Served, hosted: HostedClient, status: int, body: str | dict[str, object] | list[object], kind: str
) -> None:
    served.reply = answer(status, body)
    failed = failure(hosted)
    assert failed.kind == kind and str(status) in str(failed)


@pytest.mark.parametrize("provider", ["openai", "anthropic", "together", "ollama"])
def test_neither_key_nor_prompt_is_told(
    served: Served, provider: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    other = "AKIA0123456789abcdefghijklmnop"
    message = f"Bad: '{KEY}', sk-pr****6789, Bearer {other}, {other} in {PROMPT.upper()} or {PROMPT[:30]}"
    served.reply = answer(400, {"error": {"message": message + " and so on" * 100, "code": "odd"}})
    with caplog.at_level(logging.DEBUG):
        failed = failure(client_of(served.url, provider))
    told = f"{failed!r} {failed.fix} {failed.__cause__} {caplog.text} {capfd.readouterr()}"
    for secret in (KEY, "6789", other, PROMPT, PROMPT[:30]):
        assert secret not in told
    assert "Bad: '[key]'" in str(failed) and "[prompt]" in str(failed) and len(str(failed)) < 500


def test_what_a_server_sends_back_is_not_read_whole(served: Served, hosted: HostedClient) -> None:
    prompt = " ".join(map(str, range(100_000)))
    asked = LlmRequest("check", (Message("user", prompt),), None, Sampling(max_tokens=100))
    served.reply = answer(400, {"error": {"message": f"Bad: {prompt} {'a' * 500_000}"}})
    with pytest.raises(ModelRefusal) as raised:
        hosted.complete(asked, 20)
    assert "[prompt]" in str(raised.value) and prompt[:20] not in str(raised.value)


@pytest.mark.parametrize("key", ["sk-a\nb", "sk-\u201cab\u201d", "sk-a\x00b"])
def test_what_can_be_no_key_is_told_without_it(served: Served, key: str) -> None:
    endpoint = Endpoint("far", ModelUri("openai", "m"), served.url, key_name="shared")
    with pytest.raises(ConfigInvalid, match="REJOINDER_KEY_SHARED") as raised:
        open_client(endpoint, SecretStr(key))
    assert key not in f"{raised.value} {raised.value.fix}"


def test_the_variable_that_is_looked_at_is_named(served: Served) -> None:
    with pytest.raises(ConfigInvalid, match="set REJOINDER_KEY_SHARED "):
        open_client(Endpoint("far", ModelUri("openai", "m"), key_name="shared"), None)
    served.reply = answer(401, {"error": {"message": "no"}})
    failed = failure(
        open_client(Endpoint("far", ModelUri("openai", "m"), served.url, key_name="shared"), None)
    )
    assert "REJOINDER_KEY_SHARED" in str(failed.fix)


def test_whom_was_asked_what_shows_no_secret() -> None:
    assert KEY not in repr(Asked("far", "V", 1.0, KEY, [PROMPT])) and PROMPT not in repr(
        Asked("far", "V", 1.0, KEY, [PROMPT])
    )


def test_nothing_is_logged_of_an_answered_call(
    served: Served, hosted: HostedClient, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    served.reply = answer(200, completion("Yes it is."))
    with caplog.at_level(logging.DEBUG):
        assert hosted.complete(ASKED, 20).text == "Yes it is."
    told = f"{caplog.text} {capfd.readouterr()} {hosted!r}"
    assert KEY not in told and PROMPT not in told and "Yes it is." not in told


def test_calls_of_many_threads_keep_their_own_time(served: Served, hosted: HostedClient) -> None:
    served.reply, served.drip_s, served.whole_first = answer(200, completion("Late.")), 0.02, 200
    kinds: list[str] = []
    # The others have time enough for the whole answer.
    times = [0.3, 60, 0.3, 60, 60]

    def ask(timeout_s: float) -> None:
        try:
            kinds.append(hosted.complete(ASKED, timeout_s).text)
        except ModelTrouble as trouble:
            kinds.append(trouble.kind)

    threads = [threading.Thread(target=ask, args=(timeout_s,)) for timeout_s in times]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert sorted(kinds) == ["Late."] * 3 + ["timeout"] * 2
