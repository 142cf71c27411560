"""Looking for a reply among the account's comments: where the pages end, and what is known then."""

from datetime import UTC, datetime
from typing import Any

import pytest

from resources.platforms.clocks import system_clock
from resources.platforms.reddit import RedditClient, open_reddit

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
CREDENTIALS = {"client_id": "i", "client_secret": "s", "username": "me_too", "password": "p"}


def page(n_comments: int, after: str | None) -> dict[str, Any]:
    comment = {"name": "t1_a", "body": "another", "parent_id": "t3_a", "created_utc": SINCE.timestamp() + 60}
    return {"data": {"children": [{"data": comment}] * n_comments, "after": after}}


@pytest.mark.parametrize(
    ("pages", "is_complete"),
    [
        ([page(0, None)], True),
        ([page(0, "t1_b")], True),
        ([page(100, "t1_a"), page(1, None)], True),
        ([page(100, "t1_a"), page(0, None)], False),
        ([page(100, "t1_a"), page(0, "t1_c")], False),
    ],
)
def test_an_empty_page_behind_another_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, pages: list[dict[str, Any]], is_complete: bool
) -> None:
    client = open_reddit(CREDENTIALS, base_url="http://127.0.0.1:9", clock=system_clock)
    answers = iter(pages)
    monkeypatch.setattr(RedditClient, "_read", lambda *_: next(answers))
    found = client.read_back("t3_a", "text", SINCE)
    assert (found.found, found.is_complete) == (None, is_complete)
