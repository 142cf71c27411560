"""The text of a prompt, and how it differs from the one in force."""

from collections.abc import Iterator
from functools import lru_cache

import streamlit as st

from rejoinder.review.diffs import DiffSpan, word_diff
from resources.store.prompt_versions import PromptRow
from review_app.escaped import Markup, html, join, show, show_text

# Characters of unchanged text shown beside a change.
AROUND = 160
TAGS = {"removed": "<del>{}</del>", "added": "<ins>{}</ins>", "same": "{}"}


def show_text_of(row: PromptRow, champion: PromptRow | None) -> None:
    """The text, folded; of a version that is not in force, the difference first."""
    if champion is not None and champion.version != row.version:
        with st.expander("Difference to the champion", key=f"difference_{row.version}"):
            show(_difference(champion.text, row.text))
    with st.expander("Text", key=f"text_of_{row.version}"):
        show_text(row.text, "rj-diff")


@lru_cache(maxsize=256)
def _difference(before: str, after: str) -> Markup:
    pieces = list(_pieces(word_diff(before, after)))
    return html('<div class="rj-diff" dir="auto">{}</div>', join(pieces, ""))


def _pieces(spans: tuple[DiffSpan, ...]) -> Iterator[Markup]:
    """The changes with what stands around them; long unchanged stretches are left out."""
    for number, span in enumerate(spans):
        text = span.text
        if span.kind == "same":
            text = _around(text, is_first=number == 0, is_last=number == len(spans) - 1)
        yield html(TAGS[span.kind], text)


def _around(text: str, *, is_first: bool, is_last: bool) -> str:
    """Unchanged text beside a change, cut between words to what helps to read it.

    >>> _around("word " * 100, is_first=True, is_last=False) == "… " + "word " * 31
    True
    """
    begin, end = ("" if is_first else text[:AROUND]), ("" if is_last else text[-AROUND:])
    if len(begin) + len(end) >= len(text):
        return text
    begin = begin.rpartition(" ")[0] + " " if begin else ""
    return f"{begin}… {end.partition(' ')[2]}"
