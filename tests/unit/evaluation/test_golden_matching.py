"""What counts as saying the same: stems, figures in any writing, nearness; what counts as made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.evaluation.matching import figures, invented_figures, invented_names, says, tokens


@pytest.mark.parametrize(
    ("text", "phrase", "language", "expected"),
    [
        ("The tank was drained.", "drain tank", "en", True),
        ("The tank is full. We drained the pond.", "drain tank", "en", False),
        ("It holds fifty thousand bees.", "50,000 bees", "en", True),
        ("It holds 50 bees.", "50,000 bees", "en", False),
        ("It is 25 degrees.", "twenty-five degrees", "en", True),
        ("Five of 20 came.", "25", "en", False),
        ("About 40 % are lost.", "40 percent", "en", True),
        ("Über 45 Grad stirbt die Hefe.", "45 grad", "de", True),
        ("Bei dreißig Grad geht sie auf.", "30 Grad", "de", True),
        ("Dura seis meses.", "6 meses", "es", True),
        ("Dura seis meses.", "6 semanas", "es", False),
        ("Tank " + "and so on " * 5 + "drained", "tank drained", "en", False),
        ("Anything.", "", "en", False),
        ("", "tank", "en", False),
    ],
)
def test_a_text_says_a_phrase(text: str, phrase: str, language: str, expected: bool) -> None:
    assert says(text, [phrase], language=language) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,200 and 1.200 and 1200", {"1200"}),
        ("12.5 and 12,5", {"12.5"}),
        ("at 4:30 in 2026", {"4:30", "2026"}),
        ("three hundred", {"300"}),
        ("no one came", set()),
        ("1 came", {"1"}),
    ],
)
def test_figures_in_one_writing(text: str, expected: set[str]) -> None:
    assert figures(text) == expected


def test_what_is_made_up_is_told() -> None:
    assert invented_figures("It takes 3 or 40 days.", ["Three days."]) == ["40"]
    assert invented_names("Then Paula and the Baker met.", ["The baker was in."]) == ["Paula"]
    assert invented_names("Die Hefe mag Wärme.", ["Hefe."], "de") == []


@given(st.text(max_size=60), st.sampled_from(["en", "de", "es", "ja"]))
def test_every_text_says_itself_and_invents_nothing_over_itself(text: str, language: str) -> None:
    assert invented_figures(text, [text], language) == []
    assert invented_names(text, [text], language) == []
    words = tokens(text, language)
    if words and len(words) <= 4 and not any(c in text for c in ".!?…。！？｡．؟۔।॥။።፧։᠃᠉\n"):
        assert says(text, [text], language=language)
