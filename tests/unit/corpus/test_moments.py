"""Addresses that open at a second or at words: one form per kind of address, nothing else about it changed."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.moments import (
    LONGEST_ADDRESS,
    form_of,
    link_at_second,
    link_at_words,
    own_forms,
    places,
    web_address,
)
from rejoinder.errors import ConfigInvalid
from rejoinder.text.links import find_links

DOCS = Path(__file__).resolve().parents[3] / "docs" / "links.md"
OPENED = [
    ("https://www.youtube.com/watch?v=a1&list=b", "https://www.youtube.com/watch?v=a1&list=b&t=754s"),
    ("https://m.youtube.com/watch?t=3&v=a1", "https://m.youtube.com/watch?v=a1&t=754s"),
    ("https://www.youtube.com/watch?v=a1#t=3", "https://www.youtube.com/watch?v=a1&t=754s"),
    ("https://youtu.be/a1", "https://youtu.be/a1?t=754s"),
    ("https://www.youtube.com/live/a1", "https://www.youtube.com/live/a1?t=754s"),
    ("https://www.youtube.com/shorts/a1", "https://www.youtube.com/shorts/a1"),
    ("https://www.youtube-nocookie.com/embed/a1", "https://www.youtube-nocookie.com/embed/a1?start=754"),
    ("https://youtu.be/a1?si=b&t=54", "https://youtu.be/a1?si=b&t=754s"),
    (
        "https://www.youtube.com/live/a1?feature=share&t=3",
        "https://www.youtube.com/live/a1?feature=share&t=754s",
    ),
    ("https://music.youtube.com/watch?v=a1&si=b", "https://music.youtube.com/watch?v=a1&si=b&t=754s"),
    ("https://www.youtube.com/@pod", "https://www.youtube.com/@pod"),
    ("https://www.youtube.com/playlist?list=a1", "https://www.youtube.com/playlist?list=a1"),
    ("https://www.youtube.com/clip/a1", "https://www.youtube.com/clip/a1"),
    ("https://www.dailymotion.com/video/a1", "https://www.dailymotion.com/video/a1?start=754"),
    ("https://dai.ly/a1?start=3", "https://dai.ly/a1?start=754"),
    ("https://open.spotify.com/embed/episode/a1", "https://open.spotify.com/embed/episode/a1?t=754"),
    ("https://open.spotify.com/show/a1", "https://open.spotify.com/show/a1#t=754"),
    ("https://overcast.fm/+a1_-", "https://overcast.fm/+a1_-/12:34"),
    ("https://overcast.fm/+a1/", "https://overcast.fm/+a1/12:34"),
    ("https://overcast.fm/+a1/1:27:57", "https://overcast.fm/+a1/12:34"),
    ("https://overcast.fm/itunes123/show", "https://overcast.fm/itunes123/show#t=754"),
    ("https://player.vimeo.com/video/1234?h=ab", "https://player.vimeo.com/video/1234?h=ab#t=754s"),
    ("https://vimeo.com/1234", "https://vimeo.com/1234#t=754s"),
    ("https://open.spotify.com/episode/a1?si=b", "https://open.spotify.com/episode/a1?si=b&t=754"),
    ("https://open.spotify.com/intl-de/episode/a1", "https://open.spotify.com/intl-de/episode/a1?t=754"),
    ("https://soundcloud.com/a/b", "https://soundcloud.com/a/b#t=12:34"),
    (
        "https://podcasts.apple.com/de/podcast/a/id1?i=2",
        "https://podcasts.apple.com/de/podcast/a/id1?i=2",
    ),
    ("https://fireside.fm#notes", "https://fireside.fm/#notes"),
    ("https://podcasts.apple.com", "https://podcasts.apple.com"),
    ("https://pca.st/episode/a1", "https://pca.st/episode/a1?t=754"),
    ("https://show.fireside.fm/12", "https://show.fireside.fm/12?t=754"),
    ("https://www.twitch.tv/videos/12", "https://www.twitch.tv/videos/12?t=0h12m34s"),
    ("https://pod.example/e1.MP3?a=b", "https://pod.example/e1.MP3?a=b#t=754"),
    ("https://pod.example/e1.mp4#t=1,2&track=de", "https://pod.example/e1.mp4#track=de&t=754"),
    ("https://pod.example/e1", "https://pod.example/e1#t=754"),
    ("https://pod.example/e1?t=9", "https://pod.example/e1?t=9#t=754"),
    ("https://pod.example/e1#notes", "https://pod.example/e1#notes"),
    ("https://pod.example/#/e1", "https://pod.example/#/e1"),
    ("https://pod.example", "https://pod.example/#t=754"),
    (
        "https://pod.example/日本?q=„x“#é",
        "https://pod.example/%E6%97%A5%E6%9C%AC?q=%E2%80%9Ex%E2%80%9C#%C3%A9",
    ),
    ('https://pod.example/a%20b;c=1|2"x', "https://pod.example/a%20b;c=1|2%22x#t=754"),
    ("https://notyoutube.com/watch?v=1", "https://notyoutube.com/watch?v=1#t=754"),
    ("https://youtube.com.evil.example/watch?v=1", "https://youtube.com.evil.example/watch?v=1#t=754"),
]
HOSTS = sorted({host for form in places() for host in form.hosts} | {"pod.example", "www.youtube.com"})
NAMES = st.text("abcdefgt-._", min_size=1, max_size=6)
QUERIES = st.lists(st.tuples(NAMES, st.text("abc019%+-_.~", max_size=5)), max_size=4)
PATHS = st.sampled_from(
    [
        "",
        "/",
        "/watch",
        "/shorts/a",
        "/embed/a",
        "/live/a",
        "/episode/a",
        "/videos/1",
        "/a/b.mp3",
        "/a_(b)",
        "/+a",
        "/@a",
    ]
)


@st.composite
def urls(draw):
    """Addresses of every kind, with parameters and fragments of all sorts."""
    query = "&".join(f"{name}={value}" for name, value in draw(QUERIES))
    fragment = draw(st.sampled_from(["", "", "#t=5", "#notes", "#/a/b", "#t=1&track=de"]))
    return f"https://{draw(st.sampled_from(HOSTS))}{draw(PATHS)}{'?' + query if query else ''}{fragment}"


@pytest.mark.parametrize(("url", "opened"), OPENED)
def test_each_kind_of_address_has_its_form(url, opened):
    assert link_at_second(url, 754.9) == opened


PLAYERS = {
    "play.example": "{url}?start={seconds}s",
    "live.play.example": "{url}#{key}={units}".replace("{key}", "at"),
    "pod.example": "{url}/{clock}",
    "youtube.com": "{url}?t={seconds}",
    "cast.example": "{url}/{seconds}",
}


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("https://play.example/1?a=b&start=3#notes", "https://play.example/1?a=b&start=754s#notes"),
        ("https://www.play.example/1", "https://www.play.example/1?start=754s"),
        ("https://live.play.example/1", "https://live.play.example/1#at=0h12m34s"),
        ("https://pod.example/1/?a=b#c", "https://pod.example/1/12:34?a=b#c"),
        ("https://cast.example/episode/42", "https://cast.example/episode/42/754"),
        ("https://www.youtube.com/watch?v=a1", "https://www.youtube.com/watch?v=a1&t=754"),
        ("https://play.example/1.mp3", "https://play.example/1.mp3#t=754"),
        ("https://play.example.evil.example/1", "https://play.example.evil.example/1#t=754"),
        ("https://vimeo.com/1", "https://vimeo.com/1#t=754s"),
    ],
)
def test_players_of_ones_own_go_first(url, opened):
    assert link_at_second(url, 754.9, own_forms(PLAYERS)) == opened


@pytest.mark.parametrize(
    "template",
    [
        "", "{url}", "{url}?t=", "{url}?t={second}", "{url}?t={seconds}{seconds}", "https://evil.example/{seconds}",
        "{url}.evil.example?t={seconds}", "{url}@evil.example/{seconds}", "{url}?a=b&t={seconds}", "{url}?t={clock}s",
        "{url}?t t={seconds}", "{url}?t={seconds}#x", "x{url}?t={seconds}", "{url}?{seconds}",
    ],
)  # fmt: skip
def test_a_template_that_names_no_second_is_refused_with_what_would(template):
    with pytest.raises(ConfigInvalid, match=r"play.example: .* does not say") as raised:
        own_forms({"play.example": template})
    assert "{url}?t={seconds}" in raised.value.fix


@given(urls(), st.integers(0, 10**5))
def test_the_second_is_set_once_and_setting_it_again_changes_nothing(url, second):
    link = link_at_second(url, float(second))
    assert link_at_second(link, float(second)) == link
    assert link_at_second(link_at_second(url, 7.0), float(second)) == link


@given(urls(), st.integers(0, 10**5))
def test_host_path_and_other_parameters_stay_as_they_were(url, second):
    before, after = urlsplit(url), urlsplit(link_at_second(url, float(second)))
    form = form_of(before)
    assert (after.scheme, after.netloc) == (before.scheme, before.netloc)
    assert form.place == "path" or (after.path or "/") == (before.path or "/")

    def others(query):
        pairs = parse_qsl(query, keep_blank_values=True)
        return [pair for pair in pairs if form.place != "query" or pair[0] != form.key]

    assert others(after.query) == others(before.query)


@given(urls(), st.integers(0, 10**5))
def test_x_sees_one_link_and_all_of_it(url, second):
    link = link_at_second(url, float(second))
    text = f"Seth, 18:51 {link}"
    if ".example" not in link and not link.endswith((".", "~", "%", "+", "-", "=")):
        assert [text[start:end] for start, end in find_links(text)] == [link]


@pytest.mark.parametrize(
    "url", ["https://example.com/日本", "https://example.com/?q=日本", 'https://example.com/a"b']
)
def test_x_sees_all_of_an_address_with_characters_that_no_address_has(url):
    text = f"Seth, 18:51 {link_at_second(url, 64.0)}"
    assert [text[start:end] for start, end in find_links(text)] == [text.split()[-1]]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://",
        "https://a b.c",
        "http://[::1",
        "https://a\u200bb.c",
    ],
)
def test_only_web_addresses_become_links(url):
    assert link_at_second(url, 5.0) is None
    assert link_at_words(url, "some words") is None


@given(st.text(max_size=300))
def test_whatever_the_words_are_the_directive_is_one_and_reads_back(words):
    link = link_at_words("https://example.com/a?b=c#d", words)
    assert len(link) <= LONGEST_ADDRESS and web_address(link) is not None
    assert link.startswith("https://example.com/a?b=c#d")
    directive = link.removeprefix("https://example.com/a?b=c#d")
    if directive:
        written = directive.removeprefix(":~:text=")
        assert not set(written) & set("&-#~ ()[]<>\"'") and written.count(",") <= 1
        ends = [unquote(end) for end in written.split(",")]
        told = " ".join(words.split())
        assert told.startswith(ends[0]) and told.endswith(ends[-1])


@pytest.mark.parametrize(
    "url",
    [
        "https://youtu.be/a1",
        "https://podcasts.apple.com/a",
        "https://a.example/b.pdf",
        "https://a.example/b.mp3",
    ],
)
def test_words_are_looked_for_on_pages_only(url):
    assert link_at_words(url, "some words") == url


def test_words_are_set_once():
    link = link_at_words("https://example.com/a#d", "some words")
    assert link_at_words(link, "other words") == "https://example.com/a#d:~:text=other%20words"


def test_the_table_of_forms_stands_in_the_docs():
    told = DOCS.read_text("utf-8")
    missing = [form.name for form in places() if f"| {form.name} |" not in told]
    assert not missing
