"""What Reddit says of things by fullname, and what it leaves out."""

from collections.abc import Mapping
from typing import Any

from resources.platforms.port import Standing
from resources.platforms.reddit_lookup import look_up

DELETED = {"name": "t1_2", "author": "[deleted]", "body": "[deleted]"}


def listing(query: Mapping[str, str]) -> dict[str, Any]:
    children = [{"kind": "t1", "data": DELETED}] if "t1_2" in query["id"].split(",") else []
    return {"kind": "Listing", "data": {"after": None, "children": children}}


def test_what_is_left_out_is_told_apart_from_what_is_said_to_be_gone() -> None:
    assert look_up(listing, ["t1_1", "t1_2"]) == {
        "t1_1": Standing(None, "left out", is_said=False),
        "t1_2": Standing(None, "deleted"),
    }
