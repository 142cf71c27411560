"""`rejoinder publish`, `listen` and `measure` as a person types them, on the sandbox."""

import json
import os
import signal
import socket
import threading
import time

import pytest
import typer
from typer.testing import CliRunner

from cli import listen, measure, publish, rewards, status
from cli.rounds import NO_ANSWER, NO_CHANNEL
from rejoinder.errors import ConfigInvalid
from resources import rounds, workbench
from resources.demo.channels import choose_port
from resources.notices import notify
from resources.postgres import Database
from resources.services import move_sandbox_channels, sandbox_port
from resources.settings import load_settings
from resources.store.channels import enabled_channels, store_credential
from resources.work.stopping import StopSignal

X_KEYS = {name: "k" for name in (
    "bearer_token", "consumer_key", "consumer_secret", "access_token", "access_token_secret",
)}  # fmt: skip


@pytest.fixture
def rejoinder(addresses, monkeypatch):
    """Runs a command against this test's database; its exit code and what it printed."""
    names = {"": addresses.owner, "APP_": addresses.app, "PUBLISHER_": addresses.publisher}
    names |= {"DAGSTER_": addresses.dagster, "MLFLOW_": addresses.mlflow}
    for name, url in names.items():
        monkeypatch.setenv(f"REJOINDER_{name}DATABASE_URL", url)
    load_settings.cache_clear()
    monkeypatch.setattr(rounds, "PROCESS_STOP", StopSignal())  # a test that stops this process stops no other
    pools = []
    monkeypatch.setattr(workbench, "_pool", lambda url: pools.append(Database(url).open()) or pools[-1])
    workbench.open_workbench.cache_clear()
    app = typer.Typer()
    for module in (publish, listen, measure, rewards, status):
        module.register(app)
    yield lambda *arguments: CliRunner().invoke(app, arguments)
    workbench.open_workbench.cache_clear()
    for pool in pools:
        pool.close()


def test_the_three_commands_walk_from_hearing_to_rewards(rejoinder, live, desk):
    server, _ = live("x", 2)
    heard = json.loads(rejoinder("listen", "--once", "--json").stdout)
    assert heard["channels"]["rehearsal"]["known"] + heard["channels"]["rehearsal"]["edited"] == 2
    sent = json.loads(rejoinder("publish", "--once", "--json").stdout)
    assert (sent["sent"], sent["errors"]) == (2, {})
    server.post("/sandbox/clock", {"advance_s": 3700})
    measured = json.loads(rejoinder("measure", "--json").stdout)
    assert (measured["taken"], measured["rewards"]) == (2, 2)
    server.post("/sandbox/clock", {"advance_s": 86_400})
    assert json.loads(rejoinder("measure", "--json").stdout)["rewards"] == 2
    shown = json.loads(rejoinder("rewards", "list", "--json").stdout)
    assert [one["window_s"] for one in shown["ages"]] == [3_600, 86_400] * 2 and shown["failed"] == []
    table = rejoinder("rewards", "list", "--most", "1").stdout
    assert "1 h" in table and "24 h" in table and f"{shown['ages'][1]['reward']:+.2f}" in table


def test_people_read_sentences(rejoinder, live):
    server, _ = live("x")
    server.post("/sandbox/faults", {"endpoint": "create", "kind": "429"})
    done = rejoinder("publish")
    assert done.exit_code == 0 and "1 to be tried again." in done.stdout
    assert "nothing was due." in rejoinder("publish").stdout
    assert "rehearsal" in rejoinder("listen", "--once").stdout
    assert "none due" in rejoinder("measure").stdout


def test_once_and_loop_exclude_each_other(rejoinder):
    done = rejoinder("publish", "--once", "--loop")
    assert done.exit_code == 2 and "exclude each other" in done.stderr


@pytest.mark.parametrize("command", [("publish", "--loop"), ("listen",)])
def test_a_loop_works_until_it_is_stopped(rejoinder, live, desk, command):
    live("x")

    def stop_when_done():
        for _ in range(300):
            done = (
                "select 1 from publication where state = 'sent'"
                if command[0] == "publish"
                else "select 1 from cursor"
            )
            if desk.rows(done):
                break
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGTERM)

    stopper = threading.Thread(target=stop_when_done)
    stopper.start()
    done = rejoinder(*command, "--json")
    stopper.join()
    assert done.exit_code == 0 and json.loads(done.stdout)["is_stopped"]
    assert desk.rows(
        "select 1 from publication where state = 'sent'" if command[0] == "publish" else "select 1 from post"
    )


def test_measure_rewards_with_the_weights_of_the_tuning(rejoinder, live, desk, tmp_path, monkeypatch):
    server, _ = live("x")
    rejoinder("publish")
    server.post("/sandbox/clock", {"advance_s": 90_000})
    rejoinder("measure")
    by_default = desk.rows("select reward from reward")
    tuned = tmp_path / "tuned.toml"
    tuned.write_text("[rewards]\nreply = 40.0\nrepost = 40.0\n")
    monkeypatch.setenv("REJOINDER_CONFIG", str(tuned))
    load_settings.cache_clear()
    assert rejoinder("measure").exit_code == 0
    assert desk.rows("select reward from reward") != by_default


@pytest.mark.parametrize("command", [("publish",), ("listen", "--once"), ("measure",)])
def test_a_sandbox_that_is_gone_is_named_with_the_way_to_start_it(rejoinder, desk, command):
    desk.approved(desk.channel(credential=X_KEYS))
    done = rejoinder(*command)
    assert done.exit_code == NO_ANSWER, done.output
    assert (
        "port 9:" in done.stderr and "`rejoinder sandbox`" in done.stderr and "`rejoinder up`" in done.stderr
    )
    if command != ("publish",):  # the reply waits now
        assert "`rejoinder sandbox`" in json.loads(rejoinder(*command, "--json").stdout)["fix"]


@pytest.mark.parametrize("command", [("publish",), ("listen",), ("measure",), ("status",)])
def test_without_a_channel_it_says_how_to_get_one(rejoinder, desk, command):
    done = rejoinder(*command)
    assert done.exit_code == 0 and NO_CHANNEL in done.stderr
    assert json.loads(rejoinder(*command, "--json").stdout)["fix"] == NO_CHANNEL


def test_sandbox_channels_follow_the_port_that_up_was_given(desk):
    desk.channel()
    desk.channel("real", is_sandbox=False, base_url=None)
    assert move_sandbox_channels(desk.db, 8777) == 1
    assert sandbox_port(desk.db) == 8777
    assert desk.rows("select base_url from channel where name = 'real'") == [{"base_url": None}]


def test_the_demo_keeps_the_port_of_its_home_unless_a_stranger_has_it(desk):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        desk.channel(base_url=f"http://127.0.0.1:{port}")
        listener.close()
        assert choose_port(desk) == port


def test_the_demo_takes_a_free_port_beside_a_stranger_and_refuses_beside_its_own_sandbox(desk, live):
    live("x")
    with pytest.raises(ConfigInvalid, match="runs already"):
        choose_port(desk)
    with desk.owner.transaction() as tx:
        for channel in enabled_channels(tx):
            store_credential(tx, channel.id, "read", {"bearer_token": "another sandbox's"})
    assert choose_port(desk) == 0


def test_both_ways_to_notify_write_the_same_kind_of_row(desk):
    notify(desk.db, "run_failed", "once")
    notify(desk.db, "run_failed", "twice")
    notify(desk.db, "refused", "about a channel", entity_type="channel", entity_id=7)
    notify(desk.db, "refused", "about a channel", entity_type="channel", entity_id=7)
    assert desk.notices() == ["run_failed", "run_failed", "refused"]
