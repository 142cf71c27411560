"""Tidying and cutting quotes: nothing is added, nothing but fillers is lost."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rejoinder.drafting.quotes import is_verbatim, shorten_quote, spoken_words, tidy_quote
from rejoinder.text.weighted_length import weighted_length

VOCABULARY = (
    "and so well the gil keeps, cpython safe. because threads you know, I mean, but it is faster; which Python's "
    "3.14 like, um, right. free-threading — makes a difference… right, okay then also, no yes"
)
SPEECH = st.lists(st.sampled_from(VOCABULARY.split()), min_size=3, max_size=60).map(" ".join)


@pytest.mark.parametrize(
    ("said", "quoted"),
    [
        ("And so the GIL keeps it safe.", "The GIL keeps it safe."),
        ("Yeah, so, you know, it is fast, right.", "It is fast."),
        ("I think it is fast.", "I think it is fast."),
        ("Now is the time to move.", "Now is the time to move."),
        ("No compiler needs that.", "No compiler needs that."),
        ("It's, you know, fast", "It's fast."),
        ("And then also, the build is slow.", "The build is slow."),
    ],
)
def test_tidying(said, quoted):
    assert tidy_quote(said) == quoted


@given(SPEECH)
def test_a_tidied_quote_is_verbatim(said):
    quote = tidy_quote(said)
    assume(spoken_words(quote))
    assert is_verbatim(quote, said)


@given(SPEECH, st.integers(min_value=1, max_value=200))
def test_a_cut_quote_fits_and_stays_verbatim(said, limit):
    quote = shorten_quote(tidy_quote(said), limit, weighted_length)
    assert weighted_length(quote) <= limit
    assert not quote or not spoken_words(quote) or is_verbatim(quote, said)


@given(SPEECH)
def test_tidying_twice_changes_nothing_that_counts(said):
    once = tidy_quote(said)
    assume(spoken_words(once))
    assert is_verbatim(tidy_quote(once), once) or not spoken_words(tidy_quote(once))


def test_a_cut_never_ends_in_a_dangling_word():
    quote = "The interpreter keeps a lock on every object and the threads wait for it to be released again."
    cut = shorten_quote(quote, 60, len)
    assert cut == "The interpreter keeps a lock on every object…"


def test_whole_sentences_are_kept_without_an_ellipsis():
    assert (
        shorten_quote("The first one is whole. The second is cut away here.", 30, len)
        == "The first one is whole."
    )


@pytest.mark.parametrize(
    ("quote", "source"),
    [
        ("The GIL is gone.", "The GIL is not gone."),
        ("The GIL was removed.", "The GIL keeps it thread safe."),
        ("Safe… the GIL keeps it.", "The GIL keeps it safer."),
        ("", "Anything."),
        ("…", "Anything."),
    ],
)
def test_what_was_not_said_is_not_verbatim(quote, source):
    assert not is_verbatim(quote, source)
