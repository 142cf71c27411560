"""An embedding endpoint as an embedder: what every embedder promises, batches, faults, limits and money."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from hosted_server import Served, answer
from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal, ModelTrouble
from rejoinder.llm.backoff import Backoff
from rejoinder.llm.endpoints import Endpoint, ModelUri, Price
from rejoinder.llm.ports import CountingEmbedder, Embedded
from rejoinder.llm.requests import LlmRequest
from resources.llm import hosted_embedder
from resources.llm.embedding_endpoints import shelf_of, usd_per_mtok
from resources.llm.hosted_embedder import HostedEmbedder
from resources.llm.providers.hosted_embeddings import EmbeddingClient
from resources.sandbox.openai_faults import KINDS
from resources.tuning import Tuning

DIM = 64
TEXTS = ("Temporal runs durable workflows.", "", "A cat.", "שלום עולם", "ink and paper " * 40, "😀")


@dataclass
class Open:
    """Lets everything through and keeps what was estimated and settled."""

    estimates: list[float] = field(default_factory=list)
    settled: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def admit(
        self,
        endpoint: Endpoint,
        request: LlmRequest,
        *,
        estimate_usd: float,
        deadline: float,
        patience_s: float = 0.0,
        look: object = None,
    ) -> Iterator["Open"]:
        assert request.task == "embed"
        self.estimates.append(estimate_usd)
        yield self

    def settle(self, outcome: str, cost_usd: float, error: str | None = None) -> None:
        self.settled.append((outcome, cost_usd))


class Waits(list[float]):
    """What was waited, in seconds, without waiting."""


def embedder_at(
    url: str, key: str, *, dim: int = DIM, model: str = "rehearsal-embedding", **more: Any
) -> HostedEmbedder:
    endpoint = Endpoint(
        "vectors", ModelUri("openai", model), url, frozenset({"embed"}), price=Price(2.0, 0.0), **more
    )
    client = EmbeddingClient(endpoint, dim, SecretStr(key))
    waits = Waits()
    return HostedEmbedder(
        endpoint, dim, client, Open(), Backoff(3, 0.5, 30), lambda: 0.0, waits.append, lambda: 1.0
    )


@pytest.fixture
def embedder(models: Any) -> HostedEmbedder:
    models.post("models", id="rehearsal-embedding", kind="embedding", dimensions=DIM)
    made = embedder_at(f"{models.url}/openai/v1", models.get("credentials")["openai"]["api_key"])
    # The first call imports what it needs, which is no part of any time-out below.
    made.embed(["warm"])
    models.post("models/reset", parts=["counts"])
    return replace(made, admission=Open())


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.close()


def opened(embedder: HostedEmbedder) -> Open:
    assert isinstance(embedder.admission, Open)
    return embedder.admission


def test_rows_are_unit_vectors_of_the_stated_width(embedder: HostedEmbedder) -> None:
    counting: CountingEmbedder = embedder
    vectors, n_tokens = counting.embed_counted(TEXTS)
    assert vectors.shape == (len(TEXTS), DIM) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)
    assert n_tokens > 140 and counting.embed([]).shape == (0, DIM)


def test_a_text_has_one_vector_in_any_company_and_place(embedder: HostedEmbedder) -> None:
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    many = embedder.embed([*TEXTS[::-1], *[f"Sentence number {i}." for i in range(60)]])
    assert np.array_equal(many[: len(TEXTS)][::-1], alone)


def test_texts_go_in_batches_of_so_many_texts_and_tokens(
    models: Any, embedder: HostedEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedder.embed([f"Text {i}." for i in range(70)])
    assert models.get("models")["calls"] == 3 and len(opened(embedder).settled) == 3
    monkeypatch.setattr(hosted_embedder, "MOST_TOKENS", 10)
    models.post("models/reset", parts=["counts"])
    # One of them is over the limit by itself, and goes by itself.
    embedder.embed(["four words are here", "a b c", "longer " * 20, "a b c", "a b c"])
    assert models.get("models")["calls"] == 3


def test_what_is_read_is_paid_for(embedder: HostedEmbedder) -> None:
    n_tokens = embedder.embed_counted(["So many words are read."]).n_tokens
    ((outcome, cost_usd),) = opened(embedder).settled
    assert outcome == "ok" and cost_usd == pytest.approx(n_tokens * 2e-6)
    assert opened(embedder).estimates[0] >= n_tokens * 2e-6


# What each fault comes to for vectors: "ok", or the kind of the error: after three calls, at once where it refuses.
OUTCOMES: dict[str, str] = {
    **dict.fromkeys(("slow", "slow_stream", "hold", "hang", "stall", "408"), "timeout"),
    **dict.fromkeys(("drop", "drop_mid", "truncated"), "connection"),
    **dict.fromkeys(("stream_error", "invalid_json", "html", "html_200", "500", "502", "503", "529"), "server"),
    **dict.fromkeys(("429", "429_http_date", "429_ratelimit", "429_no_headers"), "rate_limit"),
    **dict.fromkeys(("insufficient_quota", "401", "403"), "key"),
    "context_overflow": "context",
    "unknown_model": "unknown_model",
    "too_few": "server",
    "wrong_dimensions": "request",
    # These are of texts that are written, so nothing happens to vectors.
    **dict.fromkeys(("wrong_schema", "fenced", "prose", "not_json", "cut_off", "refusal", "empty"), "ok"),
    **dict.fromkeys(("content_filter", "no_choices", "no_usage", "wrong_usage"), "ok"),
}  # fmt: skip
REFUSALS = {"key", "context", "unknown_model", "request"}


def test_every_fault_has_an_outcome() -> None:
    assert set(OUTCOMES) == set(KINDS)


@pytest.mark.parametrize("kind", OUTCOMES)
def test_a_fault_comes_to_one_outcome(models: Any, embedder: HostedEmbedder, kind: str) -> None:
    models.post("models/faults", kind=kind, delay_s=600, retry_after_s=1, times=3)
    outcome, n_calls = OUTCOMES[kind], 3
    is_slow = outcome == "timeout" and kind != "408"
    embedder = replace(embedder, endpoint=replace(embedder.endpoint, timeout_s=0.3 if is_slow else 30))
    if outcome == "ok":
        assert embedder.embed(["one", "two"]).shape == (2, DIM)
        n_calls = 1
    else:
        with pytest.raises((ModelTrouble, ModelRefusal)) as raised:
            embedder.embed(["one words of a text", "two"])
        failure = raised.value
        assert isinstance(failure, ModelTrouble | ModelRefusal) and failure.kind == outcome
        assert "vectors (openai::rehearsal-embedding)" in str(failure) and "one words" not in str(failure)
        n_calls = 1 if outcome in REFUSALS else 3
    assert models.get("models")["calls"] == n_calls
    assert [settled for settled, _ in opened(embedder).settled] == [outcome] * n_calls


def test_trouble_that_passes_is_waited_out(models: Any, embedder: HostedEmbedder) -> None:
    models.post("models/faults", kind="429", retry_after_s=2)
    models.post("models/faults", kind="503")
    assert embedder.embed(["one"]).shape == (1, DIM)
    assert embedder.sleep.__self__ == [2.5, 1.0]  # type: ignore[attr-defined]
    assert opened(embedder).settled[:2] == [("rate_limit", 0.0), ("server", 0.0)]


def vectors_of(*rows: Any, indexes: Sequence[Any] | None = None) -> dict[str, Any]:
    places = indexes if indexes is not None else range(len(rows))
    data = [
        {"object": "embedding", "index": i, "embedding": row} for i, row in zip(places, rows, strict=True)
    ]
    return {"object": "list", "model": "m", "data": data, "usage": {"prompt_tokens": 5, "total_tokens": 5}}


def test_order_is_that_of_the_indexes(served: Served) -> None:
    served.reply = answer(200, vectors_of([0.0, 3.0], [4.0, 0.0], indexes=[1, 0]))
    assert embedder_at(served.url, "k", dim=2).embed(["a", "b"]).tolist() == [[1, 0], [0, 1]]
    served.reply = answer(200, vectors_of([0.0, 3.0], [4.0, 0.0], indexes=[None, None]))
    assert embedder_at(served.url, "k", dim=2).embed(["a", "b"]).tolist() == [[0, 1], [1, 0]]


@pytest.mark.parametrize(
    "reply",
    [
        vectors_of([float("nan"), 1.0], [1.0, 0.0]),
        vectors_of([float("inf"), 1.0], [1.0, 0.0]),
        vectors_of([0.0, 0.0], [1.0, 0.0]),
        vectors_of([1.0, 0.0], [1.0, 0.0], indexes=[0, 0]),
        vectors_of([1.0, 0.0], [1.0, 0.0], indexes=[0, 2]),
        vectors_of([1.0, 0.0]),
        vectors_of([1.0, 0.0], None),
        vectors_of([1.0, 0.0], "AACAPwAAAAA="),
        vectors_of([1.0, 0.0], [1.0, None]),
        {"object": "list", "data": None},
        {"data": [1, 2]},
        [1],
    ],
)
def test_what_is_no_vector_is_not_taken_for_one(served: Served, reply: Any) -> None:
    served.reply = answer(200, json.dumps(reply))
    with pytest.raises(ModelTrouble) as raised:
        embedder_at(served.url, "k", dim=2).embed(["a", "b"])
    assert raised.value.kind == "server" and len(served.requests) == 3


def test_vectors_that_cannot_be_used_are_paid_for_too(served: Served) -> None:
    served.reply = answer(200, json.dumps(vectors_of([0.0, 0.0])))
    embedder = embedder_at(served.url, "k", dim=2)
    with pytest.raises(ModelTrouble):
        embedder.embed(["a"])
    # Five tokens, at two dollars a million, three times.
    assert [kind for kind, _ in opened(embedder).settled] == ["server"] * 3
    assert [usd for _, usd in opened(embedder).settled] == pytest.approx([1e-5] * 3)


def test_another_length_names_the_setting(served: Served) -> None:
    served.reply = answer(200, vectors_of([1.0, 0.0, 0.0]))
    with pytest.raises(ModelRefusal) as raised:
        embedder_at(served.url, "k", dim=2).embed(["a"])
    assert "dim = 3" in str(raised.value.fix) and len(served.requests) == 1


def test_what_is_sent(served: Served) -> None:
    served.reply = answer(200, vectors_of([1.0, 0.0], [1.0, 0.0]))
    embedder_at(served.url, "k", dim=2).embed(["a", ""])
    line, headers, body = served.requests[0]
    assert line.startswith("POST /embeddings ") and headers["authorization"] == "Bearer k"
    # Services refuse an empty text.
    assert body == {"model": "rehearsal-embedding", "input": ["a", " "], "encoding_format": "float"}
    embedder_at(served.url, "k", dim=2, model="text-embedding-3-small").embed(["a", "b"])
    assert served.requests[1][2]["dimensions"] == 2


def test_a_model_that_was_taught_prefixes_gets_them(served: Served) -> None:
    served.reply = answer(200, vectors_of([1.0, 0.0]))
    embedder = embedder_at(served.url, "k", dim=2, model="intfloat/multilingual-e5-large")
    embedder.embed(["a"]), embedder.embed(["a"], "query")
    assert [request[2]["input"] for request in served.requests] == [["passage: a"], ["query: a"]]


def test_a_text_counts_by_what_the_model_reads_of_it(served: Served) -> None:
    served.reply = answer(200, vectors_of([1.0, 0.0]))
    embedder_at(served.url, "k", dim=2, context_tokens=300).embed(["ä" * 1000])
    sent = served.requests[0][2]["input"][0]
    assert set(sent) == {"ä"} and 250 < len(sent.encode()) <= 300


def test_endpoints_with_the_same_model_share_an_index() -> None:
    own = {
        "uri": "openai::text-embedding-3-small",
        "capabilities": ["embed"],
        "price_in": 0.02,
        "price_out": 0,
    }
    tuning = Tuning.model_validate(
        {
            "endpoints": {
                "first": {**own, "dim": 1536, "price_in": 0.03},
                "second": {**own, "dim": 1536, "base_url": "http://localhost:1"},
                "short": {**own, "dim": 512},
            },
            "embedding": {"model": "first"},
        }
    )
    shelf = shelf_of(tuning)
    assert shelf.uri_of("first") == shelf.uri_of("second") == "openai::text-embedding-3-small"
    assert shelf.uri_of("short") == "openai::text-embedding-3-small@512"
    assert shelf.uri_of("all-MiniLM-L6-v2").startswith("onnx::")
    assert usd_per_mtok(tuning, "openai::text-embedding-3-small") == 0.03
    with pytest.raises(
        ConfigInvalid, match="there are: all-MiniLM-L6-v2, multilingual-e5-small, first, second, short"
    ):
        shelf.uri_of("third")
    with pytest.raises(ConfigInvalid, match="where the database counts its calls"):
        shelf.named("first")


def test_a_provider_without_embeddings_says_so() -> None:
    with pytest.raises(ConfigInvalid, match="anthropic has no embeddings"):
        EmbeddingClient(Endpoint("far", ModelUri("anthropic", "m")), 2, SecretStr("k"))


@dataclass
class Broken:
    """A client that fails otherwise than a client should."""

    def embed_once(self, texts: Sequence[str], timeout_s: float) -> Embedded:
        raise KeyError("data")

    def count_tokens(self, text: str) -> int | None:
        return None


def test_a_call_whose_client_broke_counts_with_all_it_reserved() -> None:
    broken = replace(embedder_at("http://127.0.0.1:9/v1", "k"), client=Broken())
    with pytest.raises(KeyError):
        broken.embed(["One."])
    ((outcome, cost_usd),) = opened(broken).settled
    assert outcome == "error" and cost_usd > 0
