"""Terms of lexical search."""

import importlib

import pytest
import snowballstemmer
import Stemmer
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.text.terms import _STEMMERS, index_terms


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


LATIN = "abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿăąćčđęěğġįıłńňőœřśşšșťțūůűųźżž’"
SCRIPTS = {
    "arabic": "".join(map(chr, range(0x0621, 0x0653))),
    "armenian": "".join(map(chr, range(0x0561, 0x0588))),
    "greek": "".join(map(chr, range(0x03AC, 0x03CF))),
    "hindi": "".join(map(chr, range(0x0901, 0x0950))),
    "nepali": "".join(map(chr, range(0x0901, 0x0950))),
    "russian": "".join(map(chr, range(0x0430, 0x0460))),
    "serbian": LATIN + "".join(map(chr, range(0x0430, 0x0460))),
    "tamil": "".join(map(chr, range(0x0B82, 0x0BCE))),
    "yiddish": "".join(map(chr, range(0x05D0, 0x05F3))),
}


@pytest.mark.parametrize("language", sorted(set(_STEMMERS.values())))
@given(data=st.data())
def test_stems_made_in_c_are_those_made_in_python(language: str, data: st.DataObject) -> None:
    """An index made where the C library is missing must be found by queries made where it is there."""
    word = data.draw(st.text(SCRIPTS.get(language, LATIN), min_size=1, max_size=20))
    module = importlib.import_module(f"snowballstemmer.{language}_stemmer")
    in_python = getattr(module, f"{language.title()}Stemmer")()
    assert Stemmer.Stemmer(language).stemWord(word) == in_python.stemWord(word)


def test_stems_are_made_in_c() -> None:
    assert isinstance(snowballstemmer.stemmer("english"), Stemmer.Stemmer)
