"""What a person may decide, and what each refusal says to change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import DecisionInvalid
from rejoinder.ids import sha256_hex
from rejoinder.review.decisions import (
    REASON_LABELS,
    REJECT_REASONS,
    Approve,
    approve,
    reject,
    send_back,
)

SENDABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(str.strip)
BLANK = st.text(" \t\n\r\u2003", max_size=5)


@given(SENDABLE)
def test_an_approved_text_is_kept_word_for_word(text: str) -> None:
    decision = approve(text, measure=len, limit=len(text))
    assert decision == Approve(text)
    assert decision.text_sha256 == sha256_hex(text)


@given(SENDABLE, st.integers(1, 300))
def test_the_measure_decides_on_the_length(text: str, over: int) -> None:
    with pytest.raises(DecisionInvalid, match=f"is {280 + over} long .* takes 280: shorten it by {over}$"):
        approve(text, measure=lambda _: 280 + over, limit=280)


@given(BLANK)
def test_blank_words_decide_nothing(blank: str) -> None:
    with pytest.raises(DecisionInvalid, match="write a reply"):
        approve(blank, measure=len, limit=280)
    with pytest.raises(DecisionInvalid, match="say what the next draft"):
        send_back(blank)
    with pytest.raises(DecisionInvalid, match="say in a few words"):
        reject("other", blank)


@pytest.mark.parametrize("char", ["\0", "\ud800", "\udfff"])
def test_what_cannot_be_sent_is_pointed_at(char: str) -> None:
    with pytest.raises(DecisionInvalid, match="character 3 of the text"):
        approve(f"ab{char}", measure=len, limit=280)


@pytest.mark.parametrize("reason", REJECT_REASONS)
def test_every_reason_is_taken_and_has_a_label(reason: str) -> None:
    assert reject(reason, "why").reason == reason
    assert set(REASON_LABELS) == set(REJECT_REASONS)
    assert len(set(REASON_LABELS.values())) == len(REJECT_REASONS)


@given(st.text().filter(lambda reason: reason not in REJECT_REASONS))
def test_an_unknown_reason_is_told_the_known_ones(reason: str) -> None:
    with pytest.raises(DecisionInvalid) as refusal:
        reject(reason)
    assert all(known in str(refusal.value) for known in REJECT_REASONS)


def test_only_other_needs_a_note() -> None:
    assert reject("tone").note == ""
    assert reject("other", " off brand ").note == "off brand"
