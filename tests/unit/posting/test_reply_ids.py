"""Which reply a pasted address names, and what names none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import DecisionInvalid
from rejoinder.posting.reply_ids import parse_reply_id


@pytest.mark.parametrize(
    ("platform", "pasted", "platform_id"),
    [
        ("x", " 1888 ", "1888"),
        ("x", "https://x.com/ada/status/1888", "1888"),
        ("x", "https://twitter.com/ada/status/1888?s=20&t=x#m", "1888"),
        ("x", "https://mobile.twitter.com/ada/statuses/1888/photo/1", "1888"),
        ("x", "http://x.com/i/web/status/1888", "1888"),
        ("reddit", "t1_k2x9", "t1_k2x9"),
        ("reddit", "https://www.reddit.com/r/solar/comments/1abc/why/k2x9/", "t1_k2x9"),
        ("reddit", "https://old.reddit.com/r/solar/comments/1abc/why/k2x9?context=3", "t1_k2x9"),
        ("reddit", "https://www.reddit.com/comments/1abc/_/k2x9/", "t1_k2x9"),
        ("reddit", "https://www.reddit.com/r/solar/comments/1abc/comment/k2x9/", "t1_k2x9"),
    ],
)
def test_addresses_that_people_paste(platform, pasted: str, platform_id: str) -> None:
    assert parse_reply_id(platform, pasted).platform_id == platform_id


@pytest.mark.parametrize(
    ("platform", "pasted"),
    [
        ("x", ""),
        ("x", "https://x.com/ada"),
        ("x", "https://example.org/ada/status/1888"),
        ("x", "https://evilx.com/ada/status/1888"),
        ("x", "javascript://x.com/ada/status/1888"),
        ("x", "https://x.com/ada/status/99999999999999999999"),
        ("x", "http://[x.com/ada/status/1"),
        ("reddit", "https://www.reddit.com/r/solar/comments/1abc/why/"),
        ("reddit", "https://www.reddit.com/r/solar/s/AbCdEf"),
        ("reddit", "t3_k2x9"),
        ("reddit", "1888x!"),
    ],
)
def test_what_names_no_reply(platform, pasted: str) -> None:
    with pytest.raises(DecisionInvalid, match="paste https"):
        parse_reply_id(platform, pasted)


@given(st.sampled_from(["x", "reddit"]), st.text())
def test_anything_is_read_or_refused(platform, pasted: str) -> None:
    try:
        found = parse_reply_id(platform, pasted)
    except DecisionInvalid:
        return
    assert found.platform_id.removeprefix("t1_").isalnum()


@given(st.integers(min_value=0, max_value=10**19 - 1))
def test_every_id_survives_its_own_address(number: int) -> None:
    assert parse_reply_id("x", f"https://x.com/ada/status/{number}").platform_id == str(number)
