"""Speech made plain: what is taken out, what stays, and that nothing breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.plain_speech import plain, without_annotations


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Um, so, you know, the heat pump is, like, fast.", "The heat pump is, fast."),
        ("I think that the {disfmarker} the the casing is cheap .", "The casing is cheap."),
        ("ADA LOVELACE: Yeah, well, ink flows.", "Ink flows."),
        ("Roger, [glossary:IOS|IOS] copies.", "Roger, IOS copies."),
        ("He had had that that morning.", "He had had that that morning."),
        ("[laughter] Okay .", ""),
        ("HTTP is a protocol: it has verbs.", "HTTP is a protocol: it has verbs."),
        ("People like heat pumps.", "People like heat pumps."),
    ],
)
def test_fillers_go_and_words_stay(said: str, told: str) -> None:
    assert plain(said) == told


def test_other_languages_keep_words_that_are_fillers_in_english() -> None:
    assert plain("Er hat ja, so, gesagt [Musik] .", "de") == "Er hat ja, so, gesagt."


@given(st.text(max_size=300))
def test_any_text_can_be_made_plain_twice_as_well_as_once(text: str) -> None:
    told = plain(text)
    assert told == " ".join(told.split())
    assert without_annotations(without_annotations(text)) is not None
    assert len(told) <= len(" ".join(text.split())) + 4
