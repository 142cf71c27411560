"""The link goes into a reply and comes out again, and nothing else changes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.moments import link_at_second
from rejoinder.drafting.citations import TITLE_LENGTHS, citation
from rejoinder.drafting.extractive import draft_reply
from rejoinder.drafting.strategies import STRATEGY_NAMES
from rejoinder.ids import ChunkId, SourceId
from rejoinder.listening.post import Post
from rejoinder.posting.threads import parts_of
from rejoinder.research.evidence import Evidence
from rejoinder.review.links import carries, switched, with_link, without_link
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


PIECES = st.sampled_from(
    [
        "“Salt it.” ", f"({CITED[1]})", CITED[0], CITED[0].replace("[", "(").replace("]", ")"), ADDRESS, f"({ADDRESS})",
        "[here](https://example.com/show_%281%29?a=b#t=64)", "\n\n", "\n---\n", ".", " ", "https://other.example/",
        "「塩」", "[a", "](",
    ]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12).map("".join), st.sampled_from(["x", "reddit"]))
def test_switched_twice_is_the_very_text_to_be_approved(text, platform):
    once = switched(text, platform, CITED, ADDRESS)
    twice = switched(once.text, platform, CITED, ADDRESS, once)
    assert twice.text == text
    assert parts_of(twice.text, platform) == parts_of(text, platform)
    assert switched(twice.text, platform, CITED, ADDRESS, twice).text == once.text
    assert carries(once.text, ADDRESS) != carries(text, ADDRESS)


def test_what_was_typed_after_a_switch_is_not_lost():
    once = switched("“Salt it.” (Cheese)", "x", ["Cheese"], ADDRESS)
    typed = f"{once.text} Twice."
    assert switched(typed, "x", ["Cheese"], ADDRESS, once).text == "“Salt it.” (Cheese) Twice."


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize("title", ["Cheese", "Episode [1] of cheese", "Cheese " * 20])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_a_draft_comes_back_after_the_page_was_loaded_anew(platform, title, strategy):
    evidence = Evidence(
        ChunkId(1), SourceId(1), title, ADDRESS, "Salt it twice, then leave it for a day in the cold.", 64.0, "Ines",
        0.6, "related", "",
    )  # fmt: skip
    post = Post(platform, "t3_1", "How do I salt it?", datetime(2026, 1, 1, tzinfo=UTC))
    draft = draft_reply(post, [evidence], strategy, allow_links=True).text
    address = link_at_second(ADDRESS, 64.0)
    cited = [citation(evidence, max_title=length) for length in TITLE_LENGTHS]
    off = switched(draft, platform, cited, address).text
    assert carries(draft, address) and not carries(off, address)
    assert switched(off, platform, cited, address).text == draft
