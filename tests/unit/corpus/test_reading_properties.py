"""Whatever bytes a document has: a transcript with a title and words, or InputUnreadable."""

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.corpus.reading import read_source
from rejoinder.errors import InputUnreadable

PAGE = b"<html lang=en><title>A</title><body><h1>A</h1><table><tr><td>1</td></tr></table><p>Words &amp; <b>m</b>.</p>"
MARKDOWN = (
    b"---\ntitle: A\ndate: 2024-01-01\n---\n# A\n\n[x](y) *words*\n\n```\ncode\n```\n| a | b |\n|---|---|\n"
)


def assert_read_or_refused(data: bytes) -> None:
    try:
        parsed = read_source("any", data)
    except InputUnreadable as refused:
        assert str(refused)
        return
    assert parsed.title and parsed.cues and all(cue.text.strip() for cue in parsed.cues)
    assert all(chapter.title and (chapter.first_cue or 0) < len(parsed.cues) for chapter in parsed.chapters)
    assert parsed.language is None or len(parsed.language) == 2


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_documents(
    data: st.DataObject, make_docx: Callable[..., bytes], make_pdf: Callable[..., bytes]
) -> None:
    whole = data.draw(
        st.sampled_from(
            (
                PAGE,
                MARKDOWN,
                make_docx([("Costs", True), ("Pumps are cheap.", False)]),
                make_pdf([["Pumps are cheap."], ["And more of it."]], [("Pumps", 0)]),
            )
        )
    )
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40) | st.integers(0, len(whole)))
    stray = data.draw(
        st.binary(max_size=8) | st.sampled_from((b"<", b"<<", b"endobj", b"PK\x03\x04", b"\x00" * 9))
    )
    assert_read_or_refused(whole[:start] + stray + whole[start + length :])
