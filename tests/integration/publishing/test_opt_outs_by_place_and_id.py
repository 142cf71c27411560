"""Where an opt-out holds (a rehearsal's on sandbox channels alone), and that it outlives a change of the handle."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rejoinder.errors import NotAllowed
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.commands.opt_outs import add_opt_out, remove_opt_out
from resources.listening import HeardCounts, save_posts
from resources.store.channels import Channel
from resources.store.opt_outs import left_alone_among, list_opt_outs

BOOK = Post("x", "1", "asyncio is hard", datetime(2026, 11, 2, tzinfo=UTC), author="Ada", author_id="77")


@pytest.fixture
def real(desk: Any) -> Channel:
    """A channel on the real X."""
    return desk.channel("real", is_sandbox=False, base_url=None, policy=default_policy("x/enterprise"))


@pytest.fixture
def rehearsal(desk: Any) -> Channel:
    """A channel on the sandbox."""
    return desk.channel("rehearsal")


def hear(desk: Any, channel: Channel, *posts: Post) -> HeardCounts:
    counts = HeardCounts()
    with desk.db.transaction() as tx:
        save_posts(tx, channel, posts, counts)
    return counts


def stop(post_id: str, **changes: Any) -> Post:
    said = replace(BOOK, platform_post_id=post_id, text="@rejoinder stop", mentions=("rejoinder",))
    return replace(said, **changes)


def states(desk: Any) -> dict[str, str]:
    rows = desk.rows("select platform_post_id, status from post")
    return {row["platform_post_id"]: row["status"] for row in rows}


def test_a_stop_on_the_sandbox_says_nothing_on_the_platform(desk: Any, real: Any, rehearsal: Any) -> None:
    hear(desk, real, BOOK)
    hear(desk, rehearsal, replace(BOOK, platform_post_id="2"), stop("3"))
    assert states(desk) == {"1": "pending", "2": "withdrawn", "3": "withdrawn"}
    assert hear(desk, rehearsal, replace(BOOK, platform_post_id="4")).opted_out == 1
    assert hear(desk, real, replace(BOOK, platform_post_id="5")).new == 1


def test_a_stop_on_the_platform_holds_on_the_sandbox_too(desk: Any, real: Any, rehearsal: Any) -> None:
    hear(desk, rehearsal, BOOK)
    hear(desk, real, replace(BOOK, platform_post_id="2"), stop("3"))
    assert set(states(desk).values()) == {"withdrawn"}
    assert hear(desk, rehearsal, replace(BOOK, platform_post_id="4")).opted_out == 1


def test_another_handle_is_the_same_author(desk: Any, real: Any) -> None:
    hear(desk, real, replace(BOOK, platform_post_id="2", author="Lovelace"), stop("3"))
    assert states(desk) == {"2": "withdrawn", "3": "withdrawn"}
    renamed = replace(BOOK, platform_post_id="4", author="Countess")
    assert hear(desk, real, renamed).opted_out == 1
    assert hear(desk, real, replace(renamed, platform_post_id="5", author_id="78")).new == 1


def test_an_edit_under_another_handle_brings_nobody_back(desk: Any, real: Any) -> None:
    hear(desk, real, replace(BOOK, author="Lovelace"))
    hear(desk, real, stop("3"))
    hear(desk, real, replace(BOOK, author="Lovelace", text="said otherwise"))
    assert states(desk)["1"] == "withdrawn"


def test_the_block_list_learns_the_id_of_a_handle(desk: Any, real: Any) -> None:
    add_opt_out(desk.db, desk.approver, "x", "@ada", reason="by letter")
    assert hear(desk, real, BOOK).opted_out == 1
    assert hear(desk, real, replace(BOOK, author="Countess")).opted_out == 1
    with desk.db.transaction() as tx:
        assert [(o.author, o.author_id) for o in list_opt_outs(tx)] == [("ada", "77")]


def test_a_handle_that_was_heard_before_is_blocked_with_its_id(desk: Any, real: Any) -> None:
    hear(desk, real, BOOK, replace(BOOK, platform_post_id="2", author="Countess"))
    assert add_opt_out(desk.db, desk.approver, "x", "ada").withdrawn == 2


def test_a_block_for_rehearsals_is_put_and_taken_by_itself(desk: Any, real: Any, rehearsal: Any) -> None:
    owner = replace(desk.approver, role="admin")
    desk.rows("update person set role = 'admin'")
    add_opt_out(desk.db, owner, "x", "ada", is_rehearsal=True)
    assert hear(desk, real, BOOK).new == 1
    add_opt_out(desk.db, owner, "x", "ada")
    remove_opt_out(desk.db, owner, "x", "ada")
    with desk.db.transaction() as tx:
        assert [o.is_rehearsal for o in list_opt_outs(tx)] == [True]
    assert hear(desk, rehearsal, replace(BOOK, platform_post_id="2")).opted_out == 1


def test_a_purge_takes_the_id_too(desk: Any, real: Any) -> None:
    hear(desk, real, BOOK)
    with desk.db.transaction() as tx:
        tx.rows("purge_posts", ids=[desk.rows("select id from post")[0]["id"]], now=datetime.now(UTC))
    assert desk.rows("select author, author_id from post") == [{"author": None, "author_id": None}]


def opt_outs(desk: Any) -> list[tuple[str, str | None, bool]]:
    """Handle, id and whether it is a rehearsal's, of everybody who is left alone."""
    with desk.db.transaction() as tx:
        return sorted((o.author, o.author_id, o.is_rehearsal) for o in list_opt_outs(tx))


def test_an_id_that_the_sandbox_gave_out_is_not_that_of_the_platform(
    desk: Any, real: Any, rehearsal: Any
) -> None:
    hear(desk, rehearsal, replace(BOOK, author_id="sandbox"))
    add_opt_out(desk.db, desk.approver, "x", "ada", is_asked=True)
    hear(desk, rehearsal, replace(BOOK, platform_post_id="2", author_id="sandbox"))
    assert opt_outs(desk) == [("ada", None, False)]
    hear(desk, real, replace(BOOK, platform_post_id="3"))
    assert opt_outs(desk) == [("ada", "77", False)]
    assert hear(desk, real, replace(BOOK, platform_post_id="4", author="Countess")).opted_out == 1


def test_whom_a_person_blocked_may_ask_for_it_and_is_never_taken_off(desk: Any, real: Any) -> None:
    owner = replace(desk.approver, role="admin")
    desk.rows("update person set role = 'admin'")
    add_opt_out(desk.db, owner, "x", "ada")
    assert hear(desk, real, stop("3")).opted_out == 1
    with pytest.raises(NotAllowed, match="asked to be left alone"):
        remove_opt_out(desk.db, owner, "x", "ada")
    assert [
        row["action"] for row in desk.rows("select action from audit_event where actor = 'listening'")
    ] == ["opt_out"]


def test_each_way_to_ask_says_the_same_of_each_post(desk: Any, real: Any, rehearsal: Any) -> None:
    """The view that is read as a whole, the function for one row, and who is left alone among posts that come in."""
    people = [
        ("Ada", "1"),
        ("ADA", None),
        ("Eve", "2"),
        ("Eva", "2"),
        ("Bo", None),
        (None, None),
        (None, "2"),
    ]
    posts = [replace(BOOK, author=name, author_id=one) for name, one in people]
    for channel in (real, rehearsal):
        numbered = [
            replace(post, platform_post_id=f"{channel.id}{place}") for place, post in enumerate(posts)
        ]
        hear(desk, channel, *numbered)
    desk.rows(
        "insert into opt_out (platform, author, author_id, reason, is_rehearsal) values"
        " ('x', 'ada', null, 'r', true), ('x', 'eve', '2', 'r', false), ('reddit', 'bo', null, 'r', false)"
    )
    rows = desk.rows(
        "select p.channel_id, p.author, p.author_id, is_left_alone(p) as is_left,"
        " p.id not in (select id from willing_post) as is_unwilling from post p"
    )
    assert len(rows) == 2 * len(people)
    for channel in (real, rehearsal):
        with desk.db.transaction() as tx:
            among = left_alone_among(tx, channel, posts)
        told = {(r["author"], r["author_id"]): r["is_left"] for r in rows if r["channel_id"] == channel.id}
        assert told == {(post.author, post.author_id): among.has(post) for post in posts}
        assert sum(told.values()) == (5 if channel.is_sandbox else 3)
    assert all(row["is_left"] == row["is_unwilling"] for row in rows)


def test_who_took_over_a_handle_and_asks_is_known_by_an_id_of_its_own(desk: Any, real: Any) -> None:
    owner = replace(desk.approver, role="admin")
    desk.rows("update person set role = 'admin'")
    hear(desk, real, stop("3"))
    hear(desk, real, replace(BOOK, platform_post_id="4", author_id="78"))
    assert opt_outs(desk) == [("ada", "77", False)]
    hear(desk, real, stop("5", author_id="78"))
    assert opt_outs(desk) == [("ada", "77", False), ("ada", "78", False)]
    assert hear(desk, real, replace(BOOK, platform_post_id="6", author="Eve", author_id="78")).opted_out == 1
    assert add_opt_out(desk.db, owner, "x", "ada").known == 1
    with pytest.raises(NotAllowed, match="asked to be left alone"):
        remove_opt_out(desk.db, owner, "x", "ada")
