"""One pass of the publisher, on real Postgres and a scripted platform."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from psycopg.conninfo import conninfo_to_dict

from rejoinder.errors import ServiceUnavailable
from rejoinder.listening.policy import default_policy
from rejoinder.posting.pacing import RateWindow
from resources.commands.publications import settle_unknown
from resources.living_worker import living_worker
from resources.platforms.failures import AuthExpired, OutcomeUnknown, RateLimited, Refused, Unreachable
from resources.postgres import Database
from resources.provision import connect_admin
from resources.publishing.run import publish_due
from resources.work.stopping import StopSignal

MINUTE = timedelta(minutes=1)


def test_an_approved_reply_is_sent_once_and_its_measurements_are_planned(desk):
    channel = desk.channel()
    reply = desk.approved(channel, text="Word for word: 12:04.")
    report = desk.run()
    assert (report.sent, desk.platform.requests) == (1, 1)
    assert desk.platform.replies[0][:2] == ("1001", "Word for word: 12:04.")
    row = desk.publication(reply)
    assert (row["state"], row["place"], row["parts"], row["platform_id"]) == (
        "sent", "done/completed", "sent", "9000",
    )  # fmt: skip
    assert abs(row["sent_at"] - datetime.now(UTC)) < MINUTE
    planned = desk.rows("select * from measurement order by window_s")
    assert [m["window_s"] for m in planned] == [3600, 86400, 259200, 604800]
    assert {m["step"] for m in planned} == {f"measure/{channel.id}"}
    sent_at = desk.platform.replies[0][2].sent_at
    assert [m["due_at"] - sent_at for m in planned] == [timedelta(seconds=m["window_s"]) for m in planned]
    assert desk.run().items == 0 and desk.platform.requests == 1


def test_sending_is_committed_before_the_request(desk):
    reply = desk.approved(desk.channel())
    seen = []
    desk.platform.script = [lambda: seen.append(desk.publication(reply))]
    desk.run()
    assert (seen[0]["state"], seen[0]["place"], seen[0]["parts"]) == (
        "sending", "post_queue/processing", "sending",
    )  # fmt: skip


def test_an_outcome_not_seen_is_found_by_read_back_and_never_sent_again(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [("landed", OutcomeUnknown("503"))]
    assert desk.run().unknown == 1
    assert desk.publication(reply)["place"] == "post_queue/processing"
    assert desk.run().items == 0, "the first read-back waits for its time"
    assert desk.run(later=2 * MINUTE).found == 1
    row = desk.publication(reply)
    assert (row["state"], row["place"], row["parts"]) == ("sent", "done/completed", "sent")
    assert desk.walk(reply) == ["queued", "sending", "unknown", "sent"]
    assert desk.platform.requests == 1
    assert len(desk.rows("select 1 from measurement")) == 4


def test_an_absent_reply_waits_for_a_person_and_is_never_sent_again(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [OutcomeUnknown("connection dropped")]
    desk.run()
    for minutes in (2, 8, 12, 14):
        assert desk.run(later=minutes * MINUTE).still_unknown == 1
    assert desk.notices() == ["unknown_outcome"]
    assert desk.run(later=17 * MINUTE).absent == 1
    assert desk.notices() == ["unknown_outcome", "unknown_absent"]
    assert desk.run(later=600 * MINUTE).items == 0
    assert (desk.publication(reply)["state"], desk.platform.requests) == ("unknown", 1)


def test_an_incomplete_search_proves_nothing(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [OutcomeUnknown("503")]
    desk.platform.is_complete = False
    desk.run()
    assert desk.run(later=60 * MINUTE).still_unknown == 1
    assert desk.publication(reply)["reason_code"] == "read_back_incomplete"


def test_a_read_back_that_fails_is_tried_again(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [("landed", OutcomeUnknown("503"))]
    desk.run()
    desk.platform.clock_failure = Unreachable("down")
    assert desk.run(later=2 * MINUTE).still_unknown == 1
    desk.platform.clock_failure = None
    assert desk.run(later=4 * MINUTE).found == 1
    assert desk.publication(reply)["state"] == "sent"


def test_an_error_nobody_foresaw_counts_as_not_seen(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [("landed", KeyError("tag"))]
    assert desk.run().unknown == 1
    assert desk.run(later=2 * MINUTE).found == 1
    assert (desk.publication(reply)["state"], desk.platform.requests) == ("sent", 1)


def test_a_refusal_is_final_and_people_are_told(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [Refused("not_summoned", "only when mentioned")]
    assert desk.run().refused == 1
    row = desk.publication(reply)
    assert (row["state"], row["reason_code"], row["place"]) == (
        "refused",
        "not_summoned",
        "post_queue/failed",
    )
    assert desk.notices() == ["refused"]
    assert desk.run(later=600 * MINUTE).items == 0


def test_a_rate_limit_holds_the_whole_channel_until_the_platform_says(desk):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(3)]
    desk.platform.script = [RateLimited(desk.platform.now() + 14 * MINUTE)]
    report = desk.run()
    assert (report.requeued, report.deferred, desk.platform.requests) == (1, 2, 1)
    rows = [desk.publication(r) for r in replies]
    assert [(r["state"], r["place"]) for r in rows] == [
        ("queued", "post_queue/rate_limited"), ("queued", "post_queue/pending"), ("queued", "post_queue/pending"),
    ]  # fmt: skip
    (outlook,) = desk.outlook()
    assert (outlook.reason, outlook.waiting) == ("rate_limited", 2)
    assert 13 * MINUTE < outlook.allowed_from - datetime.now(UTC) < 15 * MINUTE
    assert desk.run(later=10 * MINUTE).items == 0
    assert desk.run(later=15 * MINUTE).sent == 3
    assert desk.walk(replies[0]) == ["queued", "sending", "queued", "sending", "sent"]


@pytest.mark.parametrize("failure", [Unreachable("refused"), AuthExpired("401")])
def test_what_surely_was_not_taken_is_tried_again_later(desk, failure):
    reply = desk.approved(desk.channel())
    desk.platform.script = [failure, failure, failure]
    assert desk.run().requeued == 1
    assert desk.publication(reply)["place"] == "post_queue/pending"
    waiting = desk.approved(desk.channel())
    assert (desk.run().deferred, desk.platform.requests) == (1, 1)
    assert desk.publication(waiting)["place"] == "post_queue/pending"
    assert [(one.reason, one.waiting) for one in desk.outlook()] == [(failure.kind, 1)]
    assert desk.run(later=2 * MINUTE).requeued == 1, "of two that wait it is the turn of the other"
    assert desk.run(later=5 * MINUTE).requeued == 1
    assert desk.notices()[-1] in ("keeps_failing", "auth_expired")
    assert desk.run(later=15 * MINUTE).sent == 2


def test_nothing_is_sent_while_the_platform_s_clock_cannot_be_read(desk):
    desk.approved(desk.channel())
    desk.platform.clock_failure = Unreachable("down")
    assert (desk.run().requeued, desk.platform.requests) == (1, 0)


def test_a_duplicate_refusal_after_an_unknown_outcome_is_read_back(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [("landed", OutcomeUnknown("503")), Refused("duplicate_content", "duplicate")]
    desk.run()
    desk.rows(
        "update publication set state = 'queued', due_at = now(), settled_by = %s where id = %s",
        desk.approver.person_id,
        reply,
    )
    desk.rows("update publication_part set state = 'queued'")
    desk.rows("update post set status = 'pending'")
    assert desk.run().unknown == 1
    assert desk.run(later=2 * MINUTE).found == 1
    assert desk.publication(reply)["state"] == "sent"


def test_words_that_the_platform_has_from_elsewhere_end_refused_and_ask_nobody_again(desk):
    reply = desk.approved(desk.channel())
    refusal = Refused("duplicate_content", "duplicate")
    desk.platform.script = [OutcomeUnknown("503"), refusal]
    assert desk.run().unknown == 1
    assert desk.run(later=20 * MINUTE).absent == 1
    settle_unknown(desk.db, desk.approver, reply, "queued", confirm=True)
    assert desk.run(later=21 * MINUTE).unknown == 1
    assert desk.run(later=60 * MINUTE).refused == 1
    found = desk.publication(reply)
    assert (found["state"], found["reason_code"], found["place"]) == (
        "refused",
        "duplicate_content",
        "post_queue/failed",
    )
    assert desk.platform.requests == 2 and desk.notices()[-1] == "refused"


def test_our_own_windows_pace_a_channel(desk):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(3)]
    desk.run()
    desk.rows("update rate_window set limit_count = 4 where name = '15min'")
    replies += [desk.approved(channel) for _ in range(3)]
    report = desk.run()
    assert (report.sent, report.deferred) == (1, 2)
    assert [window.name for window in desk.outlook()[0].windows if window.is_binding] == ["15min"]
    assert desk.run(later=16 * MINUTE).sent == 2
    used = desk.rows("select name, used_count from rate_window order by name")
    assert {r["name"]: r["used_count"] for r in used} == {"15min": 2, "24h": 6, "3h": 6}


def test_the_platform_s_own_count_binds_when_it_is_tighter(desk):
    channel = desk.channel()
    [desk.approved(channel) for _ in range(2)]
    desk.platform.windows = (RateWindow(300, 0, desk.platform.now() + 5 * MINUTE),)
    report = desk.run()
    assert (report.sent, report.deferred) == (1, 1)
    assert desk.run(later=4 * MINUTE).sent == 0
    assert desk.run(later=6 * MINUTE).sent == 1


def test_the_spend_cap_of_the_day_stops_a_channel(desk):
    policy = replace(
        default_policy("sandbox/x/enterprise"), price_summoned_usd=0.4, spend_cap_usd_per_day=1.0
    )
    channel = desk.channel(policy=policy)
    replies = [desk.approved(channel) for _ in range(4)]
    report = desk.run()
    assert (report.sent, report.deferred, desk.platform.requests) == (2, 2, 2)
    assert [(one.reason, one.waiting) for one in desk.outlook()] == [("spend_cap", 2)]
    assert {desk.publication(reply)["state"] for reply in replies[2:]} == {"queued"}
    assert desk.notices() == ["spend_warning", "spend_cap"]
    assert desk.rows("select state from channel_state where part = 'spend'") == [{"state": "stopped"}]
    assert desk.run(later=timedelta(days=1)).sent == 2


@pytest.mark.parametrize(
    ("script", "is_charged"),
    [
        ([], True),
        ([OutcomeUnknown("the connection was cut")], True),
        ([RuntimeError("unforeseen")], True),
        ([Refused("forbidden", "blocked")], False),
        ([Unreachable("refused")], False),
        ([RateLimited(None)], False),
    ],
)
def test_a_reply_is_charged_unless_it_surely_was_not_taken(desk, script, is_charged):
    channel = desk.channel(policy=replace(default_policy("sandbox/x/enterprise"), price_summoned_usd=0.4))
    desk.approved(channel)
    desk.platform.script.extend(script)
    desk.run()
    entries = desk.rows("select action, n_charged, spent_usd::float8 as usd from spend_entry")
    assert entries == [
        {"action": "create_summoned", "n_charged": int(is_charged), "usd": 0.4 if is_charged else 0.0}
    ]


def test_of_several_attempts_on_a_real_platform_the_first_may_be_the_one_that_arrived(desk):
    reply = desk.approved(desk.channel(is_sandbox=False, base_url=None))
    desk.platform.now = lambda: datetime.now(UTC) + desk.platform.advanced
    since, search = [], desk.platform.read_back
    desk.platform.read_back = lambda *asked: since.append(asked[2]) or search(*asked)
    desk.platform.script = [OutcomeUnknown("503"), Refused("duplicate_content", "duplicate")]
    assert desk.run().unknown == 1
    assert desk.run(later=20 * MINUTE).absent == 1
    settle_unknown(desk.db, desk.approver, reply, "queued", confirm=True)
    desk.rows("update publication set first_sending_at = first_sending_at - interval '3 days'")
    assert desk.run(later=21 * MINUTE).unknown == 1
    assert desk.run(later=23 * MINUTE).items
    first_at = desk.publication(reply)["first_sending_at"]
    assert since[0] > first_at + timedelta(days=2) and since[-1] < first_at


@pytest.mark.parametrize(("outcome", "usd"), [("queued", 0.0), ("abandoned", 0.4)])
def test_a_person_who_says_that_it_is_not_there_has_the_money_again(desk, outcome, usd):
    channel = desk.channel(policy=replace(default_policy("sandbox/x/enterprise"), price_summoned_usd=0.4))
    reply = desk.approved(channel)
    desk.platform.script = [OutcomeUnknown("the connection was cut")]
    desk.run()
    settle_unknown(desk.db, desk.approver, reply, outcome, confirm=True)
    assert desk.rows("select spent_usd::float8 as usd from spend_entry") == [{"usd": usd}]


def test_what_is_given_back_is_what_was_booked_whatever_it_costs_by_now(desk):
    channel = desk.channel(policy=replace(default_policy("sandbox/x/enterprise"), price_summoned_usd=0.4))
    lost, _ = desk.approved(channel), desk.approved(channel)
    desk.platform.script = [OutcomeUnknown("the connection was cut")]
    desk.run()
    desk.rows("update channel set policy = policy || '{\"price_summoned_usd\": 0.7}'")
    settle_unknown(desk.db, desk.approver, lost, "queued", confirm=True)
    assert desk.rows("select spent_usd::float8 as usd from spend_entry") == [{"usd": 0.4}]
    assert len(desk.rows("select * from publication_charge")) == 1


def test_an_attempt_from_before_charges_were_kept_is_given_back_at_the_price_of_today(desk):
    channel = desk.channel(policy=replace(default_policy("sandbox/x/enterprise"), price_summoned_usd=0.4))
    reply = desk.approved(channel)
    desk.platform.script = [OutcomeUnknown("the connection was cut")]
    desk.run()
    desk.rows("delete from publication_charge")
    settle_unknown(desk.db, desk.approver, reply, "queued", confirm=True)
    assert desk.rows("select spent_usd::float8 as usd from spend_entry") == [{"usd": 0.0}]


def test_each_attempt_counts_for_itself(desk):
    channel = desk.channel(policy=replace(default_policy("sandbox/x/enterprise"), price_with_link_usd=0.2))
    desk.approved(channel, text="See https://example.org/12 for the test.")
    desk.platform.script.append(RateLimited(None))
    desk.run()
    assert desk.run(later=timedelta(hours=1)).sent == 1
    (entry,) = desk.rows("select action, n_resources, n_charged, spent_usd::float8 as usd from spend_entry")
    assert entry == {"action": "create_with_link", "n_resources": 1, "n_charged": 1, "usd": 0.2}


def test_a_vanished_publisher_leaves_unknown_never_queued(desk):
    reply = desk.approved(desk.channel())
    with living_worker(desk.publisher.url) as gone, desk.publisher.transaction() as tx:
        tx.execute("claim_publication", id=reply, worker=gone.number, lease_s=600)
    report = desk.run()
    assert (report.lapsed, report.still_unknown, desk.platform.requests) == (1, 1, 0)
    assert desk.walk(reply) == ["queued", "sending", "unknown"]


def test_a_living_publisher_keeps_what_it_holds(desk):
    reply = desk.approved(desk.channel())
    with living_worker(desk.publisher.url) as other:
        with desk.publisher.transaction() as tx:
            tx.execute("claim_publication", id=reply, worker=other.number, lease_s=600)
        assert (desk.run().lapsed, desk.publication(reply)["state"]) == (0, "sending")


def test_a_publisher_that_lost_its_lease_settles_nothing(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [
        lambda: (
            desk.rows("update publication set state='unknown', lease_worker=null, lease_until=null") or None
        )
    ]
    report = desk.run()
    assert (report.lease_lost, report.sent) == (1, 0)
    assert desk.publication(reply)["state"] == "unknown"
    assert desk.run(later=2 * MINUTE).found == 1


def test_two_publishers_side_by_side_send_each_reply_once(desk):
    channel = desk.channel()
    for _ in range(100):
        desk.approved(channel)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda _: desk.run(), range(2)))
    assert sum(r.sent for r in reports) == 100
    parents = [parent for parent, _, _ in desk.platform.replies]
    assert len(parents) == len(set(parents)) == 100


def test_a_stop_finishes_the_reply_in_hand(desk):
    channel, stop = desk.channel(), StopSignal()
    replies = [desk.approved(channel) for _ in range(3)]
    desk.platform.script = [stop.set]
    report = desk.run(stop=stop)
    assert (report.sent, report.is_stopped) == (1, True)
    assert [desk.publication(r)["state"] for r in replies] == ["sent", "queued", "queued"]


def test_withdrawn_posts_and_opted_out_authors_are_not_answered(desk):
    channel = desk.channel()
    deleted, opted_out, wanted = (desk.approved(channel) for _ in range(3))
    desk.rows(
        "update post set status = 'withdrawn' where id = (select post_id from publication where id=%s)",
        deleted,
    )
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'Author2', 'stop')")
    report = desk.run()
    assert (report.cancelled, report.sent) == (2, 1)
    assert [desk.publication(r)["state"] for r in (deleted, opted_out, wanted)] == [
        "cancelled",
        "cancelled",
        "sent",
    ]


def test_an_approval_that_no_longer_counts_goes_back_to_review(desk):
    channel = desk.channel()
    reply = desk.approved(channel)
    desk.rows("update person set is_active = false")
    report = desk.run()
    assert (report.cancelled, desk.platform.requests) == (1, 0)
    row = desk.publication(reply)
    assert (row["state"], row["reason_code"], row["place"]) == (
        "cancelled",
        "approval_void",
        "review/pending",
    )
    assert desk.notices() == ["approval_void"]


def test_an_approver_who_leaves_while_it_is_sent_does_not_hide_that_it_was(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [lambda: desk.rows("update person set is_active = false") or None]
    assert desk.run().sent == 1
    assert desk.publication(reply)["state"] == "sent"


def test_a_channel_without_credential_does_not_sink_the_others(desk):
    from rejoinder.errors import ConfigInvalid

    silent, spoken = desk.channel("silent"), desk.channel("spoken", "reddit")
    desk.approved(silent)
    desk.approved(spoken)

    def open_client(channel, credential):
        if channel.name == "silent":
            raise ConfigInvalid("no credential")
        return desk.platform

    report = publish_due(desk.publisher, open_client=open_client, tuning=desk.tuning, stop=StopSignal())
    assert report.sent == 1 and list(report.errors) == ["channel silent: no credential"]


def test_the_application_cannot_read_what_the_publisher_reads(desk):
    import psycopg

    from resources.store.channels import write_credential

    channel = desk.channel()
    with pytest.raises(psycopg.errors.InsufficientPrivilege), desk.db.transaction() as tx:
        write_credential(tx, channel.id)
    with desk.publisher.transaction() as tx:
        found = write_credential(tx, channel.id)
    assert (found["token"], found["access"]) == ("secret", "write")


def test_a_publisher_that_loses_its_own_connection_claims_nothing_more(desk, cluster):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(2)]
    database = conninfo_to_dict(desk.db.url)["dbname"]

    def cut_the_connection_that_holds_the_lock():
        with connect_admin(cluster.url("postgres", "postgres", str(database))) as admin:
            admin.execute(
                "select pg_terminate_backend(pid) from pg_locks where classid = 21066 and objsubid = 2"
                " and database = (select oid from pg_database where datname = current_database())"
            )

    desk.platform.script = [cut_the_connection_that_holds_the_lock]
    with pytest.raises(ServiceUnavailable, match="own connection is lost"):
        desk.run()
    assert [desk.publication(r)["state"] for r in replies] == ["sent", "queued"]
    assert desk.run().sent == 1


def test_postgres_that_goes_away_before_the_settling_loses_nothing(desk):
    reply = desk.approved(desk.channel())
    desk.platform.script = [desk.publisher.close]
    with pytest.raises(ServiceUnavailable, match="cannot be reached"):
        desk.run()
    assert desk.publication(reply)["state"] == "sending"
    desk.publisher = Database(desk.publisher.url).open()
    report = desk.run()
    desk.publisher.close()
    assert (report.lapsed, report.found, desk.platform.requests) == (1, 1, 1)
