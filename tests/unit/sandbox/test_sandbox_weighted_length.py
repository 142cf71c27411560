"""The sandbox's own counter against the published conformance cases."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from resources.sandbox.weighted_length import LIMIT, weighted_length

SUITES = ("WeightedTweetsWithDiscountedEmojiCounterTest", "UnicodeDirectionalMarkerCounterTest")


@pytest.fixture(scope="module")
def conformance(data_dir: Path) -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    path = data_dir / "x_twitter_text_conformance" / "validate.yml"
    if not path.is_file():
        pytest.skip("the conformance cases are not on this machine")
    tests = yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
    return [case for suite in SUITES for case in tests[suite]]


def test_conformance_cases(conformance: list[dict[str, Any]]) -> None:
    assert len(conformance) == 24
    wrong = [
        (case["description"], weighted_length(case["text"]), case["expected"]["weightedLength"])
        for case in conformance
        if weighted_length(case["text"]) != case["expected"]["weightedLength"]
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("", 0),
        ("a", 1),
        ("é", 1),
        ("e\u0301", 1),
        ("語", 2),
        ("👩‍👩‍👧‍👦", 2),
        ("🇩🇪", 2),
        ("see https://example.com/a/very/long/path?with=query#and-more, ok", 4 + 23 + 4),
        ("example.com", 23),
        ("bit.ly/abc, foo.jp and foo.co.uk", 23 + 2 + 23 + 5 + 23),
        ("a name.baz", 10),
        ("日本語t.co/abc", 6 + 23),
        ("mail me@example.com", 19),
        ("v1.2.3", 6),
        ("a" * LIMIT, LIMIT),
    ],
)
def test_weights(text: str, weight: int) -> None:
    assert weighted_length(text) == weight


@settings(deadline=None)
@given(st.text(max_size=300))
def test_any_text_has_a_length(text: str) -> None:
    assert 0 <= weighted_length(text) <= 23 * len(text) + 2 * len(text)
