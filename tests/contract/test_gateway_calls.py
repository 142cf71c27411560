"""The whole gateway on PostgreSQL and the sandbox's models: what a call does, what it leaves behind."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from gateway_doors import GIVEN, VERDICT, Doors, asked, outcomes, runs, tuning

from resources.postgres import Database
from resources.provision import Addresses


@pytest.fixture
def doors(addresses: Addresses, models: Any, caller: httpx.Client) -> Iterator[Doors]:
    yield Doors(addresses.app, models, caller)


def test_a_call_is_answered_priced_and_recorded(doors: Doors, db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(asked(input_ref="post:12", prompt_version="abc"))
    assert reply.text.startswith("[rehearsal]") and reply.endpoint == "first"
    assert reply.model == "openai::rehearsal" and reply.finish == "stop"
    assert reply.cost_usd == pytest.approx((reply.usage.tokens_in + 2 * reply.usage.tokens_out) / 1e6)
    (run,) = runs(db)
    assert (run["run_type"], run["task"], run["endpoint"], run["arm"]) == (
        "generate", "reply", "first", "champion",
    )  # fmt: skip
    assert (run["input_ref"], run["prompt_version"], run["is_ok"], run["error"]) == (
        "post:12", "abc", True, None,
    )  # fmt: skip
    assert (run["tokens_in"], run["tokens_out"]) == (reply.usage.tokens_in, reply.usage.tokens_out)
    assert float(run["cost_usd"]) == pytest.approx(reply.cost_usd)
    assert outcomes(db) == ["first ok"]


def test_the_same_question_is_sent_once_and_costs_nothing_later(doors: Doors, db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        first = gateway.complete(asked(creator_id=None, input_ref="post:1"))
        again = gateway.complete(asked(input_ref="post:2"))
    assert (again.text, again.endpoint, again.is_cached) == (first.text, "first", True)
    assert (again.cost_usd, again.usage.tokens_in, again.attempts) == (0.0, 0, ())
    assert doors.calls() == 1
    assert [(run["is_cached"], float(run["cost_usd"]) > 0) for run in runs(db)] == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_json_keeps_to_the_schema(doors: Doors, db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(replace(asked(), schema=VERDICT))
    assert reply.text == GIVEN
    assert outcomes(db) == ["first ok"]
