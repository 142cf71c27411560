"""The product's length counter and the sandbox's, written apart, agree on what replies are made of.

Odd host names (``a.acß``) are where they may differ: the sandbox knows fewer top-level domains.
"""

from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.text.weighted_length import weighted_length as product_length
from resources.sandbox.weighted_length import weighted_length as sandbox_length

PIECES = st.one_of(
    st.text(alphabet="abcdefgh äöüßñç,!?'’“”–—…", max_size=12),
    st.sampled_from(
        [
            "https://example.com/e/1?t=724",
            "example.com",
            "(https://a.org/x),",
            "日本語",
            "👍🏽",
            "👩‍👩‍👧",
            "🇩🇪",
            "@someone",
        ]
    ),
    st.sampled_from(["#Python", "12:04", "R&D", "naïve", "e\u0301", "3.5 %", "C++", "١٢٣", "שלום", "привет"]),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=30).map(" ".join))
def test_both_counters_agree(text: str) -> None:
    assert sandbox_length(text) == product_length(text)
