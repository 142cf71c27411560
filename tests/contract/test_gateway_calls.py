"""The whole gateway on PostgreSQL and the sandbox's models: what a call does, what it leaves behind."""

from dataclasses import replace

import pytest
from gateway_doors import GIVEN, VERDICT, Doors, asked, elsewhere, outcomes, rows, runs, tuning

from rejoinder.errors import BudgetSpent, ConfigInvalid, ModelRefusal, ModelTrouble, ReplyInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.ports import ModelClient
from rejoinder.llm.requests import LlmRequest, RawReply, Usage
from resources.postgres import Database
from resources.tuning import Tuning


def test_a_call_is_answered_priced_and_recorded(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(asked(input_ref="post:12", prompt_version="abc"))
    assert reply.text.startswith("[rehearsal]") and reply.endpoint == "first"
    assert reply.model == "openai::rehearsal" and reply.finish == "stop"
    assert reply.cost_usd == pytest.approx((reply.usage.tokens_in + 2 * reply.usage.tokens_out) / 1e6)
    (run,) = runs(gateway_db)
    assert (run["run_type"], run["task"], run["endpoint"], run["arm"]) == (
        "generate", "reply", "first", "champion",
    )  # fmt: skip
    assert (run["input_ref"], run["prompt_version"], run["is_ok"], run["error"]) == (
        "post:12", "abc", True, None,
    )  # fmt: skip
    assert (run["tokens_in"], run["tokens_out"]) == (reply.usage.tokens_in, reply.usage.tokens_out)
    assert float(run["cost_usd"]) == pytest.approx(reply.cost_usd)
    assert outcomes(gateway_db) == ["first ok"]


def test_the_same_question_is_sent_once_and_costs_nothing_later(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        first = gateway.complete(asked(creator_id=None, input_ref="post:1"))
        again = gateway.complete(asked(input_ref="post:2"))
    assert (again.text, again.endpoint, again.is_cached) == (first.text, "first", True)
    assert (again.cost_usd, again.usage.tokens_in, again.attempts) == (0.0, 0, ())
    assert doors.calls() == 1
    assert [(run["is_cached"], float(run["cost_usd"]) > 0) for run in runs(gateway_db)] == [
        (False, True), (True, False),
    ]  # fmt: skip


def test_json_keeps_to_the_schema(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(replace(asked(), schema=VERDICT))
    assert reply.text == GIVEN
    assert outcomes(gateway_db) == ["first ok"]


def test_the_next_endpoint_answers_and_the_chain_is_recorded(doors: Doors, gateway_db: Database) -> None:
    doors.fault("503", 2)
    with doors.open(tuning("first", "second")) as gateway:
        reply = gateway.complete(asked())
    assert reply.endpoint == "second" and reply.text.startswith("[rehearsal]")
    assert [attempt.outcome for attempt in reply.attempts] == ["server", "server", "ok"]
    assert outcomes(gateway_db) == ["first server", "first server", "second ok"]
    (run,) = runs(gateway_db)
    assert (run["endpoint"], run["is_ok"], float(run["cost_usd"])) == (
        "second", True, pytest.approx(reply.cost_usd),
    )  # fmt: skip


def test_an_answer_taken_in_need_is_given_in_need_only(doors: Doors, gateway_db: Database) -> None:
    chain = tuning("first", "second", second={"model": "rehearsal-small"}, models={"attempts": 1})
    with doors.open(chain) as gateway:
        doors.fault("503")
        assert gateway.complete(asked()).endpoint == "second"
        doors.fault("503")
        again = gateway.complete(asked())
        assert (again.endpoint, again.is_cached, doors.calls()) == ("second", True, 3)
        well = gateway.complete(asked())
        assert (well.endpoint, well.is_cached, doors.calls()) == ("first", False, 4)
        assert gateway.complete(asked()).is_cached and doors.calls() == 4
    assert outcomes(gateway_db) == ["first server", "second ok", "first server", "first ok"]


def test_a_rate_limit_is_waited_for_as_long_as_allowed(doors: Doors, gateway_db: Database) -> None:
    doors.fault("429", retry_after_s=7)
    doors.fault("429", retry_after_s=31)
    with doors.open(tuning("first", "second", models={"attempts": 3})) as gateway:
        assert gateway.complete(asked()).endpoint == "second"
    assert doors.world.waits == [pytest.approx(7.25)]
    assert outcomes(gateway_db) == ["first rate_limit", "first rate_limit", "second ok"]


def test_a_wrong_answer_is_repaired_by_its_model(doors: Doors, gateway_db: Database) -> None:
    doors.fault("wrong_schema")
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(replace(asked(), schema=VERDICT))
    assert reply.text == GIVEN and outcomes(gateway_db) == ["first invalid", "first ok"]
    repair = doors.sandbox.get("models/calls")[-1]["request"]["messages"]
    assert [message["role"] for message in repair] == ["user", "assistant", "user"]
    assert "cannot be used" in repair[2]["content"] and VERDICT.json in repair[2]["content"]
    (run,) = runs(gateway_db)
    assert float(run["cost_usd"]) == pytest.approx(sum(attempt.cost_usd for attempt in reply.attempts))


@pytest.mark.parametrize("kind", ["fenced", "prose"])
def test_json_with_something_around_it_needs_no_repair(doors: Doors, gateway_db: Database, kind: str) -> None:
    doors.fault(kind)
    with doors.open(tuning("first")) as gateway:
        assert gateway.complete(replace(asked(), schema=VERDICT)).text == GIVEN
    assert outcomes(gateway_db) == ["first ok"]


def test_a_second_wrong_answer_is_the_last(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", "second")) as gateway:
        doors.fault("cut_off")
        doors.fault("not_json")
        reply = gateway.complete(replace(asked(), schema=VERDICT))
        assert (reply.endpoint, reply.text) == ("second", GIVEN)
        doors.fault("wrong_schema", 4)
        with pytest.raises(ReplyInvalid, match=r"first: .*second: "):
            gateway.complete(replace(asked("And that?"), schema=VERDICT))
    first = ["first invalid", "first invalid"]
    assert outcomes(gateway_db) == [*first, "second ok", *first, "second invalid", "second invalid"]
    assert "cut off" in str(
        rows(gateway_db, "select error from model_attempt order by model_run_id, n limit 1")
    )


def test_a_model_without_schemas_is_told_in_words(doors: Doors, gateway_db: Database) -> None:
    plain = tuning("first", first={"capabilities": ["text"]})
    doors.sandbox.post("models/answers", match="JSON Schema", answers=[{"raw": f"```json\n{GIVEN}\n```"}])
    with doors.open(plain) as gateway:
        assert gateway.complete(replace(asked(), schema=VERDICT)).text == GIVEN
    body = doors.sandbox.get("models/calls")[-1]["request"]
    assert "response_format" not in body and body["messages"][0]["content"].endswith(VERDICT.json)


def test_a_cut_answer_is_given_and_not_kept(doors: Doors) -> None:
    with doors.open(tuning("first")) as gateway:
        for _ in range(2):
            reply = gateway.complete(asked(max_tokens=2))
            assert (reply.finish, reply.is_cached) == ("length", False)
    assert doors.calls() == 2


def test_empty_answers_are_trouble_and_filtered_ones_a_refusal(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", "second")) as gateway:
        doors.fault("empty")
        assert gateway.complete(asked()).endpoint == "first"
        doors.fault("content_filter")
        with pytest.raises(ModelRefusal) as found:
            gateway.complete(asked("And that?"))
        assert found.value.kind == "content"
    assert outcomes(gateway_db) == ["first empty", "first ok", "first content"]


def test_json_that_a_filter_cut_is_a_refusal_of_the_endpoint(doors: Doors, gateway_db: Database) -> None:
    cut = {"raw": GIVEN[:20], "finish_reason": "content_filter"}
    doors.sandbox.post("models/answers", match="so?", answers=[cut])
    with doors.open(tuning("first", "second")) as gateway, pytest.raises(ModelRefusal) as found:
        gateway.complete(replace(asked(), schema=VERDICT))
    assert found.value.kind == "content" and str(found.value).startswith("first: ")
    assert outcomes(gateway_db) == ["first content"]


def test_usage_that_nobody_told_is_counted_here(doors: Doors, gateway_db: Database) -> None:
    doors.fault("no_usage")
    with doors.open(tuning("first")) as gateway:
        reply = gateway.complete(asked())
    assert reply.usage.is_estimated and reply.usage.tokens_out > 0 and reply.cost_usd > 0
    assert rows(gateway_db, "select is_estimated from model_attempt") == [{"is_estimated": True}]


def test_a_price_that_nobody_knows_keeps_a_call_from_being_sent(doors: Doors, gateway_db: Database) -> None:
    unknown = tuning("first", first={"price_in": None, "price_out": None})
    with doors.open(unknown) as gateway, pytest.raises(ModelRefusal) as found:
        gateway.complete(asked())
    assert found.value.kind == "price" and "price_in" in str(found.value.fix)
    assert (doors.calls(), outcomes(gateway_db)) == (0, ["first price"])
    assert [(run["is_ok"], run["endpoint"]) for run in runs(gateway_db)] == [(False, "first")]


def test_a_spent_budget_sends_nothing_but_where_nothing_is_paid(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", budget={"total_usd": 0.0})) as gateway, pytest.raises(BudgetSpent):
        gateway.complete(asked())
    assert (doors.calls(), outcomes(gateway_db)) == (0, ["first budget"])
    free = tuning("first", "second", second={"price_in": 0, "price_out": 0}, budget={"total_usd": 0.0})
    with doors.open(free) as gateway:
        assert gateway.complete(asked()).endpoint == "second"
    assert outcomes(gateway_db)[1:] == ["first budget", "second ok"]


def test_everything_fails_and_says_so(doors: Doors, gateway_db: Database) -> None:
    doors.fault("401", model="rehearsal")
    doors.fault("500", 2)
    with (
        doors.open(tuning("first", "second")) as gateway,
        pytest.raises(ModelTrouble, match=r"No endpoint answered the task reply\. first: .*; second: 500"),
    ):
        gateway.complete(asked())
    (run,) = runs(gateway_db)
    assert (run["is_ok"], run["endpoint"], float(run["cost_usd"])) == (False, "second", 0.0)
    assert run["error"].startswith("ModelTrouble: No endpoint answered the task reply.")
    assert outcomes(gateway_db) == ["first key", "second server", "second server"]


def test_a_question_too_long_for_one_goes_to_the_next(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first", "second", first={"context_tokens": 256})) as gateway:
        assert gateway.complete(asked("word " * 400)).endpoint == "second"
    assert (outcomes(gateway_db), doors.calls()) == (["first context", "second ok"], 1)


@pytest.mark.parametrize(("fault", "kind"), [("hang", "timeout"), ("drop_mid", "connection")])
def test_what_came_to_no_answer_counts_what_it_may_have_cost(
    doors: Doors, gateway_db: Database, fault: str, kind: str
) -> None:
    doors.fault(fault)
    impatient = tuning("first", first={"timeout_s": 0.3}, models={"attempts": 1})
    with doors.open(impatient) as gateway, pytest.raises(ModelTrouble) as found:
        gateway.complete(asked())
    (run,) = runs(gateway_db)
    assert found.value.kind == kind and float(run["cost_usd"]) > 0
    spent = rows(gateway_db, "select spent_usd from model_spend where scope = 'total'")
    assert float(spent[0]["spent_usd"]) == pytest.approx(float(run["cost_usd"]))
    assert rows(gateway_db, "select failures from model_endpoint where name = 'first'") == [{"failures": 1}]


def test_the_time_of_a_call_ends_its_attempts(doors: Doors, gateway_db: Database) -> None:
    doors.fault("hang")
    with doors.open(tuning("first", "second")) as gateway, pytest.raises(ModelTrouble) as found:
        gateway.complete(asked(), within_s=0.3)
    assert found.value.kind == "timeout" and doors.calls() == 1
    assert rows(gateway_db, "select failures from model_endpoint where name = 'first'") == [{"failures": 0}]


class Ending:
    """A client that ends in another way than any client should."""

    has_schemas = True

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        raise self.error

    def count_tokens(self, text: str) -> int | None:
        return None


@pytest.mark.parametrize(
    ("error", "outcome"), [(KeyboardInterrupt(), "killed"), (ValueError("key=secret"), "error")]
)
def test_calls_that_are_ended_are_recorded_too(
    doors: Doors, gateway_db: Database, error: BaseException, outcome: str
) -> None:
    ending = doors.open(tuning("first", "second"), lambda endpoint: Ending(error))
    with ending as gateway, pytest.raises(type(error)):
        gateway.complete(asked())
    assert outcomes(gateway_db) == [f"first {outcome}"]
    (run,) = runs(gateway_db)
    assert (run["is_ok"], run["error"]) == (False, type(error).__name__)
    assert float(run["cost_usd"]) > 0
    assert rows(gateway_db, "select count(*) as n from endpoint_lease where worker is not null") == [{"n": 0}]


def test_a_client_that_cannot_be_opened_is_said(doors: Doors, gateway_db: Database) -> None:
    def refuse(endpoint: Endpoint) -> ModelClient:
        raise ConfigInvalid("install it: pip install -e '.[models]'")

    with doors.open(tuning("first", "local"), refuse) as gateway, pytest.raises(ConfigInvalid):
        gateway.complete(asked(offline=lambda: "quoted"))
    assert runs(gateway_db)[0]["error"].startswith("ConfigInvalid: install it")


def test_both_sides_of_a_test_are_asked_and_told_apart(doors: Doors, gateway_db: Database) -> None:
    tasks = {"reply": {"endpoints": ["first"], "challenger": ["second"], "challenger_share": 0.5}}
    with doors.open(tuning("first", "second", models={"tasks": tasks})) as gateway:
        replies = [gateway.complete(asked(f"{n}?", ab_unit=f"post:{n}")) for n in range(12)]
        again = [gateway.complete(asked(f"{n}?", ab_unit=f"post:{n}")) for n in range(12)]
    assert {(reply.arm, reply.endpoint) for reply in replies} == {
        ("champion", "first"), ("challenger", "second"),
    }  # fmt: skip
    assert [reply.arm for reply in again] == [reply.arm for reply in replies]
    assert {(run["arm"], run["endpoint"]) for run in runs(gateway_db)} == {
        (r.arm, r.endpoint) for r in replies
    }


def test_without_a_model_the_task_itself_answers(doors: Doors, gateway_db: Database) -> None:
    with doors.open(Tuning()) as gateway:
        for _ in range(2):
            reply = gateway.complete(asked(offline=lambda: "quoted"))
            assert (reply.text, reply.model, reply.cost_usd, reply.is_cached) == (
                "quoted", "local::extractive", 0.0, False,
            )  # fmt: skip
        spoken = gateway.complete(replace(asked(offline=lambda: f" {GIVEN} "), schema=VERDICT))
        assert spoken.text == GIVEN
        with pytest.raises(ReplyInvalid, match="local: "):
            gateway.complete(replace(asked(offline=lambda: "quoted"), schema=VERDICT))
        with pytest.raises(ModelRefusal, match="cannot be done without a model"):
            gateway.complete(asked())
    assert outcomes(gateway_db) == ["local ok"] * 3 + ["local invalid", "local request"]
    assert rows(gateway_db, "select count(*) as n from llm_cache") == [{"n": 0}]


def test_the_task_itself_answers_where_all_models_fail(doors: Doors, gateway_db: Database) -> None:
    doors.fault("500", 9)
    with doors.open(tuning("first", "local")) as gateway:
        reply = gateway.complete(asked(offline=lambda: "quoted"))
        doors.sandbox.post("models/reset")
        well = gateway.complete(asked(offline=lambda: "quoted"))
    assert (reply.endpoint, reply.text, well.endpoint, well.is_cached) == ("local", "quoted", "first", False)


def test_a_creator_that_is_gone_does_not_keep_a_call_from_the_record(
    doors: Doors, gateway_db: Database
) -> None:
    with doors.open(tuning("first")) as gateway:
        gateway.complete(asked(creator_id=4711))
    assert [run["creator_id"] for run in runs(gateway_db)] == [None]


def test_a_record_that_cannot_be_written_loses_no_answer(
    doors: Doors, gateway_owner_db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with doors.open(tuning("first")) as gateway, elsewhere(gateway_owner_db, "model_run"):
        assert gateway.complete(asked()).text.startswith("[rehearsal]")
    assert "a call of the task reply is not recorded: UndefinedTable" in caplog.text


def test_a_connection_that_broke_is_replaced(doors: Doors, gateway_db: Database) -> None:
    with doors.open(tuning("first")) as gateway:
        gateway.complete(asked())
        with gateway_db.transaction() as tx:
            tx.connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and usename = current_user and pid <> pg_backend_pid()"
            )
        assert gateway.complete(asked()).is_cached
        assert not gateway.complete(asked("And that?")).is_cached
    assert len(runs(gateway_db)) == 3


def test_a_call_is_on_record_whatever_the_server_says_it_took(doors: Doors, gateway_db: Database) -> None:
    class Boasting:
        has_schemas = False

        def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
            return RawReply("yes \0", Usage(3_000_000_000, 5))

        def count_tokens(self, text: str) -> int | None:
            return None

    with doors.open(tuning("first"), lambda endpoint: Boasting()) as gateway:
        reply = gateway.complete(asked())
    assert reply.usage.is_estimated and 0 < reply.usage.tokens_in < 1_000
    assert [(run["is_ok"], run["tokens_in"]) for run in runs(gateway_db)] == [(True, reply.usage.tokens_in)]
    [spent] = rows(gateway_db, "select spent_usd::float8 as usd from model_spend where scope = 'total'")
    assert spent["usd"] == pytest.approx(reply.cost_usd)
