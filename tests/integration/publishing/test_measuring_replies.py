"""Snapshots by the channel's clock, each window once; rewards out of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rejoinder.listening.policy import default_policy
from resources.measuring import count_measurements_due, measure_due
from resources.platforms.failures import RateLimited, Refused, SpendStopped, Unreachable
from resources.platforms.port import Metrics
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)


@pytest.fixture
def measure(desk):
    def run(at=None):
        if at is not None:
            desk.platform.advanced = at
        return measure_due(
            desk.db,
            open_client=lambda channel, credential: desk.platform,
            tuning=desk.tuning,
            stop=StopSignal(),
        )

    return run


def snapshots(desk):
    return desk.rows("select * from engagement_snapshot order by publication_id, window_s")


def test_each_window_is_taken_once_by_the_channel_s_clock(desk, measure):
    desk.approved(desk.channel())
    desk.run()
    assert measure(timedelta(minutes=59)).items == 0
    assert measure(timedelta(minutes=61)).outcomes == {"taken": 1}
    assert measure(timedelta(minutes=62)).items == 0
    assert measure(25 * HOUR).outcomes == {"taken": 1}
    assert measure(73 * HOUR).outcomes == {"taken": 1}
    assert measure(7 * 24 * HOUR + HOUR).outcomes == {"taken": 1}
    assert measure(1000 * HOUR).items == 0
    assert [s["window_s"] for s in snapshots(desk)] == [3600, 86400, 259200, 604800]
    assert not any(s["is_late"] for s in snapshots(desk))


def test_a_missed_window_is_taken_late_and_says_so(desk, measure):
    desk.approved(desk.channel())
    desk.run()
    assert measure(25 * HOUR).outcomes == {"late": 1, "taken": 1}
    assert [(s["window_s"], s["is_late"]) for s in snapshots(desk)] == [(3600, True), (86400, False)]


def test_a_hundred_replies_take_one_lookup(desk, measure):
    channel = desk.channel()
    for _ in range(30):
        desk.approved(channel)
    desk.run()
    assert measure(2 * HOUR).items == 30
    assert [len(ids) for ids in desk.platform.lookups] == [30]


def test_counts_and_deletions_are_kept(desk, measure):
    channel = desk.channel()
    kept, gone = desk.approved(channel), desk.approved(channel)
    desk.run()
    desk.platform.counts = {"9000": Metrics(200, 2, 1, 0), "9001": Metrics(None, 0, 0, 0, is_deleted=True)}
    assert measure(HOUR * 1.1).outcomes == {"taken": 1, "deleted": 1}
    rows = {s["publication_id"]: s for s in snapshots(desk)}
    assert (rows[kept]["impressions"], rows[kept]["likes"], rows[kept]["is_deleted"]) == (200, 2, False)
    assert rows[gone]["is_deleted"]


@pytest.mark.parametrize("failure", [Unreachable("down"), RateLimited(None)])
def test_a_platform_that_gives_no_counts_is_asked_again_later(desk, measure, failure):
    desk.approved(desk.channel())
    desk.run()
    answer = desk.platform.metrics

    def refuse(ids):
        raise failure

    desk.platform.metrics = refuse
    report = measure(HOUR * 1.1)
    assert report.items == 0 and len(report.errors) == 1
    desk.platform.metrics = answer
    assert measure().outcomes == {"taken": 1}


def test_a_reply_posted_by_hand_is_measured_too(desk, measure):
    channel = desk.channel()
    reply = desk.approved(channel)
    desk.rows("update publication set state = 'handoff' where id = %s", reply)
    desk.rows("update publication_part set state = 'sent' where publication_id = %s", reply)
    desk.rows(
        "update publication set state = 'sent', sent_at = now(), platform_id = '77' where id = %s", reply
    )
    open_client = lambda channel, credential: desk.platform  # noqa: E731
    assert count_measurements_due(desk.db, open_client=open_client) == 1
    measure()
    assert len(desk.rows("select 1 from measurement")) == 4
    assert count_measurements_due(desk.db, open_client=open_client) == 0
    desk.platform.advanced = 2 * HOUR
    assert count_measurements_due(desk.db, open_client=open_client) == 1
    measure()
    # While snapshots of one wait for their time, another one that was posted by hand is planned at once all the same.
    desk.rows("delete from measurement where window_s < 86400")
    other = desk.approved(channel)
    for change in ("state = 'handoff'", "state = 'sent', sent_at = now(), platform_id = '78'"):
        desk.rows("update publication_part set state = 'sent' where publication_id = %s", other)
        desk.rows(f"update publication set {change} where id = %s", other)
    assert count_measurements_due(desk.db, open_client=open_client) == 1


def test_a_snapshot_without_budget_waits_is_taken_late_and_says_so(desk, measure):
    channel = desk.channel()
    for _ in range(8):
        desk.approved(channel)
    desk.run()
    answer, room = desk.platform.metrics, [3]

    def within(ids):
        if len(ids) > room[0]:
            raise SpendStopped(desk.platform.now(), "the day's budget is spent")
        return answer(ids)

    desk.platform.metrics = within
    assert measure(HOUR * 1.1).outcomes == {"taken": 2, "waits": 6}
    assert measure(HOUR * 1.2).items == 0  # not asked again at once
    room[0] = 100
    assert measure(HOUR * 1.5).outcomes == {"late": 6}
    assert sum(s["is_late"] for s in snapshots(desk)) == 6
    assert desk.rows("select 1 from measurement where status = 'dead'") == []


def test_what_is_due_in_a_moment_goes_along(desk, measure):
    channel = desk.channel()
    first = desk.approved(channel)
    desk.run()
    desk.approved(channel)
    desk.run()
    desk.rows("update measurement set due_at = due_at + interval '2 min' where publication_id <> %s", first)
    assert measure(HOUR + timedelta(seconds=30)).outcomes == {"taken": 2}
    assert len(desk.platform.lookups) == 1


def test_a_thread_counts_all_its_parts(desk, measure):
    reply = desk.approved(desk.channel())
    desk.run()
    desk.rows(
        "alter table publication_part disable trigger user; "
        "insert into publication_part (publication_id, position, text, sha256, state, platform_id)"
        f" values ({reply}, 1, 'b', encode(sha256('b'), 'hex'), 'sent', '9555');"
        " alter table publication_part enable trigger user"
    )
    desk.platform.counts = {"9000": Metrics(200, 2, 2, 0, link_clicks=1), "9555": Metrics(80, 1, 1, 1)}
    measure(HOUR * 1.1)
    [row] = snapshots(desk)
    assert (row["impressions"], row["likes"], row["replies"], row["reposts"]) == (200, 3, 2, 1)
    assert (row["n_parts"], row["link_clicks"]) == (2, 1)
    desk.platform.counts["9555"] = Metrics(None, 0, 0, 0, is_deleted=True, reason="moderator")
    measure(HOUR * 25)
    row = snapshots(desk)[1]
    assert (row["likes"], row["n_parts_gone"], row["is_deleted"]) == (2, 1, False)


def test_a_reply_that_was_taken_down_is_told_of_once_and_may_come_back(desk, measure):
    reply = desk.approved(desk.channel())
    desk.run()
    desk.platform.counts = {"9000": Metrics(None, 0, 0, 0, is_deleted=True, reason="moderator")}
    measure(HOUR * 1.1)
    removed_at = desk.publication(reply)["removed_at"]
    assert removed_at is not None and desk.publication(reply)["state"] == "sent"
    measure(HOUR * 25)
    assert desk.publication(reply)["removed_at"] == removed_at
    [told] = desk.rows("select message from notification where kind = 'removed'")
    assert "moderator" in told["message"]
    desk.platform.counts = {}
    measure(HOUR * 73)
    assert desk.publication(reply)["removed_at"] is None


def test_other_replies_are_looked_at_in_the_same_call_where_that_is_free(desk, measure):
    channel = desk.channel()
    first = desk.approved(channel)
    desk.run()
    measure(HOUR * 1.1)
    second = desk.approved(channel)
    desk.run()
    desk.rows("update publication set looked_at = now() - interval '2 hours'")
    desk.platform.counts = {"9000": Metrics(None, 0, 0, 0, is_deleted=True)}
    assert measure(HOUR * 2.2).outcomes == {"taken": 1, "gone_between": 1}
    assert desk.publication(first)["removed_at"] and not desk.publication(second)["removed_at"]
    assert [sorted(ids) for ids in desk.platform.lookups][-1] == ["9000", "9001"]


def test_a_paid_channel_looks_along_only_at_what_was_charged_today(desk, measure):
    policy = replace(default_policy("sandbox/x/enterprise"), price_per_own_read_usd=0.001)
    channel = desk.channel(policy=policy)
    replies = [desk.approved(channel) for _ in range(3)]
    desk.run()
    # Two were read on other days; the platform charged one of them today.
    for reply in replies[1:]:
        desk.rows("update measurement set status = 'completed' where publication_id = %s", reply)
    desk.rows(
        "insert into spend_resource values (%s, (now() at time zone 'UTC')::date, 'own_read', '9001')",
        channel.id,
    )
    measure(HOUR * 1.1)
    assert desk.platform.lookups == [["9000", "9001"]]


def leave_out(desk, *ids):
    """Let the platform's answers leave out these ids; what it answered before."""
    answer = desk.platform.metrics
    desk.platform.metrics = lambda asked: {
        one: found for one, found in answer(asked).items() if one not in ids
    }
    return answer


def test_an_answer_that_says_nothing_of_a_reply_is_no_deletion(desk, measure):
    reply = desk.approved(desk.channel())
    desk.run()
    answer = leave_out(desk, "9000")
    assert measure(HOUR * 1.1).outcomes == {"unsaid": 1}
    assert measure(HOUR * 23).outcomes == {"unsaid": 1}
    assert desk.publication(reply)["removed_at"] is None and snapshots(desk) == []
    desk.platform.metrics = answer
    assert measure(HOUR * 23.8).items == 0
    assert measure(HOUR * 25.2).outcomes == {"late": 1, "taken": 1}
    assert not any(s["is_deleted"] for s in snapshots(desk))
    # What was said in between ends the stretch: another one begins.
    leave_out(desk, "9000")
    assert measure(HOUR * 73).outcomes == {"unsaid": 1}
    assert desk.publication(reply)["unsaid_since"] is not None


def test_a_reply_that_every_answer_of_a_day_leaves_out_is_gone_until_it_is_shown_again(desk, measure):
    reply = desk.approved(desk.channel())
    desk.run()
    answer = leave_out(desk, "9000")
    assert measure(HOUR * 1.1).outcomes == {"unsaid": 1}
    assert measure(HOUR * 25.2).outcomes == {"deleted": 2}
    assert [s["removal_reason"] for s in snapshots(desk)] == ["left out", "left out"]
    assert desk.publication(reply)["removed_at"] and desk.notices().count("removed") == 1
    desk.platform.metrics = answer
    assert measure(HOUR * 73).outcomes == {"taken": 1}
    found = desk.publication(reply)
    assert (found["removed_at"], found["unsaid_since"]) == (None, None)


def test_a_reply_that_is_never_answered_does_not_keep_others_from_being_looked_at(desk, measure, monkeypatch):
    monkeypatch.setattr("resources.looking_along.A_CALL", 2)
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(3)]
    desk.run()
    for reply in replies[:2]:
        desk.rows("update measurement set status = 'completed' where publication_id = %s", reply)
    leave_out(desk, "9000")
    measure(HOUR * 1.1)
    measure(HOUR * 24.1)
    assert [ids[1:] for ids in desk.platform.lookups] == [["9000"], ["9001"]]
    # Whoever was asked about last has the last turn.
    desk.rows("update publication set looked_at = looked_at - interval '2 hours'")
    measure(HOUR * 72.1)
    assert desk.platform.lookups[-1] == ["9002", "9000"]
    assert desk.publication(replies[0])["removed_at"] is not None


def test_an_id_that_the_platform_does_not_take_sinks_no_other_snapshot(desk, measure):
    channel = desk.channel()
    bad, good = desk.approved(channel), desk.approved(channel)
    desk.run()
    answer = desk.platform.metrics

    def refuse(ids):
        if "9000" in ids:
            raise Refused("invalid", "the `ids` query parameter value [9000] is not valid")
        return answer(ids)

    desk.platform.metrics = refuse
    assert measure(HOUR * 1.1).outcomes == {"failed": 1, "taken": 1}
    assert [s["publication_id"] for s in snapshots(desk)] == [good]
    desk.rows("update measurement set status = 'completed' where publication_id = %s", bad)
    desk.rows("update publication set looked_at = null")
    # Nor one that only went along.
    assert measure(HOUR * 24.1).outcomes == {"taken": 1}
    assert desk.publication(bad)["looked_at"] is not None
