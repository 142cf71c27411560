"""Whether the corpus answers: a rule per embedding model, and a plain word where there is none."""

import numpy as np
import pytest

from rejoinder.corpus.shaping.citations import number_lines
from rejoinder.corpus.shaping.merging import Stretch
from rejoinder.corpus.shaping.prompt_context import PromptContext, TokenCounts
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId
from rejoinder.research.answer_rules import (
    FITTED,
    AnswerRule,
    Signs,
    SignWeights,
    answer_rule,
    not_fitted,
    probability,
)
from rejoinder.research.answers import QuotingAnswerer, read_context
from resources.health import answers_finding
from resources.llm.shelf import MODELS


@pytest.mark.parametrize("model", [known.encoder.uri for known in MODELS])
def test_every_model_that_can_be_named_has_weights_of_its_own(model: str) -> None:
    rule = answer_rule(model, at_least=0.4, k=2)
    assert rule.is_fitted and rule.weights is FITTED[model] and (rule.at_least, rule.k) == (0.4, 2)
    assert answers_finding(model).verdict == "ok"


@pytest.mark.parametrize("weights", FITTED.values(), ids=FITTED)
def test_nothing_found_is_no_answer_and_everything_found_is_one(weights: SignWeights) -> None:
    rule = AnswerRule(weights)
    assert probability(Signs(0.0, 0.0, 0.0), rule) < 0.05
    assert probability(Signs(1.0, 1.0, 1.0), rule) > 0.95


def test_a_model_without_weights_is_named_where_it_judges_and_by_the_doctor() -> None:
    assert not answer_rule("onnx::other", at_least=0.5, k=3).is_fitted
    finding = answers_finding("onnx::other")
    assert finding.verdict == "warn" and finding.detail == not_fitted("onnx::other")
    assert "answers.at_least was not fitted for onnx::other" in finding.detail and finding.fix


class CloseEmbedder:
    """Vectors whose cosines all lie between 0.8 and 1, as some models' do."""

    model, dim = "test::close", 3
    sides = ("heap", "backup")

    def embed(self, texts: list[str], role: str = "passage") -> np.ndarray:
        rows = np.array(
            [[2.0, *(float(word in text) for word in self.sides)] for text in texts], dtype=np.float32
        )
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def test_cosines_count_from_the_models_floor_on() -> None:
    said = ["Turn the heap every week to bring air in.", "Restore every backup once to know that it works."]
    passages = [
        Passage(ChunkId(i), SourceId(i), "Show", None, text, 0.0, 9.0, (), 1.0, dense=0.85)
        for i, text in enumerate(said)
    ]
    lines = number_lines([Stretch((passage,)) for passage in passages])
    rule = AnswerRule(SignWeights(-2.0, 1.0, 1.0, 1.0, cosine_floor=0.8), share_of_best=0.0)
    reading = read_context("heap", lines, embedder=CloseEmbedder(), rarity={}, rule=rule)
    assert reading.signs.passage_cosine == pytest.approx(0.25)
    assert [round(one.closeness, 2) for one in reading.candidates] == [1.0, 0.0]
    context = PromptContext("heap", lines, (), TokenCounts(0, 0, 0))
    # Sentences on different things stay apart although the cosine of the two is 0.8.
    assert QuotingAnswerer(rule).answer(reading, context).count("[E") == 2
