"""`rejoinder eval length`: agreement with twitter-text's cases, and files that are none."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from rejoinder.errors import ConfigInvalid
from resources.evaluation.conformance import check_lengths

SUITE = Path(__file__).parents[4] / "shared/data/x_twitter_text_conformance/validate.yml"
CASES = """
tests:
  WeightedTweetsWithDiscountedEmojiCounterTest:
    - description: "right"
      text: "abc"
      expected: {weightedLength: 3, valid: true}
    - description: "wrong on purpose"
      text: "abc"
      expected: {weightedLength: 4, valid: true}
"""


def test_a_case_that_differs_is_named_and_ends_with_exit_code_1(tmp_path: Path) -> None:
    path = tmp_path / "validate.yml"
    path.write_text(CASES)
    done = CliRunner().invoke(build_app(), ["eval", "length", "--data", str(path), "--json"])
    assert done.exit_code == 1
    [suite] = json.loads(done.stdout)["suites"]
    assert (suite["n_cases"], [case["description"] for case in suite["failed"]]) == (2, ["wrong on purpose"])
    shown = CliRunner().invoke(build_app(), ["eval", "length", "--data", str(path)])
    assert "wrong on purpose: expected 4, counted 3" in shown.output


@pytest.mark.parametrize(
    "text",
    ["- 1", "tests: {}", "a: [", "tests: {UnicodeDirectionalMarkerCounterTest: [{text: a}]}", "tests: 3"],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.yml"
    path.write_text(text)
    with pytest.raises(ConfigInvalid):
        check_lengths(path)


@pytest.mark.skipif(not SUITE.exists(), reason="the twitter-text suite is not here")
def test_every_case_of_configuration_3_comes_out_as_expected() -> None:
    results = check_lengths(SUITE)
    assert [(result.n_cases, result.failed) for result in results] == [(22, ()), (2, ())]
