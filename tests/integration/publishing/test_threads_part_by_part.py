"""Threads: each part once, in order, under the one before it; whatever happens in between."""

from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from rejoinder.errors import DecisionInvalid, IllegalMove
from rejoinder.listening.policy import default_policy
from rejoinder.posting.pacing import RateWindow
from resources.commands.publications import (
    finish_by_hand,
    record_handoff,
    settle_unknown,
    take_back,
)
from resources.commands.review import approve
from resources.platforms.failures import OutcomeUnknown, RateLimited, Refused

MINUTE = timedelta(minutes=1)
TEXTS = ("It works below zero.", "At 12:04 they measure it.", "At 15:30 they say why.")


@pytest.fixture
def thread(desk):
    """Approves a thread of three parts; its publication."""
    return lambda channel=None, texts=TEXTS: desk.approved(
        channel or desk.channel(), text="\n---\n".join(texts)
    )


def parts(desk, publication):
    return desk.rows(
        "select state, platform_id, text from publication_part where publication_id = %s order by position",
        publication,
    )


def states(desk, publication):
    return [part["state"] for part in parts(desk, publication)]


def said(desk):
    return [(parent, text) for parent, text, _ in desk.platform.replies]


def test_a_thread_goes_out_part_by_part_each_under_the_one_before(desk, thread):
    reply = thread()
    report = desk.run()
    assert (report.sent, report.parts, desk.platform.requests) == (1, 2, 3)
    assert said(desk) == list(zip(("1001", "9000", "9001"), TEXTS, strict=True))
    row = desk.publication(reply)
    assert (row["state"], row["place"], row["platform_id"], row["parts_sent"]) == (
        "sent",
        "done/completed",
        "9000",
        3,
    )
    assert [p["platform_id"] for p in parts(desk, reply)] == ["9000", "9001", "9002"]
    assert desk.walk(reply) == ["queued", "sending", "sent"]
    first_at = desk.platform.replies[0][2].sent_at
    planned = desk.rows("select window_s, due_at from measurement order by window_s")
    assert [m["due_at"] - first_at for m in planned] == [timedelta(seconds=m["window_s"]) for m in planned]
    assert desk.run().items == 0 and desk.platform.requests == 3


def test_each_part_is_committed_before_its_request(desk, thread):
    reply, seen = thread(), []
    desk.platform.script = [lambda: seen.append(states(desk, reply)) or None] * 3
    desk.run()
    assert seen == [
        ["sending", "queued", "queued"],
        ["sent", "sending", "queued"],
        ["sent", "sent", "sending"],
    ]


def test_a_part_that_was_not_seen_stops_the_thread_until_it_is_found(desk, thread):
    reply = thread()
    desk.platform.script = [None, ("landed", OutcomeUnknown("503"))]
    assert (desk.run().unknown, states(desk, reply)) == (1, ["sent", "unknown", "queued"])
    row = desk.publication(reply)
    assert row["detail"] == "1 of 3 parts stand; 503" and row["place"] == "post_queue/processing"
    report = desk.run(later=2 * MINUTE)
    assert (report.found, report.sent, desk.platform.requests) == (1, 1, 3)
    assert said(desk) == list(zip(("1001", "9000", "9001"), TEXTS, strict=True))
    assert desk.walk(reply) == ["queued", "sending", "unknown", "queued", "sending", "sent"]


def test_a_part_that_is_nowhere_waits_for_a_person(desk, thread):
    reply = thread()
    desk.platform.script = [None, OutcomeUnknown("dropped")]
    desk.run()
    assert desk.run(later=20 * MINUTE).absent == 1
    assert desk.notices() == ["unknown_absent"] and desk.platform.requests == 2
    settle_unknown(desk.db, desk.approver, reply, "queued", confirm=True)
    assert states(desk, reply) == ["sent", "queued", "queued"]
    assert desk.run(later=21 * MINUTE).sent == 1
    assert said(desk) == list(zip(("1001", "9000", "9001"), TEXTS, strict=True))


def test_a_person_names_the_part_and_the_rest_follows(desk, thread):
    reply = thread()
    desk.platform.script = [None, OutcomeUnknown("dropped")]
    desk.run()
    with pytest.raises(DecisionInvalid, match="paste the address of this one"):
        settle_unknown(desk.db, desk.approver, reply, "sent", "https://x.com/i/status/9000")
    settle_unknown(desk.db, desk.approver, reply, "sent", "https://x.com/i/status/777")
    assert (states(desk, reply), desk.publication(reply)["state"]) == (["sent", "sent", "queued"], "queued")
    desk.run()
    assert said(desk)[-1] == ("777", TEXTS[2]) and desk.publication(reply)["state"] == "sent"
    assert desk.publication(reply)["platform_id"] == "9000"


def test_a_thread_given_up_says_how_far_it_came_and_stays_the_answer(desk, thread):
    reply = thread()
    desk.platform.script = [None, OutcomeUnknown("dropped")]
    desk.run()
    settle_unknown(desk.db, desk.approver, reply, "abandoned")
    row = desk.publication(reply)
    assert (row["state"], row["place"]) == ("abandoned", "post_queue/rejected")
    assert row["detail"].startswith("1 of 3 parts stand")
    assert desk.run(later=60 * MINUTE).items == 0


def test_a_later_part_that_is_refused_ends_the_thread_and_people_are_told(desk, thread):
    reply = thread()
    desk.platform.script = [None, Refused("blocked", "blocked")]
    assert desk.run().refused == 1
    row = desk.publication(reply)
    assert (row["state"], row["reason_code"], row["place"]) == ("refused", "blocked", "post_queue/failed")
    assert row["detail"].startswith("1 of 3 parts stand; ") and desk.notices() == ["refused"]
    with pytest.raises(IllegalMove, match="part of an earlier reply to this post stands"):
        post = desk.rows("select id, version from post")[0]
        approve(desk.db, desk.approver, post["id"], version=post["version"], text="Other words.")


def test_what_is_left_of_a_refused_thread_is_finished_by_hand(desk, thread):
    reply = thread()
    desk.platform.script = [None, Refused("blocked", "blocked")]
    desk.run()
    finish_by_hand(desk.db, desk.approver, reply)
    assert desk.publication(reply)["place"] == "post_queue/pending"
    record_handoff(desk.db, desk.approver, reply, "https://x.com/i/status/555")
    row = desk.publication(reply)
    assert (row["state"], row["platform_id"]) == ("sent", "9000")
    assert [p["platform_id"] for p in parts(desk, reply)] == ["9000", "555", None]


def test_a_reply_of_which_nothing_stands_is_not_finished_by_hand(desk, thread):
    reply = thread()
    desk.platform.script = [Refused("blocked", "blocked")]
    desk.run()
    with pytest.raises(IllegalMove, match="approve the reply again"):
        finish_by_hand(desk.db, desk.approver, reply)
    with pytest.raises(psycopg.errors.CheckViolation, match="nothing to finish"):
        desk.rows("update publication set state = 'handoff'")


def test_a_thread_waits_between_its_parts_for_the_platform(desk, thread):
    reply = thread()
    desk.platform.script = [None, RateLimited(desk.platform.now() + 5 * MINUTE)]
    assert desk.run().requeued == 1
    row = desk.publication(reply)
    assert (row["state"], row["place"]) == ("queued", "post_queue/rate_limited")
    assert states(desk, reply) == ["sent", "queued", "queued"]
    desk.run(later=6 * MINUTE)
    assert said(desk) == list(zip(("1001", "9000", "9001"), TEXTS, strict=True))


def test_the_account_s_windows_are_asked_between_the_parts(desk, thread):
    channel = desk.channel()
    reply = thread(channel)
    desk.platform.script = [
        lambda: setattr(desk.platform, "windows", (RateWindow(300, 0, desk.platform.now() + 5 * MINUTE),))
    ]
    assert desk.run().parts == 1
    assert states(desk, reply) == ["sent", "queued", "queued"]
    assert desk.publication(reply)["reason_code"] == "rate_limited"
    desk.platform.windows = ()
    assert desk.run(later=6 * MINUTE).sent == 1


def test_an_interval_between_replies_does_not_tear_a_thread_apart(desk, thread):
    policy = replace(default_policy("sandbox/x/enterprise"), min_interval_s=600)
    thread(desk.channel(policy=policy))
    assert (desk.run().sent, desk.platform.requests) == (1, 3)


def test_a_pause_holds_what_is_left_of_a_thread(desk, thread):
    reply = thread()
    desk.platform.script = [lambda: desk.rows("insert into pause (reason) values ('stop')") or None]
    assert desk.run().parts == 1
    assert (desk.publication(reply)["reason_code"], states(desk, reply)) == (
        "paused",
        ["sent", "queued", "queued"],
    )
    assert desk.run().items == 0
    desk.rows("update pause set resumed_at = now()")
    assert (desk.run().sent, desk.platform.requests) == (1, 3)


def test_nothing_more_is_said_to_who_asks_us_to_stop(desk, thread):
    reply = thread()
    stop = "insert into opt_out (platform, author, reason) values ('x', 'Author1', 'stop')"
    desk.platform.script = [lambda: desk.rows(stop) or None]
    desk.run()
    desk.run()
    row = desk.publication(reply)
    assert (row["state"], row["place"], desk.platform.requests) == ("cancelled", "post_queue/withdrawn", 1)
    assert row["detail"].startswith("1 of 3 parts stand; ")


def test_an_approver_who_leaves_ends_the_thread(desk, thread):
    reply = thread()
    desk.platform.script = [lambda: desk.rows("update person set is_active = false") or None]
    desk.run()
    desk.run()
    row = desk.publication(reply)
    assert (row["state"], row["place"]) == ("cancelled", "post_queue/rejected")
    assert (row["reason_code"], desk.platform.requests) == ("approval_void", 1)


def test_the_rest_of_a_thread_is_taken_back(desk, thread):
    reply = thread()
    desk.platform.script = [None, RateLimited(None)]
    desk.run()
    take_back(desk.db, desk.approver, reply)
    row = desk.publication(reply)
    assert (row["state"], row["place"]) == ("cancelled", "post_queue/rejected")
    assert row["detail"] == "1 of 3 parts stand; the rest was taken back"


def test_each_part_is_charged_and_only_the_first_answers_a_call(desk, thread):
    policy = replace(
        default_policy("sandbox/x/enterprise"),
        price_summoned_usd=0.1, price_per_create_usd=0.2, price_with_link_usd=0.5,
    )  # fmt: skip
    thread(desk.channel(policy=policy), ("One.", "Two.", "See https://example.org/12 for more."))
    desk.run()
    spent = desk.rows("select action, n_charged, spent_usd::float8 as usd from spend_entry order by action")
    assert spent == [
        {"action": "create", "n_charged": 1, "usd": 0.2},
        {"action": "create_summoned", "n_charged": 1, "usd": 0.1},
        {"action": "create_with_link", "n_charged": 1, "usd": 0.5},
    ]


def test_a_budget_that_ends_in_a_thread_holds_the_rest(desk, thread):
    policy = replace(
        default_policy("sandbox/x/enterprise"),
        price_summoned_usd=0.1, price_per_create_usd=0.4, spend_cap_usd_per_day=0.6,
    )  # fmt: skip
    reply = thread(desk.channel(policy=policy))
    desk.run()
    assert (states(desk, reply), desk.platform.requests) == (["sent", "sent", "queued"], 2)
    assert desk.run(later=timedelta(days=1)).sent == 1


def test_a_publisher_that_lost_its_lease_sends_no_further_part(desk, thread):
    reply = thread()
    lapse = "update publication set state='unknown', lease_worker=null, lease_until=null"
    desk.platform.script = [lambda: desk.rows(lapse) or None]
    report = desk.run()
    assert (report.lease_lost, desk.platform.requests) == (1, 1)
    desk.rows("update publication_part set state = 'unknown' where position = 0")
    assert desk.run(later=2 * MINUTE).found == 1
    assert (desk.publication(reply)["state"], desk.platform.requests) == ("sent", 3)


def test_a_reply_is_sent_only_when_all_its_parts_are(desk, thread):
    reply = thread()
    desk.platform.script = [None, OutcomeUnknown("dropped")]
    desk.run()
    with pytest.raises(psycopg.errors.CheckViolation, match="not sent while a part of it is not"):
        desk.rows("update publication set state = 'sent', sent_at = now() where id = %s", reply)


def test_no_part_in_doubt_is_sent_again_without_a_person(desk, thread):
    reply = thread()
    desk.platform.script = [None, OutcomeUnknown("dropped")]
    desk.run()
    for statement in (
        "update publication_part set state = 'queued' where state = 'unknown'",
        "update publication set state = 'queued', due_at = now() where id = %s",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="only a person"):
            desk.rows(statement, *([reply] if "%s" in statement else []))


def test_on_reddit_a_divider_is_a_line_in_one_comment(desk):
    reply = desk.approved(desk.channel(platform="reddit"), text="**One.**\n\n---\n\nTwo.")
    desk.platform.platform = "reddit"
    assert desk.run().sent == 1
    assert said(desk) == [("t3_1001", "**One.**\n\n---\n\nTwo.")] and states(desk, reply) == ["sent"]


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["One.", "One."], "two parts say the same"),
        (["One.", "x" * 281], "part 2: the text is 281 long"),
        (["One.", " "], "part 2: the text is empty"),
        ([str(n) for n in range(6)], "6 parts and the platform takes 5"),
        ([], "there is no part"),
    ],
)
def test_what_cannot_be_a_thread_is_not_approved(desk, texts, message):
    desk.approved(desk.channel())
    desk.rows("update publication set state = 'cancelled'")
    desk.rows("update post set stage = 'review', step = 'review', status = 'pending'")
    post = desk.rows("select id, version from post")[0]
    with pytest.raises(DecisionInvalid, match=message):
        approve(desk.db, desk.approver, post["id"], version=post["version"], texts=texts)
