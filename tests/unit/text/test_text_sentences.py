"""Sentences: abbreviations, numbers, quotes, other scripts; nothing but white space is lost."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.sentences import sentence_spans, split_sentences


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Dr. Smith met Mrs. Jones. They spoke.", ["Dr. Smith met Mrs. Jones.", "They spoke."]),
        (
            "It cost 3.5 dollars. See example.com/a. Fine.",
            ["It cost 3.5 dollars.", "See example.com/a.", "Fine."],
        ),
        ("He waited... then left. She stayed...", ["He waited... then left.", "She stayed..."]),
        ("Well... No. We won't.", ["Well...", "No.", "We won't."]),
        ("Take No. 5 and Fig. 3. Done.", ["Take No. 5 and Fig. 3.", "Done."]),
        ('"Why?" he asked. "Because."', ['"Why?" he asked.', '"Because."']),
        ("I live in the U.S. The rest is far.", ["I live in the U.S.", "The rest is far."]),
        ("The U.S. Senate voted. OK!", ["The U.S. Senate voted.", "OK!"]),
        ("J. R. Smith wrote it. So did I. And you?", ["J. R. Smith wrote it.", "So did I.", "And you?"]),
        ("Use e.g. Python, i.e. this. Yes?!", ["Use e.g. Python, i.e. this.", "Yes?!"]),
        ("これは文です。次の文！終わり", ["これは文です。", "次の文！", "終わり"]),
        ("هل هذا سؤال؟ نعم۔ حسنا", ["هل هذا سؤال؟", "نعم۔", "حسنا"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("A title\n\nThe body starts here", ["A title", "The body starts here"]),
        ("Two things:\n- one\n- two", ["Two things:", "- one", "- two"]),
        ("1. First point. 2. Second point.", ["1. First point.", "2. Second point."]),
        ("", []),
        (" \n ", []),
        ("...", ["..."]),
    ],
)
def test_sentences_are_those_a_reader_sees(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


@given(st.text(max_size=400))
def test_no_character_but_white_space_is_lost(text: str) -> None:
    assert "".join("".join(split_sentences(text)).split()) == "".join(text.split())


@given(st.text(alphabet="aB. !?…\n\"'()。12-", max_size=200))
def test_spans_are_in_order_and_apart(text: str) -> None:
    spans = sentence_spans(text)
    assert all(start < end for start, end in spans)
    assert all(before.end <= after.start for before, after in itertools.pairwise(spans))
