"""Snapshots by the channel's clock, each window once; rewards out of them."""

from datetime import timedelta

import pytest

from rejoinder.engagement.rewards import RewardWeights
from resources.measuring import count_measurements_due, measure_due
from resources.platforms.failures import RateLimited, Unreachable
from resources.platforms.port import Metrics
from resources.rewarding import refresh_rewards
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


def test_rewards_follow_the_latest_snapshot(desk, measure):
    channel = desk.channel()
    good, bad = desk.approved(channel), desk.approved(channel)
    desk.run()
    desk.platform.counts = {"9000": Metrics(100, 0, 0, 0), "9001": Metrics(100, 0, 0, 0)}
    measure(HOUR * 1.1)
    assert refresh_rewards(desk.db) == 2
    assert {r["reward"] for r in desk.rows("select reward from reward")} == {0.0}
    desk.platform.counts["9000"] = Metrics(100, 9, 3, 2)
    measure(25 * HOUR)
    assert refresh_rewards(desk.db) == 2
    rows = {r["publication_id"]: r for r in desk.rows("select * from reward")}
    assert rows[good]["reward"] > 0.4 and rows[bad]["reward"] == 0.0
    assert rows[good]["window_s"] == 86400 and rows[good]["engagement_rate"] == pytest.approx(0.21)
    assert rows[good]["components"]["is_late"] == 0.0


def test_a_deleted_reply_earns_nothing_and_models_cost(desk, measure):
    desk.approved(desk.channel())
    desk.run()
    desk.rows(
        "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
        " values ('generate', 'm', 1, 1, 1, 0.5, 1, true)"
    )
    desk.platform.counts = {"9000": Metrics(None, 5, 5, 5, is_deleted=True)}
    measure(HOUR * 1.1)
    refresh_rewards(desk.db, weights=RewardWeights(cost_per_usd=0.2))
    [row] = desk.rows("select * from reward")
    assert row["reward"] == pytest.approx(-0.1) and row["components"]["is_deleted"] == 1.0
