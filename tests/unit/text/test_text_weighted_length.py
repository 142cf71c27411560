"""X's weighted length against twitter-text's own suite, and texts made to fit."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.weighted_length import fits, length_limit, trim_to, weighted_length

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
    assert fits(str(case["text"]), "x") == (expected["valid"] or has_invalid)


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
    assert fits("x" * 280, "x") and not fits("x" * 281, "x")
    assert fits("x" * 10_000, "reddit") and not fits("x" * 10_001, "reddit")
    with pytest.raises(ValueError, match="myspace"):
        length_limit("myspace")


def test_trimming_prefers_sentences_then_words_then_characters() -> None:
    text = "First one here. Second one follows. Third."
    assert trim_to(text, 1000) == text
    assert trim_to(text, 36) == "First one here. Second one follows."
    assert trim_to(text, 12) == "First one…"
    assert trim_to("Donaudampfschiff", 8) == "Donaud…"  # the ellipsis itself weighs 2
    assert trim_to("abc", 0) == ""


@given(st.text(max_size=300), st.integers(0, 120))
def test_trimmed_text_always_fits_and_is_a_beginning(text: str, limit: int) -> None:
    trimmed = trim_to(text, limit)
    assert weighted_length(trimmed) <= limit
    assert text.strip().startswith(trimmed.removesuffix("…"))


@given(st.text(max_size=200))
def test_length_is_between_zero_and_twice_the_characters_plus_links(text: str) -> None:
    assert 0 <= weighted_length(text) <= 2 * len(text) + 23 * text.count(".")
