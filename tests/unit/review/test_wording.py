"""The form in which a text is approved."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from rejoinder.review.wording import as_sent


@given(st.text())
def test_twice_is_once(text: str) -> None:
    once = as_sent(text)
    assert as_sent(once) == once and unicodedata.is_normalized("NFC", once)


@given(st.text(alphabet="ab \t\r\n\u0301"))
def test_no_line_ends_in_a_space(text: str) -> None:
    assert all(line == line.rstrip() for line in as_sent(text).split("\n")) and "\r" not in as_sent(text)
