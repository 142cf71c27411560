"""Rewards out of snapshots: only what is new, by the weights in force, the old ones kept; one outcome a decision."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rejoinder.engagement.rewards import RewardWeights
from rejoinder.errors import ConfigInvalid, NotAllowed
from rejoinder.listening.policy import default_policy
from resources.commands.actors import Actor
from resources.commands.reward_weights import read_weights, set_weights
from resources.commands.rewards import read_rewards
from resources.measuring import measure_due
from resources.migrations import load_migrations
from resources.platforms.failures import OutcomeUnknown, Unreachable
from resources.platforms.port import Metrics
from resources.rewarding import count_rewards_due, norm_of, refresh_rewards
from resources.store.conversions import conversions_of
from resources.store.rewards import NormKey
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)


@pytest.fixture
def measure(desk):
    def run(at):
        desk.platform.advanced = at
        opened = lambda channel, credential: desk.platform  # noqa: E731
        return measure_due(desk.db, open_client=opened, tuning=desk.tuning, stop=StopSignal())

    return run


@pytest.fixture
def boss(desk):
    [row] = desk.rows(
        "insert into person (name, display_name, role, password_hash) values ('eve', 'Eve', 'admin', 'x') returning id"
    )
    return Actor(row["id"], "eve", "admin")


def rewards(desk):
    """The reward of each reply at its latest age."""
    rows = desk.rows("select * from reward order by window_s")
    return {row["publication_id"]: row for row in rows}


def asked(desk, usd, *, about=None, creator_id=None, at=None):
    """Let a model have been asked."""
    desk.rows(
        "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok,"
        " input_ref, creator_id, created_at) values ('generate', 'm', 1, 1, 1, %s, 1, true, %s, %s,"
        " coalesce(%s, now()))",
        usd,
        about,
        creator_id,
        at,
    )


def decided(desk, *publication_ids):
    """Let these replies have come of decisions."""
    desk.rows(
        "insert into decision (post_id, context_version, policy_version, candidates, action, propensity)"
        " select post_id, 'c1', 'uniform.v1', '{s,t}', 's', 0.5 from publication where id = any (%s)",
        list(publication_ids),
    )
    desk.rows("alter table draft disable trigger user")
    desk.rows("update draft f set decision_id = d.id from decision d where d.post_id = f.post_id")


def test_rewards_follow_the_latest_snapshot_and_nothing_else_is_written(desk, measure):
    channel = desk.channel()
    good, bad = desk.approved(channel), desk.approved(channel)
    desk.run()
    desk.platform.counts = {"9000": Metrics(100, 0, 0, 0), "9001": Metrics(100, 0, 0, 0)}
    measure(HOUR * 1.1)
    assert refresh_rewards(desk.db) == 2
    assert refresh_rewards(desk.db) == 0
    first = rewards(desk)
    assert first[good]["engagement"] == first[bad]["engagement"] < 0
    desk.platform.counts["9000"] = Metrics(100, 9, 3, 2)
    measure(HOUR * 25)
    assert refresh_rewards(desk.db) == 2
    rows = rewards(desk)
    assert rows[good]["reward"] > 0.4 > rows[bad]["reward"]
    assert rows[good]["window_s"] == 86400 and rows[good]["engagement_rate"] == pytest.approx(0.21)
    assert not rows[good]["is_mature"]
    measure(HOUR * 24 * 8)
    refresh_rewards(desk.db)
    assert rewards(desk)[good]["is_mature"]


def test_a_reply_that_is_gone_earns_nothing_and_models_cost(desk, measure):
    channel = desk.channel()
    gone, other = desk.approved(channel), desk.approved(channel)
    post_id = desk.publication(gone)["post_id"]
    asked(desk, 0.5, about=f"post:{post_id}")
    asked(desk, 6.0)
    desk.run()
    # What is asked about a post once its reply is out is no cost of the reply.
    asked(desk, 0.7, about=f"post:{post_id}")
    desk.platform.counts = {"9000": Metrics(None, 5, 5, 5, is_deleted=True)}
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    rows = rewards(desk)
    # A thirtieth of the shared call falls to each day, and to each of the day's two replies one half of that.
    assert rows[gone]["cost"] == pytest.approx(0.6) and rows[other]["cost"] == pytest.approx(0.1)
    assert rows[gone]["components"]["shared_model_usd"] == pytest.approx(0.1)
    assert rows[gone]["engagement"] < 0 and rows[gone]["growth"] is None
    assert rows[gone]["components"]["is_deleted"] == 1.0


def test_shared_models_are_paid_by_the_decisions_of_their_project_and_kind_alone(desk, measure):
    real, rehearsed = (
        desk.approved(desk.channel("a", is_sandbox=False, base_url=None)),
        desk.approved(desk.channel("b")),
    )
    more = desk.approved(desk.channel("c"))
    desk.rows("insert into creator (name) values ('other')")
    desk.rows("insert into project (creator_id, name) select id, 'q' from creator where name = 'other'")
    [other] = desk.rows("select id, creator_id from project where name = 'q'")
    source = (
        "insert into source (project_id, name, title, format, content_hash) values (%s, %s, 't', 'vtt', %s)"
    )
    desk.rows(source, other["id"], "s", "h")
    desk.rows(source, desk.project_id, "t", "i")
    theirs, ours = (f"source:{row['id']}" for row in desk.rows("select id from source order by id"))
    asked(desk, 99.0, about=theirs)
    asked(desk, 99.0, creator_id=other["creator_id"])
    asked(desk, 99.0)  # nobody knows whose it is
    asked(desk, 99.0, about="question:abc")
    [creator] = desk.rows("select creator_id from project where id = %s", desk.project_id)
    asked(desk, 2.0, about=ours, creator_id=creator["creator_id"])
    asked(desk, 4.0, creator_id=creator["creator_id"])
    decided(desk, real, rehearsed, more)
    desk.run()
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    shares = {one: row["components"]["shared_model_usd"] for one, row in rewards(desk).items()}
    assert shares == pytest.approx({real: 6 / 30, rehearsed: 6 / 30 / 2, more: 6 / 30 / 2})


def test_a_reward_is_the_same_on_whichever_day_it_is_worked_out(desk, measure):
    channel = desk.channel()
    reply, linked = desk.approved(channel), desk.approved(channel, text="See https://rj.example/l/abc.")
    desk.run()
    measure(HOUR * 25)
    refresh_rewards(desk.db)
    decided(desk, reply, linked)
    link(desk, linked, "https://rj.example/l/abc.", "2345bcdfghjk")
    for age, external_id in ((HOUR / 2, "a"), (HOUR * 20, "b"), (HOUR * 30, "c")):
        convert(desk, linked, external_id, age)
    refresh_rewards(desk.db)
    desk.rows("insert into reward_due (publication_id) select id from publication")
    refresh_rewards(desk.db)
    before = ages(desk)
    # Months later: more was asked, decided and converted since, and prices are others.
    desk.rows(
        'update channel set policy = policy || \'{"price_per_create_usd": 5, "price_summoned_usd": 5}\''
    )
    asked(desk, 50.0, at=datetime.now(UTC) + timedelta(days=40))
    convert(desk, linked, "d", timedelta(days=60))
    desk.rows("insert into reward_due (publication_id) select id from publication on conflict do nothing")
    assert refresh_rewards(desk.db, now=lambda: datetime.now(UTC) + timedelta(days=60)) == 2
    assert ages(desk) == before


def ages(desk):
    rows = desk.rows(
        "select publication_id, window_s, reward, conversion, cost, norm_id, components from reward"
    )
    return {(row["publication_id"], row["window_s"]): row for row in rows}


def link(desk, publication_id, address, code):
    desk.rows(
        "insert into tracked_link (code, address, target, post_id)"
        " select %s, %s, 'https://shop.example/', post_id from publication where id = %s",
        code,
        address.removesuffix("."),
        publication_id,
    )


def convert(desk, publication_id, external_id, age):
    desk.rows(
        "insert into conversion (project_id, external_id, link_id, kind, value_usd, occurred_at)"
        " select %s, %s, t.id, 'sale', 1, p.sent_at + %s from publication p"
        " join tracked_link t on t.post_id = p.post_id where p.id = %s",
        desk.project_id,
        external_id,
        age,
        publication_id,
    )


def test_conversions_count_up_to_the_age_of_the_reward_however_late_they_are_told(desk, measure):
    channel = desk.channel()
    linked = desk.approved(channel, text="See https://rj.example/l/abc.")
    link(desk, linked, "https://rj.example/l/abc", "2345bcdfghjk")
    desk.run()
    with desk.db.transaction() as tx:
        assert conversions_of(tx, [linked], age_s=3_600)[linked].conversions == 0
    convert(desk, linked, "a", HOUR / 2)
    convert(desk, linked, "b", HOUR * 20)
    measure(HOUR * 1.1)
    measure(HOUR * 25)
    assert refresh_rewards(desk.db) == 1
    with desk.db.transaction() as tx:
        counted = [
            conversions_of(tx, [linked], age_s=age)[linked].conversions for age in (3_600, 86_400, None)
        ]
    assert counted == [1, 2, 2]
    first = ages(desk)
    # One of the first hour is told now, and asks for the reply's rewards; one of the fifth day changes nothing.
    convert(desk, linked, "c", HOUR / 4)
    assert count_rewards_due(desk.db) == 1, "no snapshot is due, so the sensor has to see it"
    assert refresh_rewards(desk.db) == 1
    after = ages(desk)
    assert all(after[key]["conversion"] > first[key]["conversion"] for key in first)
    convert(desk, linked, "d", HOUR * 100)
    assert (count_rewards_due(desk.db), refresh_rewards(desk.db)) == (0, 0)


def test_a_link_that_nobody_tracks_says_nothing_of_conversions(desk, measure):
    channel = desk.channel()
    tracked = desk.approved(channel, text="See https://rj.example/l/abc.")
    plain = desk.approved(channel, text="See https://youtu.be/abc.")
    link(desk, tracked, "https://rj.example/l/abc", "2345bcdfghjk")
    desk.run()
    convert(desk, tracked, "a", HOUR / 2)
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    assert rewards(desk)[tracked]["conversion"] > 0 and rewards(desk)[plain]["conversion"] is None


def test_a_reply_has_a_reward_at_each_age_and_its_outcome_has_the_oldest(desk, measure):
    reply = desk.approved(desk.channel())
    decided(desk, reply)
    desk.run()
    for n, age in enumerate((1.1, 25, 73, 170)):
        desk.platform.counts = {"9000": Metrics(100, n, 0, 0)}
        measure(HOUR * age)
        assert refresh_rewards(desk.db) == 1
    rows = desk.rows("select window_s, engagement, is_mature from reward order by window_s")
    assert [row["window_s"] for row in rows] == [3_600, 86_400, 259_200, 604_800]
    assert [row["is_mature"] for row in rows] == [False, False, False, True]
    assert [row["engagement"] for row in rows] == sorted(row["engagement"] for row in rows)
    [outcome] = desk.rows("select window_s, engagement, is_mature from outcome")
    assert outcome == rows[-1]
    [shown] = {(one.publication_id, one.strategy) for one in read_rewards(desk.db).ages}
    assert shown == (reply, "s")


def test_a_reward_costs_what_was_booked_for_sending_it(desk, measure):
    policy = replace(
        default_policy("sandbox/x/enterprise"), price_per_create_usd=0.02, price_summoned_usd=0.02
    )
    channel = desk.channel(policy=policy)
    desk.platform.script = [Unreachable("down")]
    reply = desk.approved(channel)
    desk.run()
    desk.run(later=HOUR)
    assert desk.publication(reply)["state"] == "sent"
    # What was surely not taken was taken back; the price of today is not asked.
    [charge] = desk.rows("select attempt, charged_usd::float8 as usd from publication_charge")
    assert charge == {"attempt": 2, "usd": 0.02}
    desk.rows(
        'update channel set policy = policy || \'{"price_per_create_usd": 5, "price_summoned_usd": 5}\''
    )
    measure(HOUR * 2.2)
    refresh_rewards(desk.db)
    assert rewards(desk)[reply]["components"]["platform_usd"] == 0.02


def test_replies_of_before_the_charges_cost_what_their_decision_says_else_the_price_of_then(desk):
    policy = replace(
        default_policy("sandbox/x/enterprise"), price_per_create_usd=0.02, price_summoned_usd=0.03
    )
    channel = desk.channel(policy=policy)
    known, _, linked, _ = (
        desk.approved(channel, text=text)
        for text in (None, None, "See https://youtu.be/abc?t=5 there.", None)
    )
    # Of the last nobody knows yet whether it arrived: it counts, as it may have.
    desk.platform.script = [None, None, None, OutcomeUnknown("the connection was cut")]
    desk.run()
    charged = "select publication_id, action, charged_usd::float8 as usd from publication_charge order by 1"
    booked = desk.rows(charged)
    decided(desk, known, linked)
    desk.rows("update decision set price_usd = 0.5, price_with_link_usd = 0.7")
    desk.rows("delete from publication_charge")
    [migration] = [one for one in load_migrations() if one.name == "rewards_by_age"]
    start = migration.text.index("insert into publication_charge")
    desk.rows(migration.text[start : migration.text.index(";", start)])
    found = desk.rows(charged)
    assert [(row["publication_id"], row["action"]) for row in found] == [
        (row["publication_id"], row["action"]) for row in booked
    ]
    assert [row["usd"] for row in found] == [0.5, 0.03, 0.7, 0.03]


def test_a_reply_whose_reward_cannot_be_worked_out_waits_with_its_reason(desk, measure):
    channel = desk.channel()
    bad, good = desk.approved(channel), desk.approved(channel)
    desk.run()
    measure(HOUR * 1.1)
    desk.rows("update engagement_snapshot set replies = -4 where publication_id = %s", bad)
    assert refresh_rewards(desk.db) == 1
    assert set(rewards(desk)) == {good}
    [failed] = read_rewards(desk.db).failed
    assert failed.publication_id == bad and "at 3600 s: ValueError: counts and costs" in failed.reason
    tomorrow = datetime.now(UTC) + timedelta(days=1, minutes=1)
    assert (count_rewards_due(desk.db), count_rewards_due(desk.db, tomorrow)) == (0, 1)
    # It is not tried again at every round, but once something is new of it, or after a day.
    assert refresh_rewards(desk.db) == 0
    desk.rows("update engagement_snapshot set replies = 4")
    assert refresh_rewards(desk.db) == 0
    assert refresh_rewards(desk.db, now=lambda: datetime.now(UTC) + timedelta(hours=25)) == 1
    assert set(rewards(desk)) == {good, bad} and read_rewards(desk.db).failed == []


@pytest.mark.parametrize("counts", ["likes = 2147483647, replies = 2147483647", "impressions = -1"])
def test_counts_that_make_no_sense_sink_no_other_reward(desk, measure, counts):
    channel = desk.channel()
    odd, good = desk.approved(channel), desk.approved(channel)
    desk.run()
    measure(HOUR * 1.1)
    desk.rows(f"update engagement_snapshot set {counts} where publication_id = {odd}")
    refresh_rewards(desk.db)
    assert good in rewards(desk)
    assert (odd in rewards(desk)) != bool(read_rewards(desk.db).failed)


def test_weights_that_cannot_be_read_are_the_reason_and_sink_no_other_creator(desk, measure):
    channel = desk.channel()
    bad, good = desk.approved(channel), desk.approved(channel)
    desk.rows("insert into creator (name) values ('other')")
    desk.rows("insert into project (creator_id, name) select id, 'q' from creator where name = 'other'")
    [other] = desk.rows("select id, creator_id from project where name = 'q'")
    second = desk.channel("second", account="second")
    desk.rows("update channel set project_id = %s where id = %s", other["id"], second.id)
    desk.run()
    measure(HOUR * 1.1)
    desk.rows("alter table publication disable trigger user")
    desk.rows("update publication set channel_id = %s where id = %s", second.id, good)
    desk.rows(
        "insert into reward_weights (creator_id, version, weights)"
        " select creator_id, 1, '{\"like\": -1}' from project where id = %s",
        desk.project_id,
    )
    assert refresh_rewards(desk.db) == 1
    assert set(rewards(desk)) == {good}
    [failed] = read_rewards(desk.db).failed
    assert failed.publication_id == bad and "weights are not negative" in failed.reason


def test_what_cannot_be_stored_is_found_out_among_the_others(desk, measure):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(5)]
    desk.run()
    measure(HOUR * 1.1)
    desk.rows(f"alter table reward add constraint odd check (publication_id <> {replies[3]})")
    assert refresh_rewards(desk.db) == 4
    [failed] = read_rewards(desk.db).failed
    assert (failed.publication_id, "CheckViolation" in failed.reason) == (replies[3], True)


def test_other_weights_write_every_reward_anew_and_keep_the_old_ones(desk, measure, boss):
    reply = desk.approved(desk.channel())
    desk.run()
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    before = rewards(desk)[reply]
    done = set_weights(desk.db, boss, None, {"engagement": "2", "growth": "0"}, reason="reach is bought")
    assert (done.creator, done.version, done.changed["engagement"]) == ("c", 2, (1.0, 2.0))
    assert refresh_rewards(desk.db) == 1
    after = rewards(desk)[reply]
    assert after["weights_version"] == 2 and after["reward"] == pytest.approx(2 * before["engagement"])
    [kept] = desk.rows("select * from reward_history")
    assert (kept["weights_version"], kept["reward"]) == (1, before["reward"])
    assert [one.version for one in read_weights(desk.db, "c")] == [2, 1]
    # What a person set holds, whatever the tuning says.
    assert refresh_rewards(desk.db, weights=RewardWeights(engagement=9)) == 0
    [audit] = desk.rows("select diff from audit_event where action = 'set_reward_weights'")
    assert audit["diff"]["reason"] == "reach is bought" and audit["diff"]["changed"]["growth"] == [0.3, 0.0]


def test_other_weights_of_the_tuning_are_another_version(desk, measure):
    desk.approved(desk.channel())
    desk.run()
    measure(HOUR * 1.1)
    assert refresh_rewards(desk.db) == 1
    assert refresh_rewards(desk.db, weights=RewardWeights(engagement=2)) == 1
    assert refresh_rewards(desk.db, weights=RewardWeights(engagement=2)) == 0
    assert desk.rows("select version, person_id from reward_weights order by version") == [
        {"version": 1, "person_id": None},
        {"version": 2, "person_id": None},
    ]


def test_who_may_set_what(desk, boss):
    with pytest.raises(NotAllowed):
        set_weights(desk.db, desk.approver, None, {"growth": "1"})
    for given in ({"fame": "1"}, {"growth": "much"}, {"growth": "-1"}, {"growth": "nan"}, {}):
        with pytest.raises(ConfigInvalid):
            set_weights(desk.db, boss, None, given)
    with pytest.raises(ConfigInvalid, match="no creator named"):
        set_weights(desk.db, boss, "nobody", {"growth": "1"})
    assert read_weights(desk.db) == []


def test_what_is_usual_is_the_creator_s_own_once_there_is_enough_of_it(desk, measure):
    channel = desk.channel()
    for _ in range(20):
        desk.approved(channel)
    desk.run()
    desk.platform.counts = {str(9000 + n): Metrics(1_000 + n, n, 0, 0) for n in range(20)}
    measure(HOUR * 1.1)
    assert refresh_rewards(desk.db) == 20
    [norm] = desk.rows("select * from reward_norm")
    assert norm["n_replies"] == 20 and norm["norm"]["median_impressions"] == 1_009.5
    terms = [row["engagement"] for _, row in sorted(rewards(desk).items())]
    assert terms == sorted(terms) and terms[0] < 0 < terms[-1]


def test_each_decision_has_one_outcome_however_far_it_got(desk, measure):
    channel = desk.channel()
    sent, waiting = desk.approved(channel), desk.approved(channel)
    decided(desk, sent, waiting)
    desk.rows("update publication set due_at = now() + interval '1 day' where id = %s", waiting)
    desk.run()
    measure(HOUR * 24 * 8)
    refresh_rewards(desk.db)
    found = {row["publication_id"]: row for row in desk.rows("select * from outcome")}
    assert found.keys() == {sent, waiting}
    assert (found[sent]["propensity"], found[sent]["window_s"], found[sent]["is_mature"]) == (
        0.5,
        604_800,
        True,
    )
    assert found[sent]["reward"] == rewards(desk)[sent]["reward"]
    assert (found[waiting]["review_decision"], found[waiting]["reward"]) == ("approved", None)
    assert [row["publication_id"] for row in desk.rows("select * from learnable_outcome")] == [sent]
    assert desk.rows("select * from reward_due") == []
    # What a channel's policy keeps from training is not learned from either, nor who asked to be left alone.
    policy = "update channel set policy = jsonb_set(policy, '{may_train}', %s)"
    desk.rows(policy, "false")
    assert desk.rows("select * from learnable_outcome") == []
    desk.rows(policy, "true")
    desk.rows("insert into opt_out (platform, author, reason) select platform, lower(author), 'r' from post")
    assert desk.rows("select * from learnable_outcome") == []


def test_a_rehearsal_says_nothing_about_what_is_usual_among_people(desk, measure):
    channel = desk.channel()
    for _ in range(20):
        desk.approved(channel)
    desk.run()
    measure(HOUR * 1.1)
    with desk.db.transaction() as tx:
        found = [
            norm_of(tx, NormKey(1, "x", is_sandbox, 3_600, 0), RewardWeights(), datetime.now(UTC).date())
            for is_sandbox in (True, False)
        ]
    assert [one.usual.median_impressions for one in found] == [100.0, 150.0]
    assert [row["n_replies"] for row in desk.rows("select n_replies from reward_norm order by id")] == [20, 0]


def test_what_is_added_while_rewards_are_written_is_not_lost(desk, measure):
    reply = desk.approved(desk.channel())
    desk.run()
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    snapshot = (
        "insert into engagement_snapshot"
        " (publication_id, window_s, likes, replies, reposts, is_deleted, is_late, taken_at)"
        " values (%s, %s, 9, 0, 0, false, false, now())"
    )
    desk.rows(snapshot, reply, 86_400)
    with ThreadPoolExecutor(1) as beside, desk.db.transaction() as tx:
        # The reply waits for its reward already when another process adds a snapshot, not committed yet.
        tx.connection.execute(snapshot, (reply, 604_800))
        written = beside.submit(refresh_rewards, desk.db)
        while not written.done() and not desk.rows("select 1 from pg_locks where not granted"):
            pass
    assert written.result(60) + refresh_rewards(desk.db) >= 1
    assert rewards(desk)[reply]["window_s"] == 604_800
