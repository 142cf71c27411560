"""Which sentences of a conversation can be read without it, and what is cut off them."""

import json
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.standing_alone import standing
from rejoinder.corpus.trimming import trimmed

GOLD = json.loads((Path(__file__).parent / "gold_standing.json").read_text("utf-8"))


def test_what_can_be_read_alone_stands_above_what_leans() -> None:
    """Share of the pairs of our gold set that are in the right order (the area under the ROC curve)."""
    pairs = list(product(GOLD["alone"], GOLD["leaning"]))
    share = sum(standing(alone) > standing(leaning) for alone, leaning in pairs) / len(pairs)
    assert len(pairs) == 400 and share >= 0.98


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("Ink keeps the pressure of a stroke.", "Ink keeps that pressure of those strokes."),
        ("Ink keeps the pressure of a stroke.", "You keep your pressure of a stroke."),
        ("Ink keeps the pressure of a stroke.", "Then ink keeps the pressure of a stroke."),
        ("Ink keeps the pressure of a stroke.", "The pressure of a stroke that ink keeps on paper."),
        ("Ink keeps the pressure of a stroke.", "Ink is like the pressure of a stroke, like, really."),
    ],
)
def test_each_sign_weighs(better: str, worse: str) -> None:
    assert standing(better) > standing(worse)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (
            "I think that ink keeps the pressure of a pen on paper.",
            "Ink keeps the pressure of a pen on paper.",
        ),
        ("Ink keeps the pressure of a pen on paper, right.", "Ink keeps the pressure of a pen on paper."),
        (
            "Ink keeps the pressure of a pen on paper, and so that's what you see there.",
            "Ink keeps the pressure of a pen on paper.",
        ),
        ("Ink is fast here, but only if the pen is new.", "Ink is fast here, but only if the pen is new."),
        ("The idea is of value to you.", "The idea is of value to you."),
    ],
)
def test_what_belongs_to_no_claim_is_cut_off(text: str, left: str) -> None:
    assert trimmed(text, standing) == left


@given(st.text(st.sampled_from("abI ,.;!-'"), max_size=80))
def test_what_is_left_is_a_run_of_the_text(text: str) -> None:
    left = trimmed(text, standing)
    assert left[1:].rstrip(".!") in text and len(left) <= len(text) + 1
