"""Answers to our replies: tied to them, told apart, and asked for where more were counted than were heard."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.listening.post import Post
from rejoinder.listening.stop_words import REQUESTS
from resources.clients import open_client
from resources.commands.follow_ups import take_up
from resources.listening import HeardCounts, hear_all, save_posts
from resources.measuring import measure_due
from resources.platforms.failures import SpendStopped
from resources.platforms.port import Heard, Metrics
from resources.publishing.run import publish_due
from resources.store.follow_ups import follow_ups_of
from resources.store.post_edits import OURS
from resources.work.stopping import StopSignal

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def answer(number: int, text: str, *, to: str = "9000", author: str = "bo", **more: Any) -> Post:
    return Post("x", str(number), text, NOW, author=author, parent_id=to, mentions=("rejoinder",), **more)


def hear(desk, channel, *posts: Post) -> HeardCounts:
    counts = HeardCounts()
    with desk.db.transaction() as tx:
        save_posts(tx, channel, posts, counts)
    return counts


def row(desk, number: int) -> dict[str, Any]:
    return desk.rows(
        "select o.*, d.verdict, d.reason from post o"
        " left join stage_decision d on d.post_id = o.id and d.step = 'follow_up' where platform_post_id = %s",
        str(number),
    )[0]


@pytest.fixture
def channel(desk):
    return desk.channel()


@pytest.fixture
def sent(desk, channel) -> int:
    reply = desk.approved(channel)
    assert desk.run().sent == 1
    return reply


def test_a_question_goes_to_triage_and_a_remark_is_kept(desk, channel, sent):
    hear(
        desk, channel, answer(1, "@rejoinder Why?"), answer(2, "@rejoinder Thanks."), answer(3, "x", to="77")
    )
    asked, thanked, other = (row(desk, number) for number in (1, 2, 3))
    assert (asked["stage"], asked["status"], asked["verdict"]) == ("triage", "pending", "question")
    assert (thanked["stage"], thanked["status"], thanked["verdict"]) == ("triage", "rejected", "remark")
    assert "asks nothing" in thanked["rejection_reason"]
    assert asked["answers_publication_id"] == thanked["answers_publication_id"] == sent
    assert (other["answers_publication_id"], other["verdict"]) == (None, None)
    with desk.db.transaction() as tx:
        assert [one.kind for one in follow_ups_of(tx, [sent])] == ["question", "remark"]


def test_an_answer_to_a_later_part_of_a_thread_is_one_to_the_reply(desk, channel, sent):
    desk.rows(
        "alter table publication_part disable trigger user; "
        "insert into publication_part (publication_id, position, text, sha256, state, platform_id)"
        f" values ({sent}, 1, 'b', encode(sha256('b'), 'hex'), 'sent', '9555');"
        " alter table publication_part enable trigger user"
    )
    hear(desk, channel, answer(1, "@rejoinder Why?", to="9555"))
    assert row(desk, 1)["answers_publication_id"] == sent


def test_the_next_part_of_our_own_thread_answers_nobody(desk, channel, sent):
    # As it comes out of an archive or a community, before the reply's own id is known.
    own, theirs = answer(1, "2/2 And below zero.", author="Rejoinder"), answer(2, "@rejoinder Thanks.")
    hear(desk, channel, own, theirs)
    desk.rows("update post set answers_publication_id = null where parent_id = '9000'")
    measure(desk, timedelta(hours=1.1))
    assert [row(desk, number)["answers_publication_id"] for number in (1, 2)] == [None, sent]


def test_what_another_account_of_ours_writes_answers_nobody_and_opens_nothing(desk, channel, sent):
    second = desk.channel("second", account="@Second")
    ours = answer(1, "@rejoinder Why? Here is more.", author="second")
    stop = answer(2, "@rejoinder stop", author="SECOND")
    elsewhere = answer(3, "Heat pumps never work, do they?", to="1", author="rejoinder")
    hear(desk, channel, ours, stop)
    hear(desk, second, elsewhere)
    hear(desk, channel, answer(1, "@rejoinder Why? Here is even more.", author="second"))
    for number in (1, 2, 3):
        found = row(desk, number)
        assert (found["stage"], found["status"], found["answers_publication_id"]) == (
            "triage",
            "rejected",
            None,
        )
        assert found["rejection_reason"] == OURS and found["verdict"] is None
    assert desk.rows("select 1 from opt_out") == []
    # Nor is it one that was heard before the reply's own id was known.
    desk.platform.counts = {"9000": Metrics(100, 0, 3, 0)}
    measure(desk, timedelta(hours=1.1))
    assert row(desk, 1)["answers_publication_id"] is None
    # Nor is it counted as one: two of the three that the platform counts are ours.
    assert desk.rows("select replies from engagement_snapshot") == [{"replies": 1}]


def test_an_account_of_another_project_is_somebody_else(desk, channel, sent):
    desk.rows("insert into project (creator_id, name) select id, 'q' from creator")
    [other] = desk.rows("select id from project where name = 'q'")
    desk.rows(
        "update channel set project_id = %s where id = %s", other["id"], desk.channel("b", account="bo").id
    )
    hear(desk, channel, answer(1, "@rejoinder Why?", author="bo"))
    assert row(desk, 1)["answers_publication_id"] == sent


def test_an_answer_is_judged_by_the_account_that_it_answers(desk, channel, sent):
    second = desk.channel("second", account="second")
    hear(desk, second, answer(1, "I doubt it, ask @rejoinder."), answer(2, "I doubt it, ask @second."))
    assert [row(desk, number)["verdict"] for number in (1, 2)] == ["summons", "remark"]


def test_a_person_takes_up_a_remark_once(desk, channel, sent):
    hear(desk, channel, answer(1, "@rejoinder I doubt it."))
    take_up(desk.db, desk.approver, row(desk, 1)["id"])
    found = row(desk, 1)
    assert (found["stage"], found["status"], found["rejection_reason"]) == ("triage", "pending", None)
    with pytest.raises(Exception, match="no remark"):
        take_up(desk.db, desk.approver, found["id"])
    assert desk.rows("select action from audit_event where action = 'take_up'") == [{"action": "take_up"}]


def test_an_edited_remark_rests_until_it_asks_something(desk, channel, sent):
    hear(desk, channel, answer(1, "@rejoinder Thnaks."))
    assert hear(desk, channel, answer(1, "@rejoinder Thanks.")).edited == 1
    found = row(desk, 1)
    assert (found["text"], found["status"], found["verdict"]) == ("@rejoinder Thanks.", "rejected", "remark")
    assert "asks nothing" in found["rejection_reason"]
    hear(desk, channel, answer(1, "@rejoinder Thanks. And below zero?"))
    found = row(desk, 1)
    assert (found["status"], found["rejection_reason"], found["verdict"]) == ("pending", None, "question")


@pytest.mark.parametrize("lang", sorted(REQUESTS))
def test_stop_under_our_reply_leaves_its_author_alone_for_ever(desk, channel, sent, lang):
    open_case = answer(5, "@rejoinder Do they work in winter?", to="1")
    hear(desk, channel, open_case)
    # Nobody is named: that the post answers a reply of ours says whom it means.
    words = Post("x", "6", REQUESTS[lang][0], NOW, author="bo", parent_id="9000")
    hear(desk, channel, words)
    assert desk.rows("select author from opt_out") == [{"author": "bo"}]
    assert row(desk, 5)["status"] == "withdrawn"
    assert row(desk, 6)["status"] in ("rejected", "withdrawn")
    assert hear(desk, channel, answer(7, "@rejoinder Why?")).opted_out == 1


def measure(desk, later: timedelta):
    desk.platform.advanced = later
    return measure_due(
        desk.db,
        open_client=lambda channel, credential: desk.platform,
        tuning=desk.tuning,
        stop=StopSignal(),
    )


def test_what_was_heard_before_the_reply_was_known_is_tied_at_its_first_snapshot(desk, channel):
    hear(desk, channel, answer(1, "@rejoinder Why?"))
    reply = desk.approved(channel)
    desk.run()
    assert row(desk, 1)["answers_publication_id"] is None
    measure(desk, timedelta(hours=1.1))
    assert row(desk, 1)["answers_publication_id"] == reply


def test_answers_that_were_counted_but_not_heard_are_asked_for(desk, channel, sent):
    asked = []

    def replies(parent_id, since, most):
        asked.append(parent_id)
        return Heard((answer(1, "@rejoinder Why?"),), {})

    desk.platform.replies = replies
    desk.platform.capabilities = frozenset({"replies"})
    desk.platform.counts = {"9000": Metrics(100, 0, 1, 0)}
    assert measure(desk, timedelta(hours=1.1)).outcomes == {"taken": 1, "answers_found": 1}
    assert row(desk, 1)["answers_publication_id"] == sent
    assert measure(desk, timedelta(hours=25)).outcomes == {"taken": 1}
    assert asked == ["9000"]


def test_no_budget_for_asking_holds_no_snapshot_up(desk, channel, sent):
    def replies(parent_id, since, most):
        raise SpendStopped(NOW, "the day's budget is spent")

    desk.platform.replies = replies
    desk.platform.capabilities = frozenset({"replies"})
    report = measure(desk, timedelta(hours=1.1))
    assert report.outcomes == {"taken": 1} and "answers are not asked for" in next(iter(report.errors))


@pytest.mark.parametrize("platform", ["x", "reddit"])
def test_on_the_sandbox_an_answer_of_another_account_is_heard_and_told_apart(desk, live, platform):
    server, [reply] = live(platform)
    named = {"open_client": open_client, "tuning": desk.tuning, "stop": StopSignal()}
    hear_all(desk.db, **named)
    assert publish_due(desk.publisher, **named).sent == 1
    parent = desk.publication(reply)["platform_id"]
    said = {"remark": "Thanks, that helps.", "question": "And what about below zero?", "stop": "Stop it."}
    common = {"platform": platform, "parent_id": parent}
    common |= {"mentions": ["rejoinder"]} if platform == "x" else {"community": "elsewhere"}
    posts = [{**common, "author": f"b_{kind}", "text": text} for kind, text in said.items()]
    server.post("/sandbox/posts", {"posts": posts})
    server.post("/sandbox/clock", {"advance_s": 60})
    hear_all(desk.db, **named)
    with desk.db.transaction() as tx:
        found = {one.kind: one for one in follow_ups_of(tx, [reply])}
    assert set(found) == set(said)
    assert (found["question"].stage, found["question"].status) == ("triage", "pending")
    assert found["remark"].status == "rejected" and found["stop"].status in ("rejected", "withdrawn")
    assert [r["author"].lower() for r in desk.rows("select author from opt_out")] == ["b_stop"]


@pytest.mark.parametrize("platform", ["x", "reddit"])
def test_on_the_sandbox_unheard_answers_are_found_and_removals_seen_while_measuring(desk, live, platform):
    server, [reply] = live(platform)
    named = {"open_client": open_client, "tuning": desk.tuning, "stop": StopSignal()}
    assert publish_due(desk.publisher, **named).sent == 1
    parent = desk.publication(reply)["platform_id"]
    post = {"platform": platform, "parent_id": parent, "author": "bo", "text": "And below zero?"}
    post |= {"mentions": ["rejoinder"]} if platform == "x" else {"community": "elsewhere"}
    server.post("/sandbox/posts", {"posts": [post]})
    server.post("/sandbox/clock", {"advance_s": 3700})
    report = measure_due(desk.db, **named)
    assert report.outcomes == {"taken": 1, "answers_found": 1} and report.errors == {}
    with desk.db.transaction() as tx:
        assert [one.kind for one in follow_ups_of(tx, [reply])] == ["question"]
    [taken] = desk.rows("select link_clicks, profile_clicks, replies from engagement_snapshot")
    assert taken["replies"] >= 1 and (taken["link_clicks"] is not None) == (platform == "x")
    server.post(f"/sandbox/posts/{parent}", {"removed": True} if platform == "reddit" else {"deleted": True})
    server.post("/sandbox/clock", {"advance_s": 86_400 - 3_600})
    assert measure_due(desk.db, **named).outcomes == {"deleted": 1}
    found = desk.publication(reply)
    assert found["removed_at"] and found["state"] == "sent" and desk.notices().count("removed") == 1
