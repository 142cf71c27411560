"""The limit of an endpoint as the model's server sees it: it counts the calls that are under way at once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from limited_caller import ASKED, PlainClient

from rejoinder.errors import ModelTrouble
from rejoinder.llm.endpoints import Endpoint, Price, parse_uri
from resources.llm.gateway.admission import Admission
from resources.provision import Addresses
from resources.tuning_models import ModelBudget, Models

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("limited_caller.py")
LIMIT = 3


@pytest.fixture
def callers(models: Any, addresses: Addresses) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two processes of eight threads each that wait for the word."""
    order = {
        "url": f"{models.url}/openai/v1",
        "key": models.get("credentials")["openai"]["api_key"],
        "database_url": addresses.app,
        "limit": LIMIT,
        "threads": 8,
        "calls": 15,
    }
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    made = [
        subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(order)], cwd=ROOT, env=environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield made
    for process in made:
        process.kill()
        process.communicate()


def test_two_processes_together_never_exceed_the_limit_and_reach_it(
    models: Any, callers: list["subprocess.Popen[str]"]
) -> None:
    models.post("models", id="limited", latency_s=0.05)
    for process in callers:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        print(file=process.stdin, flush=True)
    answered = [int(process.stdout.readline()) for process in callers if process.stdout is not None]
    [counted] = [model for model in models.get("models")["models"] if model["id"] == "limited"]
    assert answered == [15, 15]
    assert (counted["calls"], counted["most_in_flight"], counted["in_flight"]) == (30, LIMIT, 0)


def test_failures_of_a_server_open_the_breaker_and_it_closes_when_the_server_is_well(
    models: Any, addresses: Addresses
) -> None:
    at = Endpoint("shared", parse_uri("openai::rehearsal"), price=Price(0.0, 0.0))
    client = PlainClient(
        f"{models.url}/openai/v1", models.get("credentials")["openai"]["api_key"], "rehearsal"
    )
    times = [datetime(2026, 11, 21, 12, tzinfo=UTC)]
    tuning = Models(queue_s=0.0, open_after=2, open_s=60.0)

    def call(door: Admission) -> str:
        with door.admit(at, ASKED, estimate_usd=0.0) as place:
            try:
                text = client.complete(ASKED, 30.0).text
            except ModelTrouble as trouble:
                place.settle(trouble.kind, 0.0, str(trouble))
                raise
            place.settle("ok", 0.0)
            return text

    models.post("models/faults", kind="503", times=2)
    with closing(Admission(addresses.app, tuning, ModelBudget(), now=lambda: times[-1])) as door:
        for _ in range(2):
            with pytest.raises(ModelTrouble, match="status 503"):
                call(door)
        for _ in range(3):
            with pytest.raises(
                ModelTrouble, match="left alone until 12:01:00 UTC; the last failure: status 503"
            ):
                call(door)
        assert models.get("models")["calls"] == 2
        times.append(times[-1] + timedelta(seconds=60))
        assert call(door) and call(door)
    client.http.close()
