"""Every shape of transcript, as small files that show its traps."""

import json

import pytest

from rejoinder.corpus.transcripts.read import parse_transcript, title_from_name
from rejoinder.corpus.values import Cue
from rejoinder.errors import InputUnreadable


def cues(name: str, text: str | bytes) -> tuple[Cue, ...]:
    return parse_transcript(name, text if isinstance(text, bytes) else text.encode()).cues


VTT = """\ufeffWEBVTT - Ink and pens
Kind: captions
Language: en

NOTE a comment

1
00:00.120 --> 00:02.700 align:start
<v 0>I think &amp; write.</v>

2
00:00:02.730 --> 00:00:04.590
Still me.

3
00:00:05.000 --> 00:00:07.000
<v Ada Lovelace>Hello <i>there</i>.</v> <v.loud Bob>Hi!</v>

"""


def test_webvtt_with_mark_header_voices_and_entities() -> None:
    parsed = parse_transcript("x.vtt", VTT.encode())
    assert (parsed.title, parsed.format, parsed.language) == ("Ink and pens", "webvtt", "en")
    assert parsed.cues == (
        Cue("I think & write.", 0.12, 2.7, "Speaker 0"),
        Cue("Still me.", 2.73, 4.59, "Speaker 0"),
        Cue("Hello there.", 5.0, 7.0, "Ada Lovelace"),
        Cue("Hi!", 5.0, 7.0, "Bob"),
    )


def test_webvtt_that_lost_its_header_or_breaks_off_in_a_cue() -> None:
    text = "00:01.000 --> 00:02.000\nOne.\n\n00:02.000 --> 00:03.000\nTwo.\n\n00:03.000 --> 00:"
    assert [cue.text for cue in cues("x.txt", text)] == ["One.", "Two."]


SRT = """1
00:00:01,000 --> 00:00:02,500
Travis: When you
start

2
00:00:02,500 --> 00:00:04,000
a podcast. {\\an8}

3
00:00:04,000 --> 00:00:06,000
Sarah: Python: it's great.

4
00:00:06,500 --> 00:00:07,000
Sarah: <i>Yes</i>.
"""


def test_srt_labels_hold_until_the_next_and_stray_colons_are_text() -> None:
    assert cues("x.srt", SRT) == (
        Cue("When you start", 1.0, 2.5, "Travis"),
        Cue("a podcast.", 2.5, 4.0, "Travis"),
        Cue("Python: it's great.", 4.0, 6.0, "Sarah"),
        Cue("Yes.", 6.5, 7.0, "Sarah"),
    )


def test_a_wrong_extension_does_no_harm() -> None:
    assert parse_transcript("a.json", SRT.encode()).format == "srt"
    assert parse_transcript("a.srt", VTT.encode()).format == "webvtt"
    assert parse_transcript("a.vtt", b"**Ada:** Hello there.\n").format == "markdown"
    assert parse_transcript("a.md", b'{"segments": [{"start": 1, "text": "Hi"}]}').format == "whisper_json"


@pytest.mark.parametrize(
    "text, expected",
    [
        ("00:00:01 One.\n\n00:01:02 Two.", [(1.0, None, "One."), (62.0, None, "Two.")]),
        ("0:01 One.\n1:02 Two\nlines.", [(1.0, None, "One."), (62.0, None, "Two lines.")]),
        (
            "[00:01] Ada: One.\n[00:02] Bob: Two.\n[00:03] Ada: 3.",
            [(1, "Ada", "One."), (2, "Bob", "Two."), (3, "Ada", "3.")],
        ),
        (
            "Ada L. (00:01):\nOne.\n\nBob (01:00:02):\nTwo.",
            [(1.0, "Ada L.", "One."), (3602.0, "Bob", "Two.")],
        ),
        (
            "Ada (00:00:01) - One\nmore\n\nBob (00:00:05) - Two",
            [(1.0, "Ada", "One more"), (5.0, "Bob", "Two")],
        ),
        (
            "[-00:00:00:10]\nLCC: Ten.\n\n[00:00:00:02]\n_page : 8\nCDR: Go.\nLCC: Yes.\nCDR: Ok.",
            [(0.0, "LCC", "Ten."), (2.0, "CDR", "Go."), (2.0, "LCC", "Yes."), (2.0, "CDR", "Ok.")],
        ),
        (
            "Ada: One\ntwo.\n\nBob: Three.\nAda: Four.\nBob: Five.",
            [
                (None, "Ada", "One two."),
                (None, "Bob", "Three."),
                (None, "Ada", "Four."),
                (None, "Bob", "Five."),
            ],
        ),
        ("First paragraph.\n\nSecond one.", [(None, None, "First paragraph."), (None, None, "Second one.")]),
    ],
)
def test_plain_text(text: str, expected: list[tuple[float | None, str | None, str]]) -> None:
    found = [(cue.start_s, cue.speaker, cue.text) for cue in cues("x.txt", text)]
    assert found == expected


MARKDOWN = r"""# The *ink* show

**Ada Lovelace:** Hello [there](https://x.com/a_(b)), it's *so* \*bleep\* nice.

\[00:10\] Still Ada &amp; \[unintelligible 00:12.5\] more. \[00:20.50\] And again.

**Bob**: Ok.

**Ada Lovelace:**\[1:00\] Done.
"""


def test_markdown_names_stamps_links_and_escapes() -> None:
    parsed = parse_transcript("x.md", MARKDOWN.encode())
    assert parsed.title == "The ink show"
    assert [(cue.start_s, cue.speaker, cue.text) for cue in parsed.cues[:3]] == [
        (0.0, "Ada Lovelace", "Hello there, it's so *bleep* nice."),
        (10.0, "Ada Lovelace", "Still Ada & more."),
        (20.5, "Ada Lovelace", "And again."),
    ]
    assert parsed.cues[3].speaker == "Bob" and 20.5 < (parsed.cues[3].start_s or 0) < 60
    assert parsed.cues[4] == Cue("Done.", 60.0, None, "Ada Lovelace")


def test_markdown_without_stamps_has_no_times() -> None:
    assert cues("x.md", "**Ada:** One.\n\n**Bob:** Two.")[1] == Cue("Two.", None, None, "Bob")


def test_whisper_segments_without_loops_and_silence() -> None:
    document = {
        "language": "fr",
        "segments": [
            {"start": 0.5, "end": 1.5, "text": " Bonjour ! ", "compression_ratio": 1.1},
            {"start": 1.5, "end": 3, "text": " très très très", "compression_ratio": 8.0},
            {"start": 3, "end": 4, "text": " Thanks!", "no_speech_prob": 0.9, "avg_logprob": -1.4},
        ],
    }
    parsed = parse_transcript("x.mp3.words.json", json.dumps(document).encode())
    assert (parsed.language, parsed.title, parsed.cues) == ("fr", "X", (Cue("Bonjour !", 0.5, 1.5),))


def words(*texts: str, start: float = 0.0) -> list[dict[str, object]]:
    return [{"word": text + " ", "start": start + i, "end": start + i + 0.5} for i, text in enumerate(texts)]


def test_word_lists_give_a_cue_per_sentence() -> None:
    document = {"segments": [{"speaker_name": "Ada", "wdlist": words("One", "two.", "Three.")}]}
    expected = (Cue("One two.", 0.0, 1.5, "Ada"), Cue("Three.", 2.0, 2.5, "Ada"))
    assert cues("x.json", json.dumps(document)) == expected
    flat = [dict(word, speaker="Ada") for word in words("One", "two.", "Three.")]
    assert cues("x.json", json.dumps({"words": flat})) == expected
    assert cues("x.json", json.dumps(flat)) == expected


def test_json_that_breaks_off_keeps_whole_segments() -> None:
    whole = json.dumps({"segments": [{"start": i, "end": i + 1, "text": f"Line {i}."} for i in range(5)]})
    assert [cue.text for cue in cues("x.json", whole[:-30])] == ["Line 0.", "Line 1.", "Line 2.", "Line 3."]


def test_podcast_namespace_json_and_html() -> None:
    body = {
        "version": "1.0.0",
        "segments": [{"speaker": "Luke", "startTime": 2.75, "endTime": 3, "body": "No"}],
    }
    assert cues("x.json", json.dumps(body)) == (Cue("No", 2.75, 3.0, "Luke"),)
    page = "<cite>Travis:</cite>\n<time>0:05</time>\n<p>It&#39;s me.</p><cite>Ada:</cite><time>0:09</time><p>Hi</p>"
    assert cues("x.html", page) == (Cue("It's me.", 5.0, 9.0, "Travis"), Cue("Hi", 9.0, None, "Ada"))


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"", "empty"),
        (b" \n\x00\x00", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"WEBVTT\n\n", "no cue"),
        (b"WEBVTT\n\n00:01.000 --> 00:02.000\n[Music]\n", "no speech"),
        (b'{"segments": []}', "no speech"),
        (b'{"text": "", "language": "fr"}', "without segments"),
        (b'{"segments": [{"start": 0, "te', "broken JSON"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x00audio", "not text"),
        (bytes(range(256)) * 20, "decode"),
        (b"...\n\n*music*", "no speech"),
    ],
)
def test_unreadable_files_say_why(data: bytes, reason: str) -> None:
    with pytest.raises(InputUnreadable, match=reason):
        parse_transcript("x.vtt", data)


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_encodings(encoding: str) -> None:
    text = (
        "00:00:01 Le café était très agréable, à côté de la forêt.\n" * 5
        + "00:00:09 Où êtes-vous allés cet été ?\n"
    )
    assert cues("x.txt", text.encode(encoding))[-1].text == "Où êtes-vous allés cet été ?"


@pytest.mark.parametrize(
    "encoding, text",
    [
        ("cp1251", "Привет, как дела? Сегодня хорошая погода, и мы идём гулять в парк."),
        ("cp1250", "Zażółć gęślą jaźń. Wszystko było dobrze, ponieważ poszliśmy do domu."),
        ("shift_jis", "こんにちは、今日は天気がいいですね。"),
        ("cp1252", "Die Häuser sind schön, aber die Straßen führen über die Brücke."),
    ],
)
def test_encodings_of_other_scripts(encoding: str, text: str) -> None:
    assert cues("x.txt", f"{text}\n\n".encode(encoding) * 5)[0].text == text


def test_a_stray_byte_in_utf8_stays_utf8() -> None:
    good = "00:00:01 Déjà vu, très célèbre, où çà, là-bas, été, façade, naïve, Noël. " * 20
    found = cues("x.txt", good.encode() + b"caf\xe9 end.")
    assert "Déjà" in found[0].text and found[0].text.endswith("caf\ufffd end.")


def test_right_to_left_text_keeps_its_order() -> None:
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\n<v דנה>שלום עולם.\n\n00:02.000 --> 00:03.000\nمرحبا بالعالم؟\n"
    assert cues("x.vtt", text) == (Cue("שלום עולם.", 1.0, 2.0, "דנה"), Cue("مرحبا بالعالم؟", 2.0, 3.0, "דנה"))


def test_one_mistyped_stamp_costs_no_other_its_time() -> None:
    text = "00:00:01 One.\n00:59:02 Two.\n00:00:03 Three.\n00:00:04 Four."
    assert [cue.start_s for cue in cues("x.txt", text)] == [1.0, 1.0, 3.0, 4.0]


def test_titles_come_from_names_without_folders_and_extensions() -> None:
    assert title_from_name("C:\\shows\\a-b_c.mp3.words.json") == "A b c"
    assert title_from_name(".vtt") == "Untitled"
