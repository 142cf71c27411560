"""Texts become parts by one rule, and what is too long is cut where a reader would: nothing is lost on the way."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.policy import default_policy
from rejoinder.posting.threads import (
    most_parts,
    parts_of,
    propose_parts,
    text_of,
    thread_price_usd,
)
from rejoinder.review.wording import as_sent
from rejoinder.text.links import find_links
from rejoinder.text.weighted_length import weighted_length

WORDS = st.sampled_from(
    [
        "It", "works,", "below", "zero.", "Really?", "See", "12:04", "https://example.org/a/long/page?t=724s",
        "example.com/x.", "日本語。", "👨‍👩‍👧‍👦", "Dr.", "Smith", "café\u0301", "-", "---", "1/3", "x" * 90,
    ]
)  # fmt: skip
GAPS = st.sampled_from([" ", " ", " ", "  ", "\n", "\n\n", "\n---\n"])
TEXTS = st.lists(st.tuples(WORDS, GAPS), min_size=1, max_size=60).map(
    lambda pairs: "".join(word + gap for word, gap in pairs)
)


def words_of(text: str) -> list[str]:
    """The words without the lines that divide parts."""
    return [word for line in as_sent(text).split("\n") if line.strip() != "---" for word in line.split()]


@given(TEXTS | st.text(max_size=200))
def test_parts_keep_every_word_in_order(text: str) -> None:
    parts = parts_of(text, "x")
    assert [word for part in parts for word in words_of(part)] == words_of(text)
    assert all(part == as_sent(part) for part in parts)


@given(TEXTS | st.text(max_size=200))
def test_the_text_of_parts_has_the_same_parts(text: str) -> None:
    parts = parts_of(text, "x")
    assert parts_of(text_of(parts), "x") == parts or not any(words_of(part) for part in parts)


@given(TEXTS, st.booleans())
def test_a_proposed_split_fits_and_loses_nothing(text: str, is_numbered: bool) -> None:
    try:
        parts = propose_parts(text, "x", is_numbered=is_numbered)
    except DecisionInvalid as error:
        assert re.search(r"shorten it|too long", str(error))
        return
    assert len(parts) <= most_parts("x")
    assert all(weighted_length(part) <= 280 for part in parts)
    bare = [
        part.removesuffix(f" {place}/{len(parts)}") if is_numbered and len(parts) > 1 else part
        for place, part in enumerate(parts, 1)
    ]
    assert [word for part in bare for word in re.sub(r"\s", "", part)] == [
        word for word in "".join(words_of(text))
    ] or "---" in "".join(bare)
    if is_numbered and len(parts) > 1:
        assert all(part.endswith(f" {n}/{len(parts)}") for n, part in enumerate(parts, 1))


@given(TEXTS)
def test_no_word_and_no_link_is_cut(text: str) -> None:
    assume("日本語" not in text)  # written without gaps: its sentences end inside what looks like one word
    try:
        parts = propose_parts(text, "x")
    except DecisionInvalid:
        return
    whole = {word for word in words_of(text)} | {"---"}
    assert {word for part in parts for word in part.split()} <= whole
    links = {text_of([part])[start:end] for part in parts for start, end in find_links(part)}
    assert links <= {as_sent(text)[start:end] for start, end in find_links(as_sent(text))}


def test_a_cut_prefers_the_end_of_a_sentence() -> None:
    first, second = "One sentence of some words here. " * 8, "And another one that follows it. " * 3
    parts = propose_parts(first + second, "x")
    assert len(parts) == 2 and all(part.endswith(".") for part in parts)


def test_only_x_takes_threads() -> None:
    assert {most_parts(platform) for platform in ("reddit", "linkedin", "discord", "forum")} == {1}
    assert parts_of("**a**\n\n---\n\nb", "reddit") == ("**a**\n\n---\n\nb",)
    with pytest.raises(DecisionInvalid, match="takes 1"):
        propose_parts("word " * 3000, "reddit")


def test_a_word_that_fits_nowhere_is_named() -> None:
    with pytest.raises(DecisionInvalid, match=r"'y{40}' is too long for one part"):
        propose_parts("y" * 400, "x")


def test_each_part_has_its_price() -> None:
    policy = default_policy("x/self_serve")
    assert thread_price_usd(policy, ["a"], is_summoned=True) == 0.010
    assert thread_price_usd(policy, ["a", "b", "c https://example.org"], is_summoned=True) == 0.225
