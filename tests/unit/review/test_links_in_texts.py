"""The link goes into a reply and comes out again, and nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.review.links import carries, with_link, without_link
from rejoinder.text.links import find_links
from rejoinder.text.weighted_length import LINK_WEIGHT, weighted_length

ADDRESS = "https://example.com/show_(1)?a=b#t=64"
CITED = ["Ines, Cheese at home, with [salt], 1:04", "Ines, Cheese at home, 1:04"]
WORDS = st.text("abc XYZ.,()[]“”\n-_*", max_size=80).filter(lambda t: t == t.rstrip() and "](" not in t)


@given(WORDS, st.sampled_from(["x", "reddit"]), st.booleans())
def test_it_goes_in_and_comes_out_again(words, platform, is_cited):
    text = f"“Salt it.” ({CITED[1]}) {words}".rstrip() if is_cited else f"Salt. {words}".rstrip()
    linked = with_link(text, platform, CITED, ADDRESS)
    assert carries(linked, ADDRESS) and not carries(text, ADDRESS)
    assert with_link(linked, platform, CITED, ADDRESS) == linked
    back = without_link(linked, CITED, ADDRESS)
    assert not carries(back, ADDRESS)
    if platform == "x" or is_cited:
        assert back == text


def test_on_x_it_costs_a_space_and_what_x_counts_for_any_link():
    text = "“Salt it.” (Cheese, 1:04)"
    linked = with_link(text, "x", CITED, ADDRESS)
    assert weighted_length(linked) == weighted_length(text) + 1 + LINK_WEIGHT
    assert len(find_links(linked)) == 1 and not find_links(text)


def test_a_link_below_goes_with_its_line_where_the_source_is_named_above():
    text = f"“Salt it.” ({CITED[1]})"
    below = f"{text}\n\n[{CITED[0].replace('[', '(').replace(']', ')')}](https://example.com/show_%281%29?a=b#t=64)"
    assert without_link(below, CITED, ADDRESS) == text


@pytest.mark.parametrize("text", ["see https://example.com/show_(1)?a=b#t=649", "see https://other.example/"])
def test_other_addresses_stay(text):
    assert without_link(text, CITED, ADDRESS) == text
    assert not carries(text, ADDRESS)
    assert carries(with_link(text, "x", CITED, ADDRESS), ADDRESS)


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        (f"It is there: {ADDRESS}.", "It is there:."),
        (f"It is there ({ADDRESS}).", "It is there."),
        (f"“{ADDRESS}” has it.", "“” has it."),
        (f"{ADDRESS}\nhas it.", "\nhas it."),
        ("It is [there](https://example.com/show_%281%29?a=b#t=64), I think.", "It is there, I think."),
    ],
)
def test_a_link_that_was_typed_by_hand_can_be_switched_off(typed, left):
    assert carries(typed, ADDRESS) and with_link(typed, "x", CITED, ADDRESS) == typed
    assert without_link(typed, CITED, ADDRESS) == left


def test_a_thread_has_it_at_its_end():
    assert with_link("One.\n\n---\n\nTwo.", "x", CITED, ADDRESS) == f"One.\n\n---\n\nTwo. {ADDRESS}"
