"""Triage asks the policy before anything is drafted; review shows what it says and refuses what it forbids."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.errors import DecisionInvalid
from rejoinder.listening.answerable import Answerable
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.commands.review import approve
from resources.listening import HeardCounts, save_posts
from resources.steps.triage import ClaimFinding
from resources.store.channels import Channel
from resources.store.reviews import load_case

POLICY = replace(default_policy("sandbox/x/enterprise"), author_window_s=86_400, replies_per_conversation=1)
TEXT = "Heat pumps lose three quarters of their power below zero degrees."
CLAIM_STEP = ClaimFinding(1)


def heard(desk: Any, channel: Channel, number: int, **changes: Any) -> int:
    """A post of Ada's that waits for the last step of triage; its number."""
    value = Post("x", str(number), TEXT, datetime(2026, 11, 2, tzinfo=UTC), author="Ada")
    with desk.db.transaction() as tx:
        save_posts(tx, channel, [replace(value, **changes)], HeardCounts())
    return int(
        desk.rows("update post set step = 'claims' where platform_post_id = %s returning id", str(number))[0][
            "id"
        ]
    )


def triage(desk: Any, post: int) -> str:
    """Take the step as a worker would."""
    desk.rows(
        "update post set status = 'processing', lease_worker = 1, lease_until = now() + interval '1 min' where id = %s",
        post,
    )
    with desk.db.transaction() as tx:
        [item] = CLAIM_STEP.load(tx, [post])
        [result] = CLAIM_STEP.work([item])
        return CLAIM_STEP.save(tx, item, result, 1)


def post_row(desk: Any, post: int) -> dict[str, Any]:
    return desk.rows(
        "select p.stage || '/' || p.status as place, p.step, p.due_at, p.lease_worker, p.rejection_reason,"
        " d.verdict, d.reason from post p left join stage_decision d on d.post_id = p.id and d.step = 'policy'"
        " where p.id = %s",
        post,
    )[0]


def test_a_second_post_of_an_author_waits_until_the_window_ends(desk):
    channel = desk.channel(policy=POLICY)
    desk.approved(channel)
    desk.run()
    desk.rows("update post set author = 'ADA'")
    post = heard(desk, channel, 7)
    assert triage(desk, post) == "waits"
    waits = post_row(desk, post)
    assert (waits["place"], waits["step"], waits["lease_worker"]) == ("triage/pending", "claims", None)
    assert waits["verdict"] == "waits" and "its author has a reply within 24 hours" in waits["reason"]
    assert datetime.now(UTC) + timedelta(hours=23) < waits["due_at"] < datetime.now(UTC) + timedelta(hours=25)
    desk.rows("update publication set sent_at = sent_at - interval '25 hours'")
    assert triage(desk, post) == "statistic" and post_row(desk, post)["place"] == "research/pending"


def test_a_reply_that_only_waits_to_be_sent_counts_too(desk):
    channel = desk.channel(policy=POLICY)
    desk.approved(channel)
    desk.rows("update post set author = 'Ada'")
    assert triage(desk, heard(desk, channel, 7)) == "waits"
    assert triage(desk, heard(desk, channel, 8, author="Bob")) == "statistic"


def test_a_full_conversation_and_our_own_posts_are_rejected_with_the_reason(desk):
    channel = desk.channel(policy=POLICY)
    desk.approved(channel)
    desk.rows("update post set conversation_id = 'c1'")
    full, own = heard(desk, channel, 7, conversation_id="c1"), heard(desk, channel, 8, author="Rejoinder")
    assert post_row(desk, own)["place"] == "triage/rejected", "as soon as it is heard"
    assert triage(desk, full) == "rejected"
    rows = [post_row(desk, post) for post in (full, own)]
    assert {row["place"] for row in rows} == {"triage/rejected"}
    assert rows[0]["rejection_reason"] == "1 replies are in this conversation, at most 1 may be"
    assert rows[1]["rejection_reason"] == "written by an account of ours"


def case_at_review(desk: Any, channel: Channel) -> int:
    """An approved reply, taken back: its post waits for a decision again."""
    publication = desk.approved(channel)
    desk.rows("update publication set state = 'cancelled' where id = %s", publication)
    post = int(desk.publication(publication)["post_id"])
    desk.rows("update post set stage = 'review', step = 'review' where id = %s", post)
    return post


def test_review_shows_the_way_the_price_and_the_reason(desk):
    channel = desk.channel(policy=replace(POLICY, price_summoned_usd=0.01, price_with_link_usd=0.2))
    post = case_at_review(desk, channel)
    with desk.db.transaction() as tx:
        case = load_case(tx, post)
    assert (case.standing, case.price_usd) == (Answerable("api"), 0.01)
    desk.rows("update draft set text = 'See https://example.org' where post_id = %s", post)
    desk.rows("insert into opt_out (platform, author, reason) select platform, author, 'stop' from post")
    with desk.db.transaction() as tx:
        case = load_case(tx, post)
    assert case.price_usd == 0.2 and case.standing.rule == "opted_out"
    with pytest.raises(DecisionInvalid, match="asked to be left alone"):
        approve(desk.db, desk.approver, post, version=case.version, text="They do work.")
    assert desk.rows("select id from publication where state = 'queued'") == []
