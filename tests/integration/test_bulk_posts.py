"""A batch of posts is saved as if one came after the other; what cannot be stored keeps nothing else out."""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import psycopg
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.postgres import Database, Transaction
from resources.store.channels import save_channel
from resources.store.post_edits import ARCHIVED
from resources.store.posts import NewPost, Saved, insert_post, insert_posts, post_of

SOUND = Post("x", "1", "first", datetime(2026, 11, 1, tzinfo=UTC), author="ann", metrics={"like_count": 3})
TEXTS = st.sampled_from(["first", "second", "nul \0 byte", "half \ud83d pair", 'q"uo\\te {} ünï ✅'])
POSTS = st.builds(
    NewPost,
    st.builds(
        replace,
        st.just(SOUND),
        platform=st.sampled_from(["x", "reddit"]),
        platform_post_id=st.sampled_from(["1", "2", "3", "4"]),
        text=TEXTS,
        author_followers=st.sampled_from([None, 7, 2**40]),
        mentions=st.sampled_from([(), ("ann", "b,c"), ('{"x"}',)]),
        conversation_id=st.sampled_from([None, "1"]),
    ),
    is_summoned=st.booleans(),
    priority=st.integers(0, 2000),
)
KEPT = (
    "platform, platform_post_id, author, author_followers, text, mentions, metrics, conversation_id, created_at,"
    " is_summoned, priority, stage, step, status, round, rejection_reason"
)


class Undo(Exception):
    """Ends a transaction without keeping it."""


@contextlib.contextmanager
def passing(db: Database) -> Iterator[tuple[Transaction, int]]:
    """A transaction of which nothing stays, with a channel in it."""
    with contextlib.suppress(Undo), db.transaction() as tx:
        project = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        channel = save_channel(
            tx, project_id=project, name="rehearsal", platform="x", account="rejoinder", base_url=None,
            is_sandbox=True, policy=default_policy("sandbox/x/enterprise"),
        )  # fmt: skip
        yield tx, channel
        raise Undo


def table(tx: Transaction) -> list[dict[str, Any]]:
    rows = tx.connection.execute(f"select {KEPT} from post order by platform, platform_post_id")  # type: ignore[call-overload]
    return list(rows.fetchall())


def one_by_one(tx: Transaction, channel: Any, posts: Sequence[NewPost]) -> list[str]:
    outcomes = []
    for new in posts:
        try:
            with tx.connection.transaction():
                outcomes.append(
                    insert_post(tx, channel, new.post, is_summoned=new.is_summoned, priority=new.priority)
                )
        except psycopg.DataError:
            outcomes.append("unstorable")
    return outcomes


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(POSTS, max_size=8), min_size=1, max_size=3))
@example(batches=[[NewPost(SOUND, False, 1), NewPost(replace(SOUND, text="second"), False, 1)]])
def test_a_batch_is_as_one_after_the_other(db: Database, batches: list[list[NewPost]]) -> None:
    with passing(db) as (tx, channel):
        at_once = [saved.outcome for batch in batches for saved in insert_posts(tx, channel, batch)]
        rows_at_once = table(tx)
    with passing(db) as (tx, channel):
        assert [o for batch in batches for o in one_by_one(tx, channel, batch)] == at_once
        assert table(tx) == rows_at_once
    stored = {(row["platform"], row["platform_post_id"]) for row in rows_at_once}
    assert len(stored) == len(rows_at_once) == at_once.count("new")


def test_what_cannot_be_stored_says_why_and_the_rest_stands(db: Database) -> None:
    ids = [str(n) for n in range(100)]
    posts = [NewPost(replace(SOUND, platform_post_id=i), False, 0) for i in ids]
    posts[17] = replace(posts[17], post=replace(posts[17].post, text="\0"))
    posts[60] = replace(posts[60], post=replace(posts[60].post, conversation_id=long_and_odd()))
    with passing(db) as (tx, channel):
        saved = insert_posts(tx, channel, posts)
        assert [place for place, each in enumerate(saved) if each != Saved("new")] == [17, 60]
        assert all(saved[place].outcome == "unstorable" and saved[place].reason for place in (17, 60))
        assert len(table(tx)) == 98


def long_and_odd() -> str:
    """A text over what a row of an index holds, and that does not compress."""
    import random

    return "".join(random.Random(1).choices([chr(c) for c in range(0x4E00, 0x9000)], k=4000))


def test_an_archive_does_not_overrule_what_was_heard(db: Database) -> None:
    heard = NewPost(SOUND, False, 5)
    old = NewPost(replace(SOUND, platform_post_id="2"), False, 5, is_archived=True)
    again = [replace(each, post=replace(each.post, text="otherwise")) for each in (heard, old)]
    with passing(db) as (tx, channel):
        insert_posts(tx, channel, [heard])
        assert insert_posts(tx, channel, [old], from_archive=True) == [Saved("new")]
        assert insert_posts(tx, channel, again, from_archive=True) == [Saved("known"), Saved("edited")]
        first, second = table(tx)
        assert (first["text"], first["status"]) == ("first", "pending")
        assert (second["text"], second["status"]) == ("otherwise", "rejected")
        assert second["rejection_reason"] == ARCHIVED and second["round"] == 0


def test_all_that_a_platform_told_of_a_post_is_stored(db: Database) -> None:
    full = replace(
        SOUND, author_id="77", author_followers=7, community="python", url="https://x.com/ann/status/1",
        conversation_id="1", parent_id="9", mentions=("bob",), quoted_author="eve", lang="en",
    )  # fmt: skip
    told = {one.name: getattr(full, one.name) for one in fields(Post)}
    assert all(told[name] for name in told if name != "earlier_ids")
    with passing(db) as (tx, channel):
        insert_posts(tx, channel, [NewPost(full, False, 0)])
        (row,) = tx.connection.execute("select * from post").fetchall()
        assert post_of(row) == full
