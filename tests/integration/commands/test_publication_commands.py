"""Decisions about approved replies: taken back, handed off, settled."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from rejoinder.errors import ConfigInvalid, DecisionInvalid, IllegalMove, NotAllowed
from resources.commands import publications, review
from resources.commands.actors import Actor

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "The episode has it at 12:04: heat pumps work below zero."


@pytest.fixture
def publish(newsroom, approver) -> Callable[..., int]:
    """Approves a new post; state is where its publication then stands."""

    def act(state: str, channel: str = "rehearsal") -> int:
        post = newsroom.post(channel, summoned=state != "handoff")
        if channel == "subreddit" and state == "handoff":
            newsroom.rows('update channel set policy = policy || \'{"reply_mode": "handoff"}\' returning id')
        done = review.approve(newsroom.db, approver, post, version=0, text=TEXT)
        if state not in ("queued", "handoff"):
            newsroom.force(done.publication_id, state)
        assert newsroom.state(done.publication_id) == state
        return done.publication_id

    return act


def place(newsroom, publication_id: int) -> str:
    return newsroom.place(newsroom.value("select post_id from publication where id = %s", publication_id))


def test_an_approval_is_taken_back(newsroom, approver, publish) -> None:
    number = publish("queued")
    publications.take_back(newsroom.db, approver, number)
    assert newsroom.state(number) == "cancelled" and place(newsroom, number) == "review/pending"
    [row] = newsroom.audit("take_back")
    assert (row["entity_type"], row["entity_id"], row["actor"]) == ("publication", number, "some-approver")
    with pytest.raises(IllegalMove):
        publications.take_back(newsroom.db, approver, number)


@pytest.mark.parametrize("state", ["sending", "unknown", "refused", "handoff"])
def test_too_late_to_take_back(newsroom, approver, publish, state: str) -> None:
    number = publish(state)
    with pytest.raises(IllegalMove, match=f"does not wait any more: it is {state}"):
        publications.take_back(newsroom.db, approver, number)
    assert newsroom.state(number) == state and newsroom.audit("take_back") == []


@pytest.mark.parametrize(
    ("channel", "given", "platform_id"),
    [
        ("rehearsal", "https://x.com/rejoinder/status/1888", "1888"),
        ("rehearsal", "1888", "1888"),
        ("subreddit", "https://www.reddit.com/r/solar/comments/1/title/k2x9/", "t1_k2x9"),
    ],
)
def test_a_handoff_is_recorded(
    newsroom, approver, publish, channel: str, given: str, platform_id: str
) -> None:
    number = publish("handoff", channel)
    assert publications.record_handoff(newsroom.db, approver, number, given) == platform_id
    [row] = newsroom.rows("select state, platform_id, sent_at, platform_url from publication")
    assert (row["state"], row["platform_id"]) == ("sent", platform_id) and row["sent_at"] is not None
    assert row["platform_url"] == (given if "://" in given else None)
    [part] = newsroom.rows("select state, platform_id from publication_part")
    assert part == {"state": "sent", "platform_id": platform_id}
    assert place(newsroom, number) == "done/completed"
    assert newsroom.audit("record_handoff")[0]["diff"]["platform_id"] == platform_id
    with pytest.raises(IllegalMove):
        publications.record_handoff(newsroom.db, approver, number, given)


def test_the_wrong_address_is_noticed(newsroom, approver, publish) -> None:
    first, second = publish("handoff"), publish("handoff")
    parent = newsroom.value(
        "select platform_post_id from post p join publication a on a.post_id = p.id where a.id = %s", first
    )
    for given, message in [(parent, "the post itself"), ("https://example.org/20", "does not name a reply")]:
        with pytest.raises(DecisionInvalid, match=message):
            publications.record_handoff(newsroom.db, approver, first, given)
    publications.record_handoff(newsroom.db, approver, first, "20")
    with pytest.raises(DecisionInvalid, match=f"the reply of publication {first}"):
        publications.record_handoff(newsroom.db, approver, second, "https://x.com/rejoinder/status/20")
    assert newsroom.state(second) == "handoff"


@pytest.fixture
def thread(newsroom, approver) -> int:
    """A thread of three parts that waits to be posted by hand."""
    post = newsroom.post(summoned=False)
    return review.approve(
        newsroom.db, approver, post, version=0, text="One.\n---\nTwo.\n---\nThree."
    ).publication_id


def addresses(newsroom) -> list[tuple[object, ...]]:
    found = newsroom.rows("select state, platform_id, platform_url from publication_part order by position")
    return [tuple(row.values()) for row in found]


def test_each_part_of_a_thread_that_was_posted_by_hand_has_an_address(newsroom, approver, thread) -> None:
    url = "https://x.com/me/status/79"
    assert publications.record_handoff(newsroom.db, approver, thread, "77", "78", url) == "77"
    assert addresses(newsroom) == [("sent", "77", None), ("sent", "78", None), ("sent", "79", url)]
    assert newsroom.value("select platform_id from publication") == "77"
    assert newsroom.audit("record_handoff")[0]["diff"]["further_parts"] == [
        {"platform_id": "78", "url": None},
        {"platform_id": "79", "url": url},
    ]
    with newsroom.db.transaction() as tx:
        tx.execute("schedule_measurement", publication_id=thread, window_s=3600, step="snapshot", due_at=NOW)
        number = tx.connection.execute("select id from measurement").fetchone()["id"]
        [measured] = tx.rows("load_measurements", ids=[number])
        theirs = {
            row["platform_id"] for row in tx.rows("replies_among", platform="x", platform_ids=["78", "79"])
        }
    assert measured["platform_ids"] == ["77", "78", "79"]
    assert theirs == {"78", "79"}


def test_of_the_parts_after_the_first_an_address_may_be_missing(newsroom, approver, thread) -> None:
    publications.record_handoff(newsroom.db, approver, thread, "77", " ", "79")
    assert addresses(newsroom) == [("sent", "77", None), ("sent", None, None), ("sent", "79", None)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("", "78"), "does not name a reply"),
        (("77", "nowhere"), "does not name a reply"),
        (("77", "78", "https://x.com/me/status/77"), "77 is given for two parts"),
        (("77", "1001"), "the post itself"),
        (("77", "78", "79", "80"), "4 addresses for 3 parts"),
    ],
)
def test_addresses_of_a_thread_that_cannot_be(newsroom, approver, thread, given, message) -> None:
    with pytest.raises(DecisionInvalid, match=message):
        publications.record_handoff(newsroom.db, approver, thread, *given)
    assert addresses(newsroom) == [("queued", None, None)] * 3
    assert newsroom.state(thread) == "handoff" and newsroom.audit("record_handoff") == []


def test_a_handoff_is_given_up(newsroom, approver, publish) -> None:
    number = publish("handoff")
    publications.abandon_handoff(newsroom.db, approver, number, "the thread is locked")
    assert newsroom.state(number) == "abandoned" and place(newsroom, number) == "post_queue/rejected"
    assert newsroom.value("select detail from publication") == "the thread is locked"


def test_only_a_handoff_is_recorded_by_hand(newsroom, approver, publish) -> None:
    number = publish("queued")
    for attempt in (
        lambda: publications.record_handoff(newsroom.db, approver, number, "20"),
        lambda: publications.abandon_handoff(newsroom.db, approver, number),
        lambda: publications.settle_unknown(newsroom.db, approver, number, "sent", "20"),
    ):
        with pytest.raises(IllegalMove, match=f"publication {number} is queued"):
            attempt()


def test_an_unknown_outcome_turns_out_sent(newsroom, approver, publish) -> None:
    number = publish("unknown")
    with pytest.raises(DecisionInvalid, match="does not name a reply"):
        publications.settle_unknown(newsroom.db, approver, number, "sent")
    publications.settle_unknown(newsroom.db, approver, number, "sent", "https://x.com/i/web/status/77")
    assert newsroom.state(number) == "sent" and place(newsroom, number) == "done/completed"


def test_an_unknown_outcome_is_given_up(newsroom, approver, publish) -> None:
    number = publish("unknown")
    publications.settle_unknown(newsroom.db, approver, number, "abandoned")
    assert newsroom.state(number) == "abandoned" and place(newsroom, number) == "post_queue/rejected"


def test_sending_again_has_to_be_confirmed(newsroom, approver, publish) -> None:
    number = publish("unknown")
    with pytest.raises(DecisionInvalid, match="may post twice"):
        publications.settle_unknown(newsroom.db, approver, number, "queued")
    assert newsroom.state(number) == "unknown"
    publications.settle_unknown(newsroom.db, approver, number, "queued", confirm=True)
    assert newsroom.state(number) == "queued" and place(newsroom, number) == "post_queue/pending"
    assert newsroom.value("select state from publication_part") == "queued"
    assert newsroom.audit("settle_unknown")[0]["diff"] == {"outcome": "queued", "url": None}


COMMANDS: dict[str, Callable[[Any, Actor, int], Any]] = {
    "queued": lambda db, who, n: publications.take_back(db, who, n),
    "handoff": lambda db, who, n: publications.abandon_handoff(db, who, n),
    "unknown": lambda db, who, n: publications.settle_unknown(db, who, n, "abandoned"),
}


@pytest.mark.parametrize("state", COMMANDS)
def test_roles_of_publications(newsroom, actors, publish, state: str) -> None:
    number = publish(state)
    for role in ("viewer", "editor"):
        with pytest.raises(NotAllowed, match="approver"):
            COMMANDS[state](newsroom.db, actors[role], number)
    COMMANDS[state](newsroom.db, actors["admin"], number)


@pytest.mark.parametrize("state", COMMANDS)
def test_two_clicks_count_once(newsroom, approver, publish, state: str) -> None:
    number = publish(state)

    def click(_: int) -> bool:
        try:
            COMMANDS[state](newsroom.db, approver, number)
        except IllegalMove:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(click, range(4))) == 1


@pytest.mark.parametrize("state", COMMANDS)
def test_a_publication_that_is_not_there(newsroom, approver, state: str) -> None:
    with pytest.raises(ConfigInvalid, match="no publication 99"):
        COMMANDS[state](newsroom.db, approver, 99)
