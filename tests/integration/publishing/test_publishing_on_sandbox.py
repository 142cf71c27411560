"""The publisher against the sandbox over HTTP, its witness log counted; faults, and kill -9 in the middle."""

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resources.clients import open_client
from resources.listening import hear_all
from resources.measuring import measure_due
from resources.publishing.clock import Clock
from resources.publishing.run import publish_due
from resources.rewarding import refresh_rewards
from resources.work.stopping import StopSignal

MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).resolve().parents[3]
PLATFORMS = ("x", "reddit")

# The publisher as a process of its own. With a marker named, it says "sent" and waits once the platform has
# answered, before anything is settled: the moment at which kill -9 hurts most.
PUBLISHER = """
import sys, time
from pathlib import Path
from resources.clients import open_client
from resources.postgres import Database
from resources.publishing.clock import Clock
from resources.publishing.run import publish_due
from resources.tuning import Tuning
from resources.work.stopping import stop_on_signals

url, when, marker = sys.argv[1:4]

def opened(channel, credential):
    client = open_client(channel, credential)
    inner = client.publish

    def publish(parent_id, text):
        if when == "before":
            hang()
        sent = inner(parent_id, text)
        if when == "after":
            hang()
        if when == "slow":
            Path(marker).write_text("in hand")
            time.sleep(0.5)
        return sent

    def hang():
        Path(marker).write_text("in hand")
        time.sleep(600)

    client.publish = publish
    return client

with stop_on_signals() as stop:
    report = publish_due(Database(url).open(), open_client=opened, tuning=Tuning(), stop=stop)
print(report.sent)
"""


def run(desk, later=timedelta()):
    return publish_due(
        desk.publisher,
        open_client=open_client,
        tuning=desk.tuning,
        stop=StopSignal(),
        clock=Clock(lambda tx: datetime.now(UTC) + later),
    )


def create_endpoint(platform: str) -> str:
    return {"x": "create", "reddit": "comment"}[platform]


def accepted(server) -> list[str]:
    """Parents of the replies that the sandbox took, by its own log."""
    return [line["parent_id"] for line in server.get("/sandbox/log") if line["accepted"]]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_reply_arrives_word_for_word(desk, live, platform):
    server, [reply] = live(platform)
    assert run(desk).sent == 1
    [arrived] = server.get("/sandbox/replies")
    row = desk.publication(reply)
    assert (arrived["id"], arrived["text"]) == (row["platform_id"], "They do, at 12:04 of episode 1.")
    assert row["platform_url"] == server.url
    assert abs(row["sent_at"] - datetime.now(UTC)) < MINUTE


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", ["commit_then_503", "commit_then_drop"])
def test_a_reply_that_landed_unseen_is_found_and_not_sent_twice(desk, live, platform, fault):
    server, [reply] = live(platform)
    server.post("/sandbox/faults", {"endpoint": create_endpoint(platform), "kind": fault})
    assert run(desk).unknown == 1
    assert run(desk, 2 * MINUTE).found == 1
    assert desk.publication(reply)["state"] == "sent"
    assert len(server.get("/sandbox/log")) == 1 and len(accepted(server)) == 1


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("fault", ["503", "drop"])
def test_a_reply_that_was_lost_is_not_sent_again_by_itself(desk, live, platform, fault):
    server, [reply] = live(platform)
    server.post("/sandbox/faults", {"endpoint": create_endpoint(platform), "kind": fault})
    assert run(desk).unknown == 1
    assert run(desk, 2 * MINUTE).still_unknown == 1
    server.post("/sandbox/clock", {"advance_s": 20 * 60})
    assert run(desk, 20 * MINUTE).items == 1
    assert desk.publication(reply)["state"] == "unknown"
    assert accepted(server) == [] and len(server.get("/sandbox/log")) == 1


def test_a_rate_limit_is_waited_out(desk, live):
    server, replies = live("x", 2)
    server.post("/sandbox/faults", {"endpoint": "create", "kind": "429"})
    report = run(desk)
    assert (report.requeued, report.deferred) == (1, 1)
    assert [desk.publication(r)["place"] for r in replies] == [
        "post_queue/rate_limited",
        "post_queue/pending",
    ]
    assert [(one.reason, one.waiting) for one in desk.outlook()] == [("rate_limited", 1)]
    assert run(desk, 16 * MINUTE).sent == 2


def test_a_sandbox_that_is_down_gets_the_reply_when_it_is_back(desk, live):
    server, [_reply] = live("x")
    desk.rows("update channel set base_url = 'http://127.0.0.1:9'")
    assert run(desk).requeued == 1
    desk.rows("update channel set base_url = %s", server.url)
    assert run(desk, 2 * MINUTE).sent == 1
    assert len(accepted(server)) == 1


def test_a_deleted_parent_is_a_refusal(desk, live):
    server, [reply] = live("x")
    server.post("/sandbox/posts/1001", {"deleted": True})
    assert run(desk).refused == 1
    assert desk.publication(reply)["place"] == "post_queue/failed"


def start_publisher(desk, when: str, marker: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PUBLISHER, desk.publisher.url, when, str(marker)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    for _ in range(600):
        if marker.exists():
            return process
        time.sleep(0.05)
    process.kill()
    raise AssertionError("the publisher never had a reply in hand")


@pytest.mark.parametrize(("when", "landed"), [("before", 0), ("after", 1)])
def test_kill_minus_nine_with_a_reply_in_hand(desk, live, tmp_path, when, landed):
    server, replies = live("x", 3)
    process = start_publisher(desk, when, tmp_path / "marker")
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=300)
    assert desk.publication(replies[0])["state"] == "sending" and len(accepted(server)) == landed
    report = run(desk)
    assert (report.lapsed, report.found, report.sent) == (1, landed, 2)
    assert desk.publication(replies[0])["state"] == ("sent" if landed else "unknown")
    parents = accepted(server)
    assert len(parents) == len(set(parents)) == 2 + landed


def test_a_gentle_stop_finishes_the_reply_in_hand_and_leaves_the_rest(desk, live, tmp_path):
    server, replies = live("x", 3)
    process = start_publisher(desk, "slow", tmp_path / "marker")
    process.terminate()
    output, _ = process.communicate(timeout=300)
    assert (process.returncode, output.strip()) == (0, "1")
    assert [desk.publication(r)["state"] for r in replies] == ["sent", "queued", "queued"]
    assert len(accepted(server)) == 1


def test_two_publisher_processes_send_a_hundred_replies_once_each(desk, live, tmp_path):
    server, _replies = live("x", 100)
    command = [sys.executable, "-c", PUBLISHER, desk.publisher.url, "never", str(tmp_path / "marker")]
    both = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    sent = [int(process.communicate(timeout=120)[0]) for process in both]
    assert sum(sent) == 100
    summary = server.get("/sandbox/summary")
    assert (summary["published"], summary["duplicates"], summary["refused"]) == (100, 0, 0)
    assert desk.rows("select count(*)::int n from publication where state = 'sent'") == [{"n": 100}]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_hear_publish_measure_and_reward(desk, live, platform):
    server, _replies = live(platform, 2)
    named = {"open_client": open_client, "tuning": desk.tuning, "stop": StopSignal()}
    heard = hear_all(desk.db, **named)
    assert heard.errors == {} and heard.channels["rehearsal"].seen == 2
    assert run(desk).sent == 2
    assert measure_due(desk.db, **named).items == 0
    server.post("/sandbox/clock", {"advance_s": 3600 * 24 + 60})
    assert measure_due(desk.db, **named).outcomes == {"late": 2, "taken": 2}
    assert refresh_rewards(desk.db) == 2
    rows = desk.rows("select * from engagement_snapshot where window_s = 86400")
    assert len(rows) == 2 and all((row["impressions"] is None) == (platform == "reddit") for row in rows)
