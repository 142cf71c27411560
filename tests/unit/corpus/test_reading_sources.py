"""Sources of every kind by one function: told by their bytes, cleaned with a note, refused with a reason."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest

from rejoinder.corpus.reading import read_source
from rejoinder.corpus.transcripts.chapters import parse_chapters
from rejoinder.corpus.values import Chapter, Cue
from rejoinder.errors import InputUnreadable

PAGE = """<!doctype html><html lang="fr-CA"><head><title>Pumps | The Site</title>
<link rel="canonical" href="https://ex.org/pumps"><meta name="author" content="Ada Lovelace">
<meta property="article:published_time" content="2024-03-02T10:00:00+02:00"><style>p{color:red}</style></head>
<body><nav><a href="/">Home</a></nav><article><h1>Pumps</h1>
<p>The first paragraph of this article has enough words in it to be taken for one.</p>
<script>alert("evil")</script><h2>Costs</h2>
<p>The second says what <b>heat pumps</b> cost <a href="x">in 2024</a>, all things told.</p>
<table><tr><td>small</td><td>4,000</td></tr></table><pre><code>x = 1</code></pre></article>
<footer>Copyright 2019</footer></body></html>"""


def test_a_web_page_is_its_article() -> None:
    parsed = read_source("p", PAGE.encode())
    assert (parsed.format, parsed.title, parsed.language) == ("html_document", "Pumps", "fr")
    assert (parsed.url, parsed.published_at) == (
        "https://ex.org/pumps",
        datetime(2024, 3, 2, 8, tzinfo=UTC),
    )
    words = [cue.text for cue in parsed.cues]
    assert words[1] == "The second says what heat pumps cost in 2024, all things told."
    assert "small, 4,000" in words and {cue.speaker for cue in parsed.cues} == {"Ada Lovelace"}
    assert not any(junk in " ".join(words) for junk in ("alert", "color", "Home", "Copyright", "x = 1", "<"))
    assert parsed.chapters == (Chapter("Costs", None, 1),)
    assert parsed.notes == ("1 code block left out",)


def test_a_page_too_small_for_an_article_is_taken_as_it_shows() -> None:
    page = "<html><head><title>T</title></head><body><h2>One</h2><p>Short &amp; <b>good</b>.</p><p>End.</p></body>"
    assert [cue.text for cue in read_source("p", page.encode()).cues] == ["Short & good.", "End."]


MARKDOWN = """---
title: "Ink and pens"
author: Ada
date: 2024-05-01
lang: en
---
# Ink and pens

Why [pens](https://x.org) *matter* to people.

## Costs

- One dollar.
- **Two** dollars.

```python
# no heading
x = 1
```

| kind | price |
|---|---|
| blue | 4 |
<!-- not shown -->
"""


@pytest.mark.parametrize("stray", ["\x01", "&#1;", "\x0b", "\ufffe"])
def test_a_table_beside_characters_that_xml_has_not(stray: str) -> None:
    page = f"<html><body><h1>A</h1><table><tr><td>1{stray}</td><td>2</td></tr>{stray}</table>{stray}<p>Words.</p>"
    read = read_source("a.html", page.encode())
    assert [cue.text for cue in read.cues][-1] == "Words."


def test_a_markdown_document_with_front_matter_and_code() -> None:
    parsed = read_source("x.md", MARKDOWN.encode())
    assert (parsed.format, parsed.title, parsed.language) == ("markdown_document", "Ink and pens", "en")
    assert parsed.published_at == datetime(2024, 5, 1, tzinfo=UTC)
    assert [cue.text for cue in parsed.cues] == [
        "Why pens matter to people.",
        "One dollar.",
        "Two dollars.",
        "kind, price",
        "blue, 4",
    ]
    assert parsed.chapters == (Chapter("Costs", None, 1),) and parsed.cues[0].speaker == "Ada"
    assert parsed.notes == ("1 code block left out",)


def test_notes_in_bold_are_no_speakers_and_talks_are_no_documents() -> None:
    document = (
        "# A guide\n\n" + "Some prose here.\n\n" * 12 + "**Note:** mind this.\n\n**Warning:** and that."
    )
    assert read_source("x", document.encode()).format == "markdown_document"
    talk = (
        "# A talk\n\n## Opening\n\n**Ada:** Hello.\n\n**Bob:** Hi.\n\n## Middle\n\n**Ada:** \\[01:00\\] More."
    )
    parsed = read_source("x", talk.encode())
    assert (parsed.format, parsed.title) == ("markdown", "A talk")
    assert parsed.chapters == (Chapter("Opening", 0.0, 0), Chapter("Middle", 60.0, 2))


def test_a_page_about_captions_is_no_captions() -> None:
    page = "# Formats\n\n" + "A paragraph about formats.\n\n" * 12 + "```\n00:01.000 --> 00:02.000\nHi\n```\n"
    assert read_source("x", page.encode()).format == "markdown_document"


def test_a_word_document(make_docx: Callable[..., bytes]) -> None:
    cell = "<w:tc><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>"
    body = f"<w:tbl><w:tr>{cell.format('blue')}{cell.format('4')}</w:tr></w:tbl>"
    body += "<w:p><w:del><w:r><w:delText>deleted</w:delText></w:r></w:del><w:r><w:t>kept</w:t></w:r></w:p>"
    parsed = read_source("x.pdf", make_docx([("Costs", True), ("Pumps are cheap.", False)], body))
    assert (parsed.format, parsed.title) == ("docx", "The plan")
    assert [cue.text for cue in parsed.cues] == ["Pumps are cheap.", "blue, 4", "kept"]
    assert parsed.chapters == (Chapter("Costs", None, 0),) and parsed.cues[0].speaker == "Ada"
    assert parsed.published_at == datetime(2024, 5, 1, 8, tzinfo=UTC)


def test_a_talk_in_a_word_document_keeps_its_times_and_speakers(make_docx: Callable[..., bytes]) -> None:
    said = [("[00:01] Ada: One.", False), ("[00:05] Bob: Two.", False), ("[00:09] Ada: Three.", False)]
    cues = read_source("x", make_docx(said)).cues
    assert cues[1] == Cue("Two.", 5.0, 9.0, "Bob")


def test_a_pdf_is_paragraphs_without_what_stands_on_every_page(make_pdf: Callable[..., bytes]) -> None:
    opening = [
        "Opening 0",
        "A line of page number 0 that is as long as usual is,",
        "Some other line which is as long as is usual here,",
    ]
    pages = [
        [
            "The Site 2024",
            line,
            "and it goes on over the end of the line with a hyphen-",
            f"ated word until {line[:4]}.",
            f"{n}",
        ]
        for n, line in enumerate(opening)
    ]
    parsed = read_source("r", make_pdf(pages, [("Opening 0", 0)]))
    assert (parsed.format, parsed.title) == ("pdf", "A report")
    assert parsed.chapters == (Chapter("Opening 0", None, 0),)
    assert parsed.cues[1].text == (
        "A line of page number 0 that is as long as usual is, and it goes on over the end of the line "
        "with a hyphenated word until A li."
    )
    assert len(parsed.cues) == 3 and "The Site 2024" in parsed.notes[0]


def test_a_pdf_that_cannot_be_read_says_why(make_pdf: Callable[..., bytes]) -> None:
    for data, reason in (
        (make_pdf([[], []]), "2 pages: scanned"),
        (make_pdf([["Secret."]], password="x"), "encrypted"),
        (make_pdf([["Hello."]])[:200], "broken PDF"),
    ):
        with pytest.raises(InputUnreadable, match=reason):
            read_source("x.pdf", data)


def archive(**parts: str) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, words in parts.items():
            # A date of its own, not the time of day: the bytes are part of the names of tests.
            made.writestr(zipfile.ZipInfo(name.replace("_", "/")), words, zipfile.ZIP_DEFLATED)
    return file.getvalue()


@pytest.mark.parametrize(
    "data, reason",
    [
        (archive(a="x"), "no Word document"),
        (archive(a="x")[:-20], "broken archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "old or an encrypted Office"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel/></rss>', "a feed"),
        (b'<?xml version="1.0"?>\n<!-- x --><svg></svg>', "XML of a kind"),
        (b"<html><body><script>var x = 'words';</script></body></html>", "no text"),
        (b'{"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Intro"}]}', "list of chapters"),
        (b"WEBVTT\nKind: chapters\n\n00:00.000 --> 00:09.000\nIntro\n", "list of chapters"),
        (json.dumps({"segments": [{"start": n, "text": "1"} for n in range(70)]}).encode(), "only numbers"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not text"),
    ],
)
def test_what_is_no_source_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(InputUnreadable, match=reason):
        read_source("x.vtt", data)


def test_word_files_that_unpack_to_too_much_or_define_entities(make_docx: Callable[..., bytes]) -> None:
    with pytest.raises(InputUnreadable, match="unpacks to"):
        read_source("x", make_docx([("x", False)], footnotes=" " * 60_000_000))
    with pytest.raises(InputUnreadable, match="entities"):
        read_source("x", make_docx([("x", False)], footnotes='<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'))
    with pytest.raises(InputUnreadable, match="broken DOCX"):
        deep = "<w:sdt><w:sdtContent>" * 5000 + "</w:sdtContent></w:sdt>" * 5000
        read_source("x", make_docx([("x", False)], deep))


def vtt(*cues: tuple[str, str, str]) -> bytes:
    return ("WEBVTT\n\n" + "\n\n".join(f"{a} --> {b}\n{text}" for a, b, text in cues)).encode()


def test_what_is_cleaned_leaves_a_note() -> None:
    loop = "Got them, " + "got them, " * 30 + "over."
    parsed = read_source(
        "x",
        vtt(
            ("00:01.000", "00:05.000", "One two three four."),
            ("00:04.000", "00:06.000", "Five."),
            ("00:06.000", "00:07.000", "[Music]"),
            ("00:06.500", "00:07.000", "Six."),
            ("00:02.000", "00:03.000", "Backwards."),
            ("00:08.000", "00:09.000", loop),
            *((f"00:{n}.000", f"00:{n}.900", "Thank you.") for n in range(10, 20)),
            ("00:30.000", "00:31.000", "And so it ends here."),
            ("00:31.000", "00:32.000", "And so it ends here."),
        ),
    )
    assert [(cue.start_s, cue.end_s, cue.text) for cue in parsed.cues] == [
        (1.0, 4.0, "One two three four."),
        (4.0, 6.0, "Five."),
        (6.5, 7.0, "Six."),
        (6.5, 6.5, "Backwards."),
        (8.0, 9.0, "Got them, over."),
        (10.0, 19.9, "Thank you."),
        (30.0, 32.0, "And so it ends here."),
    ]
    assert parsed.notes == (
        "1 cue without words left out",
        "1 cue in which a stuck recogniser repeated itself cut down to what it said once",
        "10 cues that only repeated what came before left out",
        "1 cue with a time that runs backwards given the time of the cue before",
        "1 cue that ran into the next of the same speaker ended there",
    )


def test_rolling_captions_and_broken_cues() -> None:
    rolling = vtt(
        ("00:01.000", "00:02.000", "hello and"),
        ("00:02.000", "00:03.000", "hello and\nwelcome to"),
        ("00:03.000", "00:04.000", "welcome to\nthe show"),
        ("00:04.000", "00:05.000", "the show\nabout ink"),
    )
    parsed = read_source("x", rolling + b"\n\n00:05.000 --> oops\n")
    assert [cue.text for cue in parsed.cues] == ["hello and", "welcome to", "the show", "about ink"]
    assert "rolling" in parsed.notes[0]


def test_text_that_was_decoded_wrongly_before_is_put_right() -> None:
    text = "00:00:01 Le café était très agréable.\n00:00:05 À côté de la forêt, où êtes-vous allés ?"
    parsed = read_source("x", text.encode().decode("cp1252", "replace").encode())
    assert parsed.cues[0].text == "Le café était très agréable." and "wrongly" in parsed.notes[0]
    assert parsed.language == "fr"
    assert read_source("x", text.encode()).notes == ()
    assert "older encoding" in read_source("x", text.encode("cp1252")).notes[0]


def test_json_that_breaks_off_or_was_heard_in_silence_has_a_note() -> None:
    segments = [
        {"start": i, "end": i + 1, "text": f"Line number {i}.", "no_speech_prob": 0.0} for i in range(5)
    ]
    segments[1] |= {"no_speech_prob": 0.9, "avg_logprob": -2}
    notes = read_source("x", json.dumps({"segments": segments}).encode()[:-20]).notes
    assert "breaks off" in notes[0] and "1 segment left out" in notes[1]


def test_languages_that_files_name_are_codes() -> None:
    said = {"language": "english", "segments": [{"start": 0, "text": "Bonjour"}]}
    assert read_source("x", json.dumps(said).encode()).language == "en"
    german = "Die Häuser sind schön, aber die Straßen führen über die Brücke in die Stadt."
    assert read_source("x", german.encode()).language == "de"
    assert read_source("x", b"Ok.").language is None


def test_chapters_of_the_podcast_namespace_and_of_webvtt() -> None:
    told = {
        "chapters": [
            {"startTime": 9, "title": "B"},
            {"startTime": 0, "title": "A"},
            {"startTime": 5, "toc": False},
        ]
    }
    assert parse_chapters(json.dumps(told).encode()) == (Chapter("A", 0.0), Chapter("B", 9.0))
    assert parse_chapters(b"WEBVTT\n\n00:00:09.000 --> 00:10.000\nB &amp; C\n") == (Chapter("B & C", 9.0),)
    for broken in (b"{}", b"[", b"WEBVTT\n", b'{"chapters": 3}'):
        with pytest.raises(InputUnreadable):
            parse_chapters(broken)


def test_comments_of_webvtt_can_be_chapters() -> None:
    text = "WEBVTT\n\nNOTE Chapter: Opening\n\n00:01.000 --> 00:02.000\nHello there.\n"
    assert read_source("x", text.encode()).chapters == (Chapter("Opening", 1.0),)
