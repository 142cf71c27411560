"""Rewards out of snapshots: only what is new, by the weights in force, the old ones kept; one outcome a decision."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from rejoinder.engagement.rewards import RewardWeights
from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands.actors import Actor
from resources.commands.reward_weights import read_weights, set_weights
from resources.measuring import measure_due
from resources.platforms.port import Metrics
from resources.rewarding import norm_of, refresh_rewards
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
    return {row["publication_id"]: row for row in desk.rows("select * from reward")}


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
    desk.run()
    desk.rows(
        "insert into model_run"
        " (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok, input_ref)"
        " select 'generate', 'm', 1, 1, 1, 0.5, 1, true, 'post:' || post_id from publication where id = %s",
        gone,
    )
    desk.rows(
        "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
        " values ('generate', 'm', 1, 1, 1, 0.2, 1, true)"
    )
    desk.platform.counts = {"9000": Metrics(None, 5, 5, 5, is_deleted=True)}
    measure(HOUR * 1.1)
    refresh_rewards(desk.db)
    rows = rewards(desk)
    assert rows[gone]["cost"] == pytest.approx(0.6) and rows[other]["cost"] == pytest.approx(0.1)
    assert rows[gone]["engagement"] < 0 and rows[gone]["growth"] is None
    assert rows[gone]["components"]["is_deleted"] == 1.0


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
    desk.rows(
        "insert into decision (post_id, context_version, policy_version, candidates, action, propensity)"
        " select id, 'c1', 'uniform.v1', '{s,t}', 's', 0.5 from post"
    )
    desk.rows("alter table draft disable trigger user")
    desk.rows("update draft f set decision_id = d.id from decision d where d.post_id = f.post_id")
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
            norm_of(tx, NormKey(1, "x", is_sandbox, 3_600, 0), RewardWeights(), datetime.now(UTC))
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
