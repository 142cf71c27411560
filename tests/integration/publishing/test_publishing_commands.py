"""`rejoinder publish`, `listen` and `measure` as a person types them, on the sandbox."""

import json
import os
import signal
import threading
import time

import pytest
import typer
from typer.testing import CliRunner

from cli import listen, measure, publish
from resources.settings import load_settings


@pytest.fixture
def rejoinder(addresses, monkeypatch):
    """Runs a command against this test's database; its exit code and what it printed."""
    names = {"": addresses.owner, "APP_": addresses.app, "PUBLISHER_": addresses.publisher}
    names |= {"DAGSTER_": addresses.dagster, "MLFLOW_": addresses.mlflow}
    for name, url in names.items():
        monkeypatch.setenv(f"REJOINDER_{name}DATABASE_URL", url)
    load_settings.cache_clear()
    app = typer.Typer()
    for module in (publish, listen, measure):
        module.register(app)
    return lambda *arguments: CliRunner().invoke(app, arguments)


def test_the_three_commands_walk_from_hearing_to_rewards(rejoinder, live, desk):
    server, _ = live("x", 2)
    heard = json.loads(rejoinder("listen", "--once", "--json").stdout)
    assert heard["channels"]["rehearsal"]["known"] + heard["channels"]["rehearsal"]["edited"] == 2
    sent = json.loads(rejoinder("publish", "--once", "--json").stdout)
    assert (sent["sent"], sent["errors"]) == (2, {})
    server.post("/sandbox/clock", {"advance_s": 3700})
    measured = json.loads(rejoinder("measure", "--json").stdout)
    assert (measured["taken"], measured["rewards"]) == (2, 2)


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
