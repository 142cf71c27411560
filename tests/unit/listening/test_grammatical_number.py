"""Singular and plural of keywords, there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.grammatical_number import other_number


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("phone charger", "phone chargers"),
        ("battery", "batteries"),
        ("heat switch", "heat switches"),
        ("lunch box", "lunch boxes"),
        ("key", "keys"),
        ("use case", "use cases"),
        ("cache", "caches"),
        ("race condition", "race conditions"),
        ("LLM", "LLMs"),
        ("kilowatt-hour", "kilowatt-hours"),
    ],
)
def test_regular_terms_bend_both_ways(singular: str, plural: str) -> None:
    assert other_number(singular) == (plural,)
    assert other_number(plural) == (singular,)


@pytest.mark.parametrize(
    "term",
    ["CPython", "Docker", "leaves", "data", "analysis", "layers of abstraction", "Gen-2", "компост", "é", ""],
)
def test_what_tells_nothing_is_left_alone(term: str) -> None:
    assert other_number(term) == ()


@given(st.text(max_size=40))
def test_any_text_has_at_most_one_other_form(term: str) -> None:
    others = other_number(term)
    assert len(others) <= 1 and term not in others and all(others)
