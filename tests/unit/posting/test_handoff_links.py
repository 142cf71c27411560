"""Links for a hand-off: the approved text to the letter, and only addresses of the platform."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rejoinder.errors import InputUnreadable
from rejoinder.listening.post import Platform, Post
from rejoinder.posting.handoff import compose, reddit_permalink, x_reply_url


def post(platform: Platform, platform_post_id: str, **rest: str) -> Post:
    return Post(platform, platform_post_id, "text", datetime(2026, 1, 1, tzinfo=UTC), **rest)  # type: ignore[arg-type]


@given(st.from_regex(r"[0-9]{1,19}", fullmatch=True), st.text(st.characters(codec="utf-8"), min_size=1))
@example("20", "A + b & c = d #e? 100%\nsee https://e.org/?a=1")
def test_x_gets_the_text_to_the_letter(post_id: str, text: str) -> None:
    handoff = compose(post("x", post_id), text)
    parts = urlsplit(handoff.url)
    assert (parts.scheme, parts.netloc, parts.path) == ("https", "x.com", "/intent/post")
    assert parse_qs(parts.query, keep_blank_values=True, strict_parsing=True) == {
        "in_reply_to": [post_id],
        "text": [text],
    }
    assert (handoff.text, handoff.is_prefilled) == (text, True)
    assert handoff.url.isascii()
    assert "+" not in handoff.url


@pytest.mark.parametrize("post_id", ["", "t3_abc", "12 3", "1" * 20, "٣", "1&text=spam", "1\n"])
def test_a_malformed_id_makes_no_link(post_id: str) -> None:
    with pytest.raises(InputUnreadable, match="not the id"):
        x_reply_url(post_id, "text")


def test_reddit_gets_a_link_and_a_text_to_copy() -> None:
    handoff = compose(post("reddit", "t1_c0ffee", conversation_id="t3_abc"), "See [12:04](https://e.org)")
    assert handoff.url == "https://www.reddit.com/comments/abc/_/c0ffee/"
    assert (handoff.text, handoff.is_prefilled) == ("See [12:04](https://e.org)", False)


def test_a_submission_is_not_where_it_links_to() -> None:
    linked = post("reddit", "t3_abc", url="https://www.reddit.com/r/other/comments/zzz/title/")
    assert reddit_permalink(linked) == "https://www.reddit.com/comments/abc/"


def test_a_comments_own_address_serves_without_its_thread() -> None:
    url = "https://old.reddit.com/r/science/comments/abc/title/c0ffee/"
    assert reddit_permalink(post("reddit", "t1_c0ffee", url=url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://www.reddit.com/r/s/comments/abc/t/c0ffee/",
        "https://reddit.com.example.org/comments/abc/t/c0ffee/",
        "https://www.reddit.com@example.org/comments/abc/t/c0ffee/",
        "https://evilreddit.com/comments/abc/t/c0ffee/",
        "javascript:alert(1)//c0ffee",
        "https://[broken/c0ffee",
        "https://www.reddit.com/r/s/comments/abc/t/another/",
    ],
)
def test_only_reddits_own_address_of_this_comment_becomes_a_link(url: str) -> None:
    with pytest.raises(InputUnreadable, match="no address"):
        reddit_permalink(post("reddit", "t1_c0ffee", url=url))


def test_an_id_that_is_no_fullname_makes_no_link() -> None:
    with pytest.raises(InputUnreadable, match="no address"):
        reddit_permalink(post("reddit", "c0ffee", conversation_id="t3_abc"))
