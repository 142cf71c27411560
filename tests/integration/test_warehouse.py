"""Marts on a real Postgres: counts add up, simulated decisions stay out of rates, files are replaced at once."""

import hashlib
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import psycopg
import pytest
from psycopg.types.json import Jsonb

from rejoinder.errors import ConfigInvalid
from resources.mart_facts import FACTS
from resources.postgres import Database
from resources.provision import Addresses
from resources.queries import query
from resources.settings import Settings
from resources.warehouse import (
    MARTS,
    PERIODS,
    is_refresh_due,
    mart_path,
    read_mart,
    refresh_marts,
    stale_since,
)

POLICY = {"price_per_create_usd": 0.015, "price_with_link_usd": 0.2, "price_per_read_usd": 0.005}


class Newsroom:
    """A channel, two reviewers (one simulated) and posts that go as far as a test wants."""

    def __init__(self, db: Database, publisher: Database) -> None:
        self.db, self.publisher, self.n = db, publisher, 0
        self.sql("insert into creator (name) values ('c')")
        project = self.sql("insert into project (creator_id, name) select id, 'p' from creator returning id")
        self.channel = self.sql(
            "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
            " values (%s, 'news', 'x', 'us', true, %s) returning id",
            project,
            Jsonb(POLICY),
        )
        self.people = {
            simulated: self.sql(
                "insert into person (name, display_name, role, password_hash, is_simulated)"
                " values (%s, 'A', 'approver', 'x', %s) returning id",
                f"person{simulated}".lower(),
                simulated,
            )
            for simulated in (True, False)
        }
        self.sql("insert into prompt_version values ('aaaaaaaaaaaa', 'reply', 'reply.v1', 'b')")

    def sql(self, text: str, *values: Any) -> Any:
        with self.db.transaction() as tx:
            cursor = tx.connection.execute(text, values)  # type: ignore[call-overload]
            return next(iter(cursor.fetchone().values())) if cursor.description else None

    def post(self, stage: str = "review", status: str = "pending") -> int:
        self.n += 1
        step = {"triage": "claims", "review": "review"}[stage]
        return int(
            self.sql(
                "insert into post (channel_id, platform, platform_post_id, text, created_at, heard_at, stage, step,"
                " status) values (%s, 'x', %s, 't', now(), now() - interval '1 hour', %s, %s, %s) returning id",
                self.channel,
                str(self.n),
                stage,
                step,
                status,
            )
        )

    def decide(self, decision: str, *, simulated: bool = False, strategy: str = "quote") -> tuple[int, int]:
        post = self.post()
        draft = self.sql(
            "insert into draft (post_id, version, text, strategy, model, prompt_version)"
            " values (%s, 1, 't', %s, 'm', 'aaaaaaaaaaaa') returning id",
            post,
            strategy,
        )
        review = self.sql(
            "insert into review (post_id, draft_id, reviewer_id, decision, reason, is_simulated)"
            " values (%s, %s, %s, %s, nullif(%s, ''), %s) returning id",
            post,
            draft,
            self.people[simulated],
            decision,
            "tone" if decision == "rejected" else "",
            simulated,
        )
        return post, int(review)

    def publish(self, text: str, *, way: str = "api", state: str = "sent") -> int:
        post, review = self.decide("approved")
        words = (text, hashlib.sha256(text.encode()).hexdigest())
        self.sql("insert into review_part values (%s, 0, %s, %s)", review, *words)
        publication = self.sql(
            "insert into publication (post_id, review_id, channel_id, state) values (%s, %s, %s, %s) returning id",
            post,
            review,
            self.channel,
            "queued" if way == "api" else "handoff",
        )
        self.sql(
            "insert into publication_part (publication_id, position, text, sha256) values (%s, 0, %s, %s)",
            publication,
            *words,
        )
        if way == "api" and state != "queued":
            with self.publisher.transaction() as tx:
                tx.connection.execute(
                    "update publication set state = 'sending', lease_worker = 1, lease_until = now() where id = %s",
                    (publication,),
                )
        if state == "sent":
            with self.db.transaction() as tx:
                for statement in (
                    "update publication_part set state = 'sent' where publication_id = %s",
                    "update publication set state = 'sent', lease_worker = null, lease_until = null, sent_at = now()"
                    " where id = %s",
                ):
                    tx.connection.execute(statement, (publication,))
        return int(publication)

    def backdate(self, publication: int, schedule: str | None, seconds: float) -> float:
        """Let a reply have been approved so long before it was sent; returns the seconds from hearing to that."""
        self.sql(
            "update publication set created_at = now() - make_interval(secs => %s), schedule = %s,"
            " scheduled_for = now() - make_interval(secs => %s) + %s::interval where id = %s",
            seconds,
            "at" if schedule else "now",
            seconds,
            schedule,
            publication,
        )
        self.sql("alter table publication_event disable trigger user")
        self.sql("update publication_event set created_at = now() where to_state = 'sent'")
        return float(
            self.sql(
                "select extract(epoch from p.created_at - o.heard_at)"
                " from publication p join post o on o.id = p.post_id where p.id = %s",
                publication,
            )
        )

    def measure(self, publication: int, likes: int, *, late: bool = False, deleted: bool = False) -> None:
        self.sql(
            "insert into engagement_snapshot (publication_id, window_s, impressions, likes, replies, reposts,"
            " is_late, is_deleted, taken_at) values (%s, 3600, null, %s, 1, 0, %s, %s, now())",
            publication,
            likes,
            late,
            deleted,
        )


@pytest.fixture
def newsroom(owner_db: Database, addresses: Addresses) -> Iterator[Newsroom]:
    publisher = Database(addresses.publisher).open()
    yield Newsroom(owner_db, publisher)
    publisher.close()


def test_an_empty_installation_has_empty_marts_with_columns(db: Database, tmp_path: Path) -> None:
    before = {name: read_mart(tmp_path, name) for name in MARTS}
    report = refresh_marts(db, tmp_path)
    assert report.rows == dict.fromkeys(MARTS, 0) and report.seconds >= 0
    for name in MARTS:
        after = read_mart(tmp_path, name)
        assert after.height == 0 and after.schema == before[name].schema and len(after.columns) > 4


def test_an_unknown_mart_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="funnel, approval"):
        read_mart(tmp_path, "../secrets")


@pytest.mark.parametrize("name", sorted(FACTS))
def test_each_facts_statement_gives_the_columns_that_are_declared(db: Database, name: str) -> None:
    with db.transaction() as tx:
        described = tx.connection.execute(query(f"facts_{name}")).description
    assert [column.name for column in described or ()] == list(FACTS[name])


def test_the_funnel_counts_every_post_once(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.post()
    newsroom.post()
    newsroom.post("triage", "rejected")
    refresh_marts(db, tmp_path)
    funnel = read_mart(tmp_path, "funnel")
    found = {(r["stage"], r["status"], r["stage_order"]): r["posts"] for r in funnel.to_dicts()}
    assert found == {("review", "pending", 4): 2, ("triage", "rejected", 0): 1}
    assert set(funnel["channel"]) == {"news"} and funnel["day"].dtype == pl.Date


def rows_of(home: Path, mart: str, **wanted: Any) -> list[dict[str, Any]]:
    """Rows of a mart with these values."""
    found = read_mart(home, mart).to_dicts()
    return [row for row in found if all(row[name] == value for name, value in wanted.items())]


def test_simulated_decisions_enter_no_rate(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    for decision in ("approved", "approved", "approved", "rejected", "sent_back"):
        newsroom.decide(decision)
    for _ in range(10):
        newsroom.decide("rejected", simulated=True)
    newsroom.decide("approved", simulated=True, strategy="only-simulated")
    refresh_marts(db, tmp_path)
    for period in PERIODS:
        found = rows_of(tmp_path, "approval", split="strategy", period_days=period, channel=None)
        rows = {(r["name"], r["is_simulated"]): r for r in found}
        people = rows["quote", False]
        assert (people["decided"], people["approved"], people["rejected"], people["sent_back"]) == (
            5,
            3,
            1,
            1,
        )
        assert people["approval_rate"] == pytest.approx(0.6)
        assert rows["quote", True]["approval_rate"] == 0 and ("only-simulated", False) not in rows


def test_a_rate_comes_with_its_wilson_interval(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    for n in range(10):
        newsroom.decide("approved" if n < 8 else "sent_back")
    newsroom.sql("update draft set created_at = now() - interval '90 seconds'")
    refresh_marts(db, tmp_path)
    (row,) = rows_of(tmp_path, "approval", split="all", period_days=7, channel="news", is_simulated=False)
    # Brown, Cai & DasGupta, "Interval Estimation for a Binomial Proportion", 2001: Wilson's interval of 8 out of 10.
    assert (row["rate_low"], row["rate_high"]) == (
        pytest.approx(0.4902, abs=1e-4),
        pytest.approx(0.9433, abs=1e-4),
    )
    assert row["decide_p50_s"] == pytest.approx(90, abs=5) and row["edit_share"] == 0


def test_every_grouping_of_decisions_counts_each_once(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    for n in range(7):
        newsroom.decide("approved", strategy=f"s{n % 3}", simulated=n == 0)
    refresh_marts(db, tmp_path)
    for split in ("all", "strategy", "prompt"):
        for channel in (None, "news"):
            found = rows_of(tmp_path, "approval", split=split, channel=channel, period_days=0)
            assert sum(row["decided"] for row in found) == 7
    assert {row["name"] for row in rows_of(tmp_path, "approval", split="prompt")} == {"aaaaaaaaaaaa"}


def test_what_is_older_than_a_period_is_not_in_it(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.publish("new")
    old = newsroom.publish("old")
    newsroom.sql("update publication set created_at = now() - interval '10 days' where id = %s", old)
    refresh_marts(db, tmp_path)
    counted = {
        r["period_days"]: r["n"] for r in rows_of(tmp_path, "latency", step="heard_to_sent", channel=None)
    }
    assert counted == {7: 1, 30: 2, 90: 2, 0: 2}


def test_steps_of_replies_have_their_quantiles(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.publish("one")
    newsroom.publish("by hand", way="handoff")
    refresh_marts(db, tmp_path)
    rows = {r["step"]: r for r in rows_of(tmp_path, "latency", period_days=7, channel="news")}
    assert {name: row["n"] for name, row in rows.items()} == {
        "heard_to_drafted": 2, "drafted_to_approved": 2, "due_to_sent": 1, "heard_to_sent": 1,
    }  # fmt: skip
    assert 3600 <= rows["heard_to_sent"]["p50_s"] <= rows["heard_to_sent"]["p95_s"] < 3700


def test_what_did_not_go_straight_is_counted_by_reason(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    for n, reason in enumerate(("blocked", "blocked", "deleted_parent")):
        newsroom.sql(
            "update publication set state = 'refused', reason_code = %s, lease_worker = null, lease_until = null"
            " where id = %s",
            *(reason, newsroom.publish(f"reply {n}", state="sending")),
        )
    lost = newsroom.publish("lost", state="sending")
    for state in ("unknown", "abandoned"):
        newsroom.sql(
            "update publication set state = %s, lease_worker = null, lease_until = null where id = %s",
            state,
            lost,
        )
    refresh_marts(db, tmp_path)
    faults = {(r["what"], r["reason"]): r["n"] for r in read_mart(tmp_path, "faults").to_dicts()}
    assert faults["refused", "blocked"] == 2 and faults["refused", "deleted_parent"] == 1
    assert sum(n for (what, _), n in faults.items() if what == "unknown") == 1
    assert sum(n for (what, _), n in faults.items() if what == "abandoned") == 1


def test_notices_are_counted_by_kind(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.sql(
        "insert into notification (kind, message) values ('refused', 'm'), ('policy', 'm'), ('refused', 'm')"
    )
    newsroom.sql("update notification set read_at = created_at + interval '60 seconds' where id = 1")
    refresh_marts(db, tmp_path)
    rows = {r["kind"]: r for r in read_mart(tmp_path, "notices").to_dicts()}
    assert (rows["refused"]["n"], rows["refused"]["n_read"], rows["refused"]["read_p50_s"]) == (2, 1, 60)
    assert rows["policy"]["read_p50_s"] is None


def test_publications_know_their_latency_and_their_price(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    newsroom.publish("plain words")
    newsroom.publish("see https://example.org")
    newsroom.publish("by hand https://example.org", way="handoff")
    newsroom.publish("waits", state="queued")
    refresh_marts(db, tmp_path)
    rows = read_mart(tmp_path, "publication").to_dicts()
    found = {(r["state"], r["was_handed_off"]): r for r in rows}
    assert {key: r["publications"] for key, r in found.items()} == {
        ("sent", False): 2,
        ("sent", True): 1,
        ("queued", False): 1,
    }
    assert 3600 <= found["sent", False]["heard_to_sent_median_s"] < 3700
    assert found["queued", False]["heard_to_sent_median_s"] is None


def test_what_platforms_charged_is_told_by_day(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.post()
    for action, n, charged, usd in (
        ("create", 2, 2, "0.03"),
        ("create_with_link", 1, 1, "0.2"),
        ("post_read", 9, 4, "0.02"),
        ("unaccounted", 0, 0, "0.5"),
    ):
        newsroom.sql(
            "insert into spend_entry (channel_id, day, action, n_resources, n_charged, spent_usd)"
            " select id, '2026-11-20', %s, %s, %s, %s from channel",
            *(action, n, charged, usd),
        )
    refresh_marts(db, tmp_path)
    spend = {(r["kind"], r["name"]): r for r in read_mart(tmp_path, "spend").to_dicts()}
    assert (spend["publish", "news"]["calls"], spend["read", "news"]["items"]) == (3, 4)
    assert spend["publish", "news"]["cost_usd"] == pytest.approx(0.23)
    assert spend["read", "news"]["cost_usd"] == pytest.approx(0.52)


def test_late_and_deleted_replies_enter_no_mean(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    first = newsroom.publish("one")
    newsroom.measure(first, 4)
    newsroom.measure(newsroom.publish("two"), 8)
    newsroom.measure(newsroom.publish("three"), 1000, late=True)
    newsroom.measure(newsroom.publish("four"), 1000, deleted=True)
    newsroom.sql(
        "insert into reward (publication_id, window_s, engagement_rate, reward, components)"
        " values (%s, 3600, 0.1, 0.5, '{}')",
        first,
    )
    refresh_marts(db, tmp_path)
    (row,) = rows_of(tmp_path, "engagement", split="strategy", channel="news", period_days=7)
    assert (row["snapshots"], row["late"], row["deleted"], row["n"], row["likes_mean"]) == (4, 1, 1, 2, 6.0)
    assert (row["name"], row["window_s"], row["reward_n"], row["reward_mean"]) == ("quote", 3600, 1, 0.5)
    assert row["impressions_mean"] is None and row["reward_low"] is None, "one value has no interval"
    # 4 and 8: standard error 2, Student's t with one degree of freedom 12.706.
    assert (row["likes_low"], row["likes_high"]) == (0, pytest.approx(6 + 2 * 12.706, abs=0.01))


def test_visits_and_conversions_stand_with_the_reply_that_has_the_link(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    publication = newsroom.publish("said so: https://go.example/l/2b3c4d5f6g7h")
    newsroom.publish("another reply, without a link")
    link = newsroom.sql(
        "insert into tracked_link (code, address, target, post_id) select '2b3c4d5f6g7h',"
        " 'https://go.example/l/2b3c4d5f6g7h', 'https://pod.example/1', post_id from publication where id = %s"
        " returning id",
        publication,
    )
    newsroom.sql(
        "insert into link_visit values (%s, '2026-11-20', 'a.example', false, 3),"
        " (%s, '2026-11-20', 'b.example', false, 4), (%s, '2026-11-20', '', true, 9)",
        link,
        link,
        link,
    )
    newsroom.sql(
        "insert into conversion (project_id, external_id, link_id, kind, value_usd, occurred_at)"
        " select id, 'o1', %s, 'order', 12.5, '2026-11-20 23:59+00' from project",
        link,
    )
    refresh_marts(db, tmp_path)
    followed, sent = read_mart(tmp_path, "links").to_dicts()
    assert (followed["strategy"], followed["is_simulated"], followed["channel"]) == ("quote", False, "news")
    assert (followed["visits"], followed["bot_visits"], followed["conversions"]) == (7, 9, 1)
    assert (followed["value_usd"], followed["replies"]) == (12.5, 0)
    assert (sent["replies"], sent["tracked"], sent["visits"]) == (1, 1, 0)
    assert sent["day"] == datetime.now(UTC).date()
    newsroom.sql("update link_visit set visits = visits + 1 where is_bot")
    assert is_refresh_due(db, tmp_path, datetime.now(UTC) + timedelta(minutes=2))


def test_a_link_costs_what_it_adds_to_the_price_of_a_reply(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    newsroom.publish("words alone")
    newsroom.publish("see https://pod.example/1 and https://pod.example/2")
    newsroom.publish("by hand https://pod.example/1", way="handoff")
    newsroom.publish("not yet https://pod.example/1", state="queued")
    refresh_marts(db, tmp_path)
    (row,) = read_mart(tmp_path, "links").to_dicts()
    assert (row["replies"], row["tracked"], row["visits"], row["is_sandbox"]) == (2, 0, 0, True)
    assert row["link_cost_usd"] == pytest.approx(0.2 - 0.015), "once for a post, nothing for one by hand"


def test_a_file_that_a_crash_left_torn_is_written_anew(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    newsroom.post()
    refresh_marts(db, tmp_path)
    mart_path(tmp_path, "funnel").write_bytes(b"")
    assert read_mart(tmp_path, "funnel").height == 0
    assert is_refresh_due(db, tmp_path, datetime.now(UTC))
    refresh_marts(db, tmp_path)
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 1


def test_a_reward_that_is_missing_is_told(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    publication = newsroom.publish("t")
    refresh_marts(db, tmp_path)
    newsroom.sql(
        "insert into reward (publication_id, window_s, engagement_rate, reward, components, updated_at)"
        " values (%s, 3600, 0, 0.5, '{}', now())",
        publication,
    )
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=6))


def test_equal_values_have_no_interval(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    for n in range(3):
        newsroom.measure(newsroom.publish(f"reply {n}"), 4)
    refresh_marts(db, tmp_path)
    (row,) = rows_of(tmp_path, "engagement", split="all", channel=None, period_days=0)
    assert (row["n"], row["likes_mean"], row["likes_low"], row["likes_high"]) == (3, 4.0, None, None)


@pytest.mark.parametrize("change", ["post", "review", "publication", "notice", "read notice", "model run"])
def test_a_refresh_is_due_once_anything_has_changed(
    newsroom: Newsroom, db: Database, tmp_path: Path, change: str
) -> None:
    newsroom.sql("insert into notification (kind, message) values ('k', 'm')")
    assert is_refresh_due(db, tmp_path, datetime.now(UTC)), "there are no marts yet"
    refresh_marts(db, tmp_path)
    later = datetime.now(UTC) + timedelta(seconds=61)
    if later.date() == datetime.now(UTC).date():
        assert not is_refresh_due(db, tmp_path, later)
    changes = {
        "post": lambda: newsroom.post(),
        "review": lambda: newsroom.decide("approved"),
        "publication": lambda: newsroom.publish("t"),
        "notice": lambda: newsroom.sql("insert into notification (kind, message) values ('k', 'm')"),
        "read notice": lambda: newsroom.sql("update notification set read_at = now()"),
        "model run": lambda: newsroom.sql(
            "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
            " values ('embed', 'm', 1, 1, 0, 0, 1, true)"
        ),
    }
    changes[change]()
    assert not is_refresh_due(db, tmp_path, later - timedelta(seconds=30)), "not at once again"
    assert is_refresh_due(db, tmp_path, later)


def test_a_new_day_is_a_reason_to_write_anew(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    refresh_marts(db, tmp_path)
    assert is_refresh_due(db, tmp_path, datetime.now(UTC) + timedelta(days=1))


def test_a_change_that_is_missing_for_five_minutes_is_told(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    assert stale_since(db, tmp_path, datetime.now(UTC)) is None, "nothing is missing where there is nothing"
    newsroom.post()
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=6)), "no mart has it"
    refresh_marts(db, tmp_path)
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=6)) is None
    newsroom.post()
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=4)) is None
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=6)) is not None


def test_an_older_moment_never_replaces_a_later_one(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.post()
    refresh_marts(db, tmp_path)
    funnel = mart_path(tmp_path, "funnel")
    kept, now = pl.read_parquet_metadata(funnel), datetime.now(UTC)
    for ahead, posts in ((timedelta(minutes=5), 1), (timedelta(days=30), 3)):
        later = {**kept, "as_of": (now + ahead).isoformat()}
        pl.read_parquet(funnel).write_parquet(funnel, metadata=later)
        newsroom.post()
        refresh_marts(db, tmp_path)
        assert read_mart(tmp_path, "funnel")["posts"].sum() == posts, "a month ahead a clock was wrong"


def test_a_server_whose_clock_is_ahead_is_no_reason_to_wait(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    refresh_marts(db, tmp_path)
    newsroom.post()
    assert is_refresh_due(db, tmp_path, datetime.now(UTC) - timedelta(minutes=10))


def test_model_calls_cost_what_was_recorded(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    for cost in ("0.25", "0.5"):
        newsroom.sql(
            "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
            " values ('generate', 'openai::m', 2, 10, 5, %s, 1, true)",
            cost,
        )
    refresh_marts(db, tmp_path)
    (row,) = read_mart(tmp_path, "spend").to_dicts()
    assert (row["kind"], row["name"], row["calls"], row["items"]) == ("model", "openai::m", 2, 4)
    assert (row["tokens_in"], row["tokens_out"], row["cost_usd"]) == (20, 10, 0.75)
    assert row["day"] == datetime.now(UTC).date()


def test_calls_of_models_are_counted_by_task_and_endpoint(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    for latency_ms, is_ok, is_cached in (
        (10, True, False),
        (30, True, False),
        (1, True, True),
        (900, False, False),
    ):
        newsroom.sql(
            "insert into model_run (run_type, task, endpoint, model, n_items, tokens_in, tokens_out, cost_usd,"
            " latency_ms, is_ok, is_cached)"
            " values ('generate', 'reply', 'fast', 'openai::m', 1, 10, 5, 0.01, %s, %s, %s)",
            latency_ms,
            is_ok,
            is_cached,
        )
    newsroom.sql(
        "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
        " values ('embed', 'onnx::m', 2, 10, 0, 0, 1, true)"
    )
    refresh_marts(db, tmp_path)
    rows = {row["task"]: row for row in read_mart(tmp_path, "models").to_dicts()}
    reply = rows["reply"]
    assert (reply["calls"], reply["ok_share"], reply["cached_share"]) == (4, 0.75, 0.25)
    assert (reply["latency_p50_ms"], reply["usd_per_call"]) == (20, pytest.approx(0.01))
    assert (rows["embed"]["endpoint"], rows["embed"]["calls"]) == (None, 1)


def test_a_refresh_that_fails_leaves_the_old_file_and_no_other(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    newsroom.post()
    refresh_marts(db, tmp_path)
    blocked = mart_path(tmp_path, "publication")
    blocked.unlink()
    blocked.mkdir()  # a folder cannot be replaced by a file
    newsroom.post()
    with pytest.raises(OSError):
        refresh_marts(db, tmp_path)
    assert sorted(p.name for p in (tmp_path / "marts").iterdir()) == sorted(f"{m}.parquet" for m in MARTS)
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 2


def test_the_check_holds_a_mart_against_its_own_moment(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from assets.checks import all_checks

    (check,) = [c for c in all_checks() if next(iter(c.check_keys)).name == "marts_are_complete"]
    bench = SimpleNamespace(db=db, settings=Settings(home=tmp_path))
    assert not check(bench).passed, "there is no mart yet"
    newsroom.post()
    newsroom.post()
    refresh_marts(db, tmp_path)
    newsroom.post()
    assert check(bench).passed, "what was heard since is no fault of the mart"
    funnel = mart_path(tmp_path, "funnel")
    kept = pl.read_parquet_metadata(funnel)
    pl.read_parquet(funnel).with_columns(posts=pl.col("posts") - 1).write_parquet(funnel, metadata=kept)
    assert not check(bench).passed, "a post is missing"


@contextmanager
def committing_late(database: Database, statement: str) -> Iterator[None]:
    """Write at once, commit at the end: what is done meanwhile gets later ids and times and is seen earlier."""
    with psycopg.connect(database.url) as slow:
        slow.execute(statement)  # type: ignore[call-overload]
        yield
        slow.commit()


NOTICE = "insert into notification (kind, message) values ('k', 'm')"
READ = "update notification set read_at = created_at + interval '1 s' where id = 1"
CALL = (
    "insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)"
    " values ('embed', 'm', 1, 1, 0, 0, 1, true)"
)


@pytest.mark.parametrize(
    ("late", "meanwhile"), [(NOTICE, NOTICE), (CALL, CALL), (READ, READ.replace("= 1", "= 2"))]
)
def test_what_commits_late_is_seen_though_later_rows_are_in_the_marts(
    owner_db: Database, db: Database, tmp_path: Path, late: str, meanwhile: str
) -> None:
    for statement in (NOTICE, NOTICE):
        run(owner_db, statement)
    later = datetime.now(UTC) + timedelta(minutes=6)
    with committing_late(owner_db, late):
        run(owner_db, meanwhile)
        refresh_marts(db, tmp_path)
        assert stale_since(db, tmp_path, later) is None
        if later.date() == datetime.now(UTC).date():
            assert not is_refresh_due(db, tmp_path, later), "nothing more can be seen yet"
    assert is_refresh_due(db, tmp_path, later)
    assert stale_since(db, tmp_path, later) is not None, "it is told though its own time is before the marts'"
    refresh_marts(db, tmp_path)
    assert stale_since(db, tmp_path, later) is None


def run(database: Database, statement: str, *values: Any) -> None:
    with database.transaction() as tx:
        tx.connection.execute(statement, values)  # type: ignore[call-overload]


def test_what_the_marts_have_is_not_told_as_missing(db: Database, owner_db: Database, tmp_path: Path) -> None:
    """A row may bear a later time than the marts though they have it: clocks within a transaction stand still."""
    run(
        owner_db,
        "insert into notification (kind, message, created_at) values ('k', 'm', now() + interval '1 min')",
    )
    refresh_marts(db, tmp_path)
    run(owner_db, "update notification set read_at = created_at + interval '9 min'")
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=8)) is None
    assert stale_since(db, tmp_path, datetime.now(UTC) + timedelta(minutes=16)) is not None


@pytest.mark.parametrize(
    ("schedule", "chosen_s", "waited_s"),
    [(None, None, 600), ("2 hours", 7200, 600), ("-5 minutes", None, 600)],
)
def test_a_wait_that_a_person_chose_stands_apart(
    newsroom: Newsroom,
    db: Database,
    tmp_path: Path,
    schedule: str | None,
    chosen_s: float | None,
    waited_s: float,
) -> None:
    publication = newsroom.publish("words")
    moved = newsroom.backdate(publication, schedule, waited_s + (chosen_s or 0))
    refresh_marts(db, tmp_path)
    rows = {r["step"]: r for r in rows_of(tmp_path, "latency", period_days=0, channel=None)}
    assert rows["due_to_sent"]["p50_s"] == pytest.approx(waited_s, abs=1)
    assert rows["heard_to_sent"]["p50_s"] == pytest.approx(moved + waited_s + (chosen_s or 0), abs=1)
    assert ("approved_to_due" in rows) == (chosen_s is not None)
    if chosen_s:
        assert (rows["approved_to_due"]["n"], rows["approved_to_due"]["p50_s"]) == (
            1,
            pytest.approx(chosen_s, abs=1),
        )


def test_whoever_changes_the_time_chooses_anew(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    publication = newsroom.publish("words")
    newsroom.backdate(publication, None, 3600)
    newsroom.sql(
        "insert into audit_event (actor, action, entity_type, entity_id, created_at)"
        " select 'a', 'reschedule', 'publication', id, created_at + interval '50 min' from publication"
    )
    refresh_marts(db, tmp_path)
    rows = {r["step"]: r["p50_s"] for r in rows_of(tmp_path, "latency", period_days=0, channel=None)}
    assert rows["approved_to_due"] == pytest.approx(3000, abs=1)
    assert rows["due_to_sent"] == pytest.approx(600, abs=1)


def test_marts_of_another_version_are_written_anew(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.post()
    refresh_marts(db, tmp_path)
    now = datetime.now(UTC)
    funnel = mart_path(tmp_path, "funnel")
    older = {**pl.read_parquet_metadata(funnel), "made_by": "another"}
    pl.read_parquet(funnel).drop("is_sandbox").write_parquet(funnel, metadata=older)
    assert read_mart(tmp_path, "funnel").height == 0, "columns that nobody reads now are not shown as ours"
    assert is_refresh_due(db, tmp_path, now)
    refresh_marts(db, tmp_path)
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 1


def test_rehearsals_never_mix_with_real_channels(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.measure(newsroom.publish("rehearsed"), 100)
    newsroom.channel = newsroom.sql(
        "insert into channel (project_id, name, platform, account, is_sandbox, policy)"
        " select project_id, 'real', 'x', 'they', false, policy from channel returning id"
    )
    newsroom.measure(newsroom.publish("real"), 2)
    refresh_marts(db, tmp_path)
    likes = {
        r["is_sandbox"]: r["likes_mean"]
        for r in rows_of(tmp_path, "engagement", split="all", channel=None, period_days=0)
    }
    assert likes == {True: 100, False: 2}
    for mart in ("approval", "latency"):
        assert {r["is_sandbox"] for r in rows_of(tmp_path, mart, channel=None)} == {False, True}


def test_nothing_approved_has_no_share_of_edits(newsroom: Newsroom, db: Database, tmp_path: Path) -> None:
    newsroom.decide("rejected")
    refresh_marts(db, tmp_path)
    (row,) = rows_of(tmp_path, "approval", split="all", channel=None, period_days=0)
    assert (row["edit_share"], row["edit_low"], row["edit_high"]) == (None, None, None)
    assert row["approval_rate"] == 0 and row["rate_low"] == 0 and 0.7 < row["rate_high"] < 0.8


def test_a_refresh_that_fails_while_it_writes_leaves_every_mart_as_it_was(
    newsroom: Newsroom, db: Database, tmp_path: Path
) -> None:
    newsroom.post()
    refresh_marts(db, tmp_path)
    (tmp_path / "marts" / f".notices.parquet.{os.getpid()}").mkdir()  # the last one cannot be written
    newsroom.post()
    with pytest.raises(OSError):
        refresh_marts(db, tmp_path)
    (tmp_path / "marts" / f".notices.parquet.{os.getpid()}").rmdir()
    assert sorted(p.name for p in (tmp_path / "marts").iterdir()) == sorted(f"{m}.parquet" for m in MARTS)
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 1
    assert is_refresh_due(db, tmp_path, datetime.now(UTC) + timedelta(seconds=61))
    refresh_marts(db, tmp_path)
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 2


def test_what_a_killed_refresh_left_is_cleared(db: Database, tmp_path: Path) -> None:
    refresh_marts(db, tmp_path)
    left, young = (tmp_path / "marts" / f".funnel.parquet.{n}" for n in (1, 2))
    for path in (left, young):
        path.write_bytes(b"half")
    os.utime(left, (0, 0))
    refresh_marts(db, tmp_path)
    assert young.exists() and not left.exists(), "another refresh may be writing the young one now"


class Daemon:
    """Dagster's part: a look of the sensor, and the run that it asked for."""

    def __init__(self, db: Database, home: Path, instance: Any) -> None:
        self.home, self.instance = home, instance
        self.bench = SimpleNamespace(db=db, settings=Settings(home=home))

    def look(self) -> bool:
        """Whether the sensor asks for a run, a minute after the last refresh began."""
        for path in (self.home / "marts").glob("*.parquet"):
            if path.is_file():
                kept = pl.read_parquet_metadata(path)
                earlier = datetime.fromisoformat(kept["as_of"]) - timedelta(seconds=61)
                if earlier.date() != datetime.now(UTC).date():
                    pytest.skip("a new day has begun, which is a reason of its own")
                pl.read_parquet(path).write_parquet(path, metadata={**kept, "as_of": earlier.isoformat()})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dagster as dg

            from sensors.marts import marts_due

            context = dg.build_sensor_context(instance=self.instance, resources={"bench": self.bench})
            answer = marts_due(context)
        return isinstance(answer, dg.SensorResult)

    def run(self) -> bool:
        """The run; whether it succeeded."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import dagster as dg

            from assets.analytics import marts

            given = {"bench": self.bench}
            return dg.materialize(
                [marts], resources=given, instance=self.instance, raise_on_error=False
            ).success


@pytest.fixture
def daemon(newsroom: Newsroom, db: Database, tmp_path: Path) -> Iterator[Daemon]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster as dg

        with dg.DagsterInstance.ephemeral() as instance:
            yield Daemon(db, tmp_path, instance)


def snapshot(newsroom: Newsroom) -> None:
    newsroom.measure(newsroom.sql("select max(id) from publication"), 5)


def spending(newsroom: Newsroom) -> None:
    newsroom.sql("update spend_entry set spent_usd = spent_usd + 0.5, updated_at = now()")


CHANGES = {
    "engagement": (snapshot, lambda mart: mart["n"].sum()),
    "approval": (lambda newsroom: newsroom.decide("approved"), lambda mart: mart["approved"].sum()),
    "spend": (spending, lambda mart: mart["cost_usd"].sum()),
}


@pytest.mark.parametrize("mart", CHANGES)
def test_a_change_is_in_its_mart_after_one_look_and_one_run(
    newsroom: Newsroom, daemon: Daemon, tmp_path: Path, mart: str
) -> None:
    change, figure = CHANGES[mart]
    newsroom.publish("words")
    newsroom.sql(
        "insert into spend_entry (channel_id, day, action, n_resources, n_charged, spent_usd)"
        " select id, current_date, 'create', 1, 1, 0.25 from channel"
    )
    assert daemon.look() and daemon.run()
    before = figure(read_mart(tmp_path, mart))
    assert not daemon.look(), "nothing has changed"
    change(newsroom)
    assert daemon.look() and daemon.run()
    assert figure(read_mart(tmp_path, mart)) > before
    assert not daemon.look()


def test_a_run_that_fails_in_the_middle_is_repaired_by_the_next(
    newsroom: Newsroom, daemon: Daemon, tmp_path: Path
) -> None:
    newsroom.decide("approved")
    assert daemon.look() and daemon.run()
    latency = mart_path(tmp_path, "latency")
    kept = latency.read_bytes()
    latency.unlink()
    latency.mkdir()  # between two marts that are put in their places
    newsroom.decide("approved")
    assert not daemon.run()
    assert read_mart(tmp_path, "funnel")["posts"].sum() == 2 and read_mart(tmp_path, "engagement").height == 0
    latency.rmdir()
    latency.write_bytes(kept)
    assert read_mart(tmp_path, "latency").height == 0, "what was there can be read"
    assert daemon.look() and daemon.run()
    assert not daemon.look()
    (row,) = rows_of(tmp_path, "approval", split="all", channel=None, period_days=7)
    assert row["approved"] == 2
