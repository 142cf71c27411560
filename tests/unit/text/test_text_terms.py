"""Terms of lexical search."""

import importlib

import pytest
import snowballstemmer
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.terms import index_terms


def test_case_width_forms_and_inflection_are_folded() -> None:
    assert index_terms("Ｒｕｎｎｉｎｇ RUNS ran") == ["run", "run", "ran"]
    assert index_terms("the user's data isn't theirs") == ["user", "data", "isn"]


def test_other_languages_have_their_own_stemmer_and_no_english_stop_words() -> None:
    assert index_terms("die Häuser", "german") == ["die", "haus"]
    with pytest.raises(ValueError, match="klingon"):
        index_terms("x", "klingon")


def test_unspaced_scripts_give_pairs() -> None:
    assert index_terms("東京都で") == ["東京", "京都", "都で"]
    assert index_terms("Python入門") == ["python", "入門"]


def test_right_to_left_words_are_terms() -> None:
    assert index_terms("שלום עולם") == ["שלום", "עולם"]


@given(st.text("abcXYZ019'’‘“”–—+#_.-/ \n", max_size=60))
def test_a_plain_text_has_the_words_of_any_other(text: str) -> None:
    # A letter beyond the plain ones takes the whole text off the fast path.
    assert index_terms(f"{text} é", None) == [*index_terms(text, None), "é"]


@given(st.text(max_size=200))
def test_terms_are_stable_and_never_empty(text: str) -> None:
    terms = index_terms(text)
    assert all(terms)
    assert terms == index_terms(text)


@pytest.mark.parametrize("language", ["english", "german", "french", "spanish", "russian", "tamil"])
@given(word=st.text(st.characters(categories=["Ll", "Mn"]), min_size=1, max_size=20))
def test_stems_made_in_c_are_those_made_in_python(language: str, word: str) -> None:
    """An index made where the C library is missing must be found by queries made where it is there."""
    module = importlib.import_module(f"snowballstemmer.{language}_stemmer")
    in_python = getattr(module, f"{language.title()}Stemmer")()
    assert Stemmer.Stemmer(language).stemWord(word) == in_python.stemWord(word)


def test_stems_are_made_in_c() -> None:
    assert isinstance(snowballstemmer.stemmer("english"), Stemmer.Stemmer)
