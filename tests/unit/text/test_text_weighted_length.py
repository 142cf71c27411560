"""X's weighted length against twitter-text's own suite, and the limits."""

import unicodedata
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.weighted_length import is_valid_on_x, length_limit, weighted_length

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
    assert is_valid_on_x(str(case["text"])) == expected["valid"]


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
    assert length_limit("forum") == (280, len), "a platform of another package"


@given(st.text(max_size=200))
def test_length_is_between_zero_and_twice_the_characters_plus_links(text: str) -> None:
    assert 0 <= weighted_length(text) <= 2 * len(text) + 23 * text.count(".")


@given(st.text(max_size=200))
def test_the_length_does_not_depend_on_how_characters_are_composed(text: str) -> None:
    forms = {weighted_length(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")}
    assert forms == {weighted_length(text)}


@given(st.lists(st.text("abcxyz \u00e9", max_size=40), max_size=6))
def test_light_words_without_dots_count_one_a_character(words: list[str]) -> None:
    text = " ".join(words)
    assert weighted_length(text) == len(text)


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), max_size=200))
def test_chinese_counts_two_a_character(text: str) -> None:
    assert weighted_length(text) == 2 * len(text)
    assert is_valid_on_x(text) == (0 < len(text) <= 140)


@given(st.from_regex(r"[a-z0-9/_?=-]{0,300}", fullmatch=True))
def test_a_link_counts_the_same_however_long(path: str) -> None:
    assert weighted_length(f"see https://example.com/{path}") <= 4 + 23 + len(path)
    assert weighted_length("https://example.com/" + "a" * len(path)) == 23
