"""Whatever the bytes are: a transcript with ordered times, or InputUnreadable; and round trips."""

import json
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rejoinder.corpus.transcripts.read import parse_transcript
from rejoinder.corpus.values import Transcript
from rejoinder.errors import InputUnreadable

SHAPES = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n<v Ada>Hello there.</v>\n\n00:03.000 --> 00:04.000\nMore.\n",
    "1\n00:00:01,000 --> 00:00:02,000\nAda: Hello there.\n\n2\n00:00:02,000 --> 00:00:03,000\nMore.\n",
    "00:00:01 Hello.\n\n00:00:02 Ada: More.\nBob (00:03):\nYes.\n",
    "**Ada:** Hello \\[00:10\\] there.\n\n**Bob:** *More* [x](y).\n",
    json.dumps(
        {"language": "en", "segments": [{"start": 0, "end": 1, "text": "Hi", "words": [{"word": "Hi"}]}]}
    ),
    json.dumps({"segments": [{"speaker_name": "A", "wdlist": [{"start": 0, "end": 1, "word": "Hi. "}]}]}),
    "<cite>Ada:</cite><time>0:01</time><p>Hello</p>",
)


def read(data: bytes) -> Transcript | None:
    try:
        return parse_transcript("any.txt", data)
    except InputUnreadable as refused:
        assert str(refused)
        return None


def assert_sound(parsed: Transcript | None) -> None:
    if parsed is None:
        return
    assert parsed.cues and parsed.title and all(cue.text.strip() for cue in parsed.cues)
    starts = [cue.start_s for cue in parsed.cues if cue.start_s is not None]
    assert all(before <= after for before, after in pairwise(starts))
    for cue in parsed.cues:
        assert cue.end_s is None or cue.start_s is None or cue.end_s >= cue.start_s >= 0


@given(st.binary(max_size=400))
@example(b"\xff\xfe")
@example(b"[" * 5000 + b"{")
@example(b"{" + b'"a":[' * 3000)
def test_arbitrary_bytes(data: bytes) -> None:
    assert_sound(read(data))


@given(st.text(max_size=400))
def test_arbitrary_text(text: str) -> None:
    assert_sound(read(text.encode("utf-8", errors="replace")))


@settings(max_examples=300)
@given(st.sampled_from(SHAPES), st.data())
def test_damaged_files(shape: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shape)))
    length = data.draw(st.integers(0, len(shape)))
    stray = data.draw(st.text(alphabet='<>{}[]":,-.0123456789\n*\\vwA (', max_size=12))
    assert_sound(read((shape[:start] + stray + shape[start + length :]).encode()))


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "segments",
                        "words",
                        "wdlist",
                        "text",
                        "word",
                        "start",
                        "end",
                        "speaker",
                        "offsets",
                        "from",
                        "to",
                        "lang",
                    ]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=12,
    )
)
def test_arbitrary_json(document: object) -> None:
    assert_sound(read(json.dumps(document).encode()))


WORDS = st.lists(
    st.sampled_from(["ink", "paper", "Ada", "thinks", "of,", "pens.", "who?", "42", "naïve", "東京", "שלום"]),
    min_size=1,
    max_size=9,
    unique=True,
)
TIMED = st.lists(
    st.tuples(st.integers(0, 9_999_999), st.integers(0, 5000), WORDS), min_size=1, max_size=8
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


def stamp(ms: int, mark: str) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{mark}{ms % 1000:03}"


@pytest.mark.parametrize("head, mark, numbered", [("WEBVTT\n\n", ".", False), ("", ",", True)])
@given(rows=TIMED)
def test_subtitles_come_back_as_they_were_written(
    head: str, mark: str, numbered: bool, rows: list[tuple[int, int, list[str]]]
) -> None:
    # Each says what number it is, and none runs into the next: those would be cleaned.
    starts = [start for start, *_ in rows]
    told = [
        (start, min(start + length, following), f"Say {i}, " + " ".join(said))
        for i, ((start, length, said), following) in enumerate(
            zip(rows, [*starts[1:], 99_999_999], strict=True)
        )
    ]
    blocks = [
        (f"{i}\n" if numbered else "") + f"{stamp(a, mark)} --> {stamp(b, mark)}\n{text}\n"
        for i, (a, b, text) in enumerate(told, start=1)
    ]
    parsed = parse_transcript("x", (head + "\n".join(blocks)).encode())
    assert [(cue.start_s, cue.end_s, cue.text) for cue in parsed.cues] == [
        (a / 1000, b / 1000, text) for a, b, text in told
    ]
