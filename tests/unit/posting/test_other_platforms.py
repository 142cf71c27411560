"""What posting does on a platform that another package brought."""

from datetime import UTC, datetime

import pytest

from rejoinder.errors import DecisionInvalid, InputUnreadable
from rejoinder.listening.post import Post
from rejoinder.posting.handoff import compose
from rejoinder.posting.reply_ids import parse_reply_id

POST = Post("forum", "17", "text", datetime(2026, 11, 1, tzinfo=UTC), url="https://forum.example/t/17")


def test_a_reply_is_handed_off_at_the_posts_own_page() -> None:
    handoff = compose(POST, "It depends.")
    assert (handoff.url, handoff.is_prefilled) == ("https://forum.example/t/17", False)
    with pytest.raises(InputUnreadable):
        compose(Post("forum", "17", "text", POST.created_at, url="javascript:alert(1)"), "It depends.")


def test_the_id_of_a_reply_is_taken_as_it_is_or_from_its_address() -> None:
    assert parse_reply_id("forum", " 42 ").platform_id == "42"
    assert parse_reply_id("forum", "https://forum.example/t/17/42/").platform_id == "42"
    with pytest.raises(DecisionInvalid):
        parse_reply_id("forum", "no id at all")
