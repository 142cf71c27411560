"""Near-duplicates, scripts and direction, and posts with nothing to answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.emptiness import readable_reason
from rejoinder.text.languages import is_right_to_left, script_shares
from rejoinder.text.near_duplicates import most_similar, similarity


def test_links_case_and_punctuation_do_not_count() -> None:
    assert similarity("Great point! https://t.co/a", "great POINT") == 1.0
    assert similarity("Great point", "Something else entirely") < 0.5


def test_texts_of_nothing_but_links_compare_as_they_are() -> None:
    assert similarity("https://t.co/a", "https://t.co/b") == 0.0
    assert similarity("!!!", "!!!") == 1.0


def test_most_similar_names_its_position() -> None:
    found = most_similar("a b c d", ["x y z", "a b c d!", "a b"])
    assert found is not None and (found.position, found.similarity) == (1, 1.0)
    assert most_similar("a", []) is None
    only_link = most_similar("https://t.co/a", ["word", "https://t.co/a"])
    assert only_link is not None and only_link.position == 1


@given(st.text(max_size=80), st.text(max_size=80))
def test_similarity_is_symmetric_and_bounded(first: str, second: str) -> None:
    assert 0.0 <= similarity(first, second) <= 1.0
    assert similarity(first, second) == pytest.approx(similarity(second, first))
    assert similarity(first, first) == 1.0


@given(st.text(max_size=100))
def test_script_shares_sum_to_one(text: str) -> None:
    shares = script_shares(text)
    assert not shares or sum(shares.values()) == pytest.approx(1.0)


def test_scripts_and_direction() -> None:
    assert next(iter(script_shares("東京 is big"))) == "Latin"
    assert script_shares("123 !") == {}
    assert is_right_to_left("مرحبا بالعالم hello")
    assert not is_right_to_left("hello مرحبا world again")
    assert not is_right_to_left("")


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "empty"),
        (" \n\u200b\ufeff", "empty"),
        ("😀🎉👨‍👩‍👧", "only emoji"),
        ("1️⃣ 2️⃣", "only emoji"),
        ("🇫🇷", "only emoji"),
        ("https://example.com/a b.com", "only a link"),
        ("https://example.com/a?b=c", "only a link"),
        ("https://example.com https://example.org", "only a link"),
        ("😀 https://t.co/a", "only a link and emoji"),
        ("@ada @bob", "only mentions"),
        ("#python #ai", "only hashtags"),
        ("@ada #python", "only mentions and hashtags"),
        ("?!...", "only punctuation"),
        ("ok", None),
        ("42", None),
        ("@ada what?", None),
        ("مرحبا", None),
        ("x" * 10_000, None),
    ],
)
def test_reason_why_a_post_cannot_be_answered(text: str, reason: str | None) -> None:
    assert readable_reason(text) == reason
