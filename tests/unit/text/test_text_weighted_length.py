"""X's weighted length against twitter-text's own suite, and the limits."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.weighted_length import length_limit, weighted_length

SUITE = Path(__file__).parents[4] / "shared/data/x_twitter_text_conformance/validate.yml"


def cases(name: str) -> list[dict[str, object]]:
    if not SUITE.exists():
        return []
    return list(yaml.safe_load(SUITE.read_text(encoding="utf-8"))["tests"][name])


@pytest.mark.skipif(not SUITE.exists(), reason="the twitter-text suite is not here")
@pytest.mark.parametrize(
    "case",
    cases("WeightedTweetsWithDiscountedEmojiCounterTest") + cases("UnicodeDirectionalMarkerCounterTest"),
    ids=lambda case: str(case["description"])[:60],
)
def test_twitter_text_v3_suite(case: dict[str, object]) -> None:
    expected = case["expected"]
    assert isinstance(expected, dict)
    assert weighted_length(str(case["text"])) == expected["weightedLength"]
    has_invalid = any(mark in str(case["text"]) for mark in "\ufffe\uffff")
    assert (weighted_length(str(case["text"])) <= 280) == (expected["valid"] or has_invalid)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", 0),
        ("abc", 3),
        ("á", 1),
        ("a\u0301", 1),
        ("日本", 4),
        ("👍🏽", 2),
        ("🇫🇷🇩🇪", 4),
        ("1️⃣", 2),
        ("©", 1),
        ("©️", 2),
        ("‘q’", 3),
        ("see example.com.", 4 + 23 + 1),
        ("mail ada@example.com", 20),
        ("e.g. this", 9),
    ],
)
def test_weights(text: str, expected: int) -> None:
    assert weighted_length(text) == expected


def test_limits_of_platforms() -> None:
    assert length_limit("x") == (280, weighted_length)
    assert length_limit("reddit") == (10_000, len)
    with pytest.raises(ValueError, match="myspace"):
        length_limit("myspace")


@given(st.text(max_size=200))
def test_length_is_between_zero_and_twice_the_characters_plus_links(text: str) -> None:
    assert 0 <= weighted_length(text) <= 2 * len(text) + 23 * text.count(".")
