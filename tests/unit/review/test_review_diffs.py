"""Diffs of a draft and its edit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.review.diffs import DiffSpan, edit_distance_share, word_diff

WORDS = st.lists(st.sampled_from(["the", "12:04", "guest", "said", "—", ",", "\n", " ", "🇫🇷", "שלום"])).map(
    "".join
)
TEXTS = st.text() | WORDS


@given(TEXTS, TEXTS)
def test_both_texts_can_be_read_off_a_diff(before: str, after: str) -> None:
    spans = word_diff(before, after)
    assert "".join(span.text for span in spans if span.kind != "added") == before
    assert "".join(span.text for span in spans if span.kind != "removed") == after
    assert all(span.text for span in spans)


@given(TEXTS)
def test_an_unedited_text_shows_no_change(text: str) -> None:
    assert word_diff(text, text) == ((DiffSpan("same", text),) if text else ())
    assert edit_distance_share(text, text) == 0


@given(TEXTS, TEXTS)
def test_the_share_lies_between_0_and_1_and_is_symmetric(before: str, after: str) -> None:
    share = edit_distance_share(before, after)
    assert 0 <= share <= 1
    assert share == edit_distance_share(after, before)
    assert (share == 0) == (before == after)


def test_a_change_is_no_larger_than_the_words_it_touches() -> None:
    spans = word_diff("At 12:04 the guest says so.", "At 12:05 the guest says so!")
    assert [(span.kind, span.text) for span in spans if span.kind != "same"] == [
        ("removed", "04"),
        ("added", "05"),
        ("removed", "."),
        ("added", "!"),
    ]


def test_frequent_words_of_a_long_text_are_not_noise() -> None:
    """difflib drops words that make up over 1 % of 200 and more unless told not to."""
    before = "a b " * 200
    spans = word_diff(before, "x " + before)
    assert [span.text for span in spans if span.kind == "added"] == ["x "]
    assert not [span for span in spans if span.kind == "removed"]


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [("", "", 0), ("", "abc", 1), ("abc", "", 1), ("abcd", "abXd", 0.25), ("abc", "xyz", 1)],
)
def test_known_shares(before: str, after: str, share: float) -> None:
    assert edit_distance_share(before, after) == share
