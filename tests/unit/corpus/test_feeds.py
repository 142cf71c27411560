"""Feeds as they come: RSS and Atom, relative, mistyped, broken off, hostile."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.corpus.feeds import FeedItem, TranscriptLink, parse_feed
from rejoinder.errors import InputUnreadable

URL = "https://ex.org/feeds/rss.xml"
RSS = """<?xml version="1.0" encoding="ISO-8859-1"?>
<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>
<title>Ink &amp; pens é</title><link>/home</link><language>en-us</language>
<item><title><![CDATA[A <b>x</b>]]></title><guid isPermaLink="false">g1</guid><link>https://ex.org/1</link>
<pubDate>Sat, 02 Mar 2024 10:00:00 +0200</pubDate>
<podcast:transcript url="a.vtt" type="text/vtt; charset=utf-8" language="de-DE" rel="captions"/>
<podcast:transcript url="b.json" type="application/json"/><podcast:transcript url="ftp://ex.org/c.srt"/>
<podcast:chapters url="/c.json" type="application/json+chapters"/>
<enclosure url="//cdn.ex.org/a.mp3" type="audio/mpeg" length="9"/></item>
<item><title>B</title><link>file:///etc/passwd</link><pubDate>yesterday</pubDate></item>
<item><title>C</title><link>c.html</link></item>"""
END = "</channel></rss>"


def test_rss_with_transcripts_and_chapters() -> None:
    feed = parse_feed((RSS + END).encode(), url=URL)
    assert (feed.title, feed.url, feed.language, feed.notes) == (
        "Ink & pens é",
        "https://ex.org/home",
        "en",
        (),
    )
    assert feed.items[0] == FeedItem(
        title="A x",
        guid="g1",
        url="https://ex.org/1",
        published_at=datetime(2024, 3, 2, 8, tzinfo=UTC),
        transcripts=(
            TranscriptLink("https://ex.org/feeds/a.vtt", "text/vtt", "de", is_captions=True),
            TranscriptLink("https://ex.org/feeds/b.json", "application/json", "en"),
        ),
        chapters_url="https://ex.org/c.json",
        enclosure_url="https://cdn.ex.org/a.mp3",
        enclosure_type="audio/mpeg",
        language="en",
    )
    assert [item.guid for item in feed.items] == ["g1", "https://ex.org/feeds/c.html"]


def test_atom_with_a_base_of_its_own() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://b.org/x/"><title>At</title>
    <link rel="self" href="f"/><link href="."/><entry><id>tag:1</id><title type="html">&lt;b&gt;T&lt;/b&gt;</title>
    <link href="e/1"/><link rel="enclosure" href="e.mp3" type="audio/mpeg"/><updated>2024-01-01T00:00:00Z</updated>
    </entry></feed>"""
    (item,) = parse_feed(atom.encode(), url=URL).items
    assert (item.title, item.guid, item.url) == ("T", "tag:1", "https://b.org/x/e/1")
    assert (item.enclosure_url, item.published_at) == (
        "https://b.org/x/e.mp3",
        datetime(2024, 1, 1, tzinfo=UTC),
    )


def test_a_feed_that_breaks_off_gives_its_whole_items_and_a_note() -> None:
    feed = parse_feed(RSS[:-60].encode("latin-1"), url=URL)
    assert feed.items[0].guid == "g1" and feed.title == "Ink & pens é" and "breaks off" in feed.notes[0]


def test_entities_are_not_expanded_and_nothing_is_fetched() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "boom"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
    feed = parse_feed(f"{bomb}<rss><channel><title>&b;&f;</title></channel></rss>".encode(), url=URL)
    assert "boom" not in feed.title and feed.title.replace("&b;", "").replace("&f;", "") == ""


@pytest.mark.parametrize(
    "data, reason",
    [
        (b"<!DOCTYPE html><html><head><title>x</title></head></html>", "a web page"),
        (b'{"version": "https://jsonfeed.org/version/1"}', "neither RSS nor Atom"),
        (b'<?xml version="1.0"?><opml/>', "neither RSS nor Atom"),
        (b"", "empty"),
        (b"\x00\x01\x02" * 50, "decode|not a feed|neither"),
        (bytes(33 * 2**20), "more than"),
    ],
)
def test_what_is_no_feed_says_what_it_is(data: bytes, reason: str) -> None:
    with pytest.raises(InputUnreadable, match=reason):
        parse_feed(data, url=URL)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(RSS)), st.integers(0, 200), st.text(alphabet="<>&;/\"'=[]!- ab\x00é", max_size=12))
def test_damaged_feeds_are_read_or_refused(start: int, length: int, stray: str) -> None:
    damaged = RSS[:start] + stray + RSS[start + length :] + END
    try:
        feed = parse_feed(damaged.encode(), url=URL)
    except InputUnreadable as refused:
        assert str(refused)
        return
    for item in feed.items:
        addresses = (
            item.url,
            item.enclosure_url,
            item.chapters_url,
            *(link.url for link in item.transcripts),
        )
        assert item.guid and item.title
        assert all(address is None or address.startswith(("http://", "https://")) for address in addresses)
        assert item.published_at is None or item.published_at.tzinfo is UTC
