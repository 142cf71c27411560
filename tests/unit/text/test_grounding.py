"""What a text names that its sources do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.grounding import figures, term_share, ungrounded

SOURCE = 'In June a hive holds about 50,000 bees, says Mara O\'Neil; GPT4.1 told twelve of them: "Fly, my friends."'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Mara says that a hive holds fifty thousand bees in June.", []),
        ("Twelve bees were told by GPT4.1 to “fly, my friends”.", []),
        ("A hive in July holds 50.000 bees.", ["July"]),
        ("It holds 5,000 bees and 12.", ["5000"]),
        ("Mara's friend O’Neil says “fly away”.", ["“fly away”"]),
        ("So says Paul, not Mara.", ["Paul"]),
        ("I know, and I'm sure, says Mara.", []),
        ("«Fly, my friends» and „bees fly“.", ["„bees fly“"]),
        ("Mara's 'fly, my friends' and 'bees fly'.", ["'bees fly'"]),
        ("Mara’s bees’ ‘fly’, »bees fly« and “she said “fly, my friends” again”.",
         ["»bees fly«", "“she said “fly, my friends” again”"]),
        ("It is “bees fly", ["“bees fly"]),
    ],
)  # fmt: skip
def test_what_is_made_up_is_found(text, found):
    assert ungrounded(text, [SOURCE]) == found


def test_german_nouns_are_no_names():
    source = "Im Juni hat ein gesundes Volk etwa 50.000 Bienen, und die Königin legt jeden Tag Eier."
    assert ungrounded("Ein Volk mit Königin hat im Sommer 50000 Bienen.", [source]) == []
    assert ungrounded("Ein Volk hat 60000 Bienen.", [source]) == ["60000"]


def test_some_texts_may_be_named_but_not_quoted():
    assert ungrounded("Ask Paul for “9 bees”.", ["Bees fly."], may_name=["Paul has 9 bees."]) == ["“9 bees”"]


def test_figures_are_one_in_every_writing():
    assert figures("one hundred, 2.5 million, 12.5 %, ninety-nine") == {"100", "2500000", "12.5", "99"}


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_a_text_rests_on_itself(text):
    assert ungrounded(text, [text]) == []
    assert term_share(text, [text]) == 1.0


@given(
    st.lists(
        st.sampled_from(["Ab1,5", "two", "1.200", "A", "hundred", " ", "'s", "“x”", "’", "X-Y", "3:", "\n"]),
        max_size=12,
    )
)
def test_a_text_of_pieces_rests_on_itself(pieces):
    text = " ".join(pieces)
    assert ungrounded(text, [text]) == []
