"""The steps draft and check on PostgreSQL, with the sandbox's models behind the gateway: every outcome of a model."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from rejoinder.drafting.program import reply_program
from rejoinder.drafting.written import ReplyAnswer, ReplyQuote
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.prompts.loader import Demo, load_prompt, with_demos
from rejoinder.prompts.program import load_program
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.channels import save_channel
from resources.store.posts import insert_post
from resources.store.prompt_versions import ensure_prompts, lock_task, save_aliases, store_prompt
from resources.tuning import StepName, Tuning
from resources.wiring import STEPS, run_step
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

QUOTE = "The GIL keeps reference counts safe in CPython."
SOURCE = "(Seth Larson, Language Summit, 18:51)"
GOOD = f"It is still there for a reason: “{QUOTE}” {SOURCE}"
SHORT = f"It is there: “{QUOTE}” {SOURCE}"
INVENTED = "The GIL goes away next year."
RESEARCH = (
    "insert into claim (post_id, position, kind, text, check_worthiness)"
    " values (%(post)s, 0, 'question', 'What became of the GIL?', 0.9)",
    "insert into evidence (post_id, position, claim_id, chunk_id, quote, start_s, speaker, score, verdict)"
    " select %(post)s, 0, l.id, c.id, 'So the GIL keeps reference counts safe in CPython.', 1131.7, 'Seth Larson', 0.6,"
    " 'related' from chunk c, claim l where l.post_id = %(post)s",
    "alter table post disable trigger post_move_guard",
    "update post set stage = 'response', step = 'decide' where id = %(post)s",
    "alter table post enable trigger post_move_guard",
)


def reply(text: str, quote: str | None = QUOTE) -> dict[str, Any]:
    return {"json": {"quotes": [{"evidence": 1, "text": quote}] if quote else [], "text": text}}


def opinion(text: str, *unsupported: str) -> dict[str, Any]:
    return {"json": {"unsupported": list(unsupported), "is_polite": True, "text": text}}


@dataclass
class Desk:
    """A post with evidence, the steps of a real installation, and the server of models."""

    owner: Database
    bench: Workbench
    models: Any
    post_id: int

    def script(self, task: str, *answers: dict[str, Any]) -> None:
        self.models.post("models/answers", task=task, answers=list(answers))

    def work(self, *steps: StepName, **tuning: Any) -> dict[str, int]:
        """Work these steps off; items by outcome of the last one."""
        merged = self.bench.tuning.model_dump() | tuning
        bench = replace(self.bench, tuning=Tuning.model_validate(merged))
        outcomes: dict[str, int] = {}
        try:
            for step in steps:
                outcomes = run_step(bench, step, stop=StopSignal()).outcomes
        finally:
            if bench.tuning.models != Tuning().models:
                bench.llm.close()
        return outcomes

    def rows(self, statement: str) -> list[dict[str, Any]]:
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]

    def post(self) -> dict[str, Any]:
        return self.rows("select stage, step, status, attempts, rejection_reason, last_error from post")[0]

    def drafts(self) -> list[dict[str, Any]]:
        return self.rows(
            "select text, model, prompt_version, superseded_by is null as is_newest, (select count(*) from"
            " draft_evidence q where q.draft_id = d.id) as n_quotes from draft d order by version"
        )

    def checks(self) -> dict[str, tuple[bool, str]]:
        """The newest draft's checks, by name."""
        found = self.rows(
            "select k.* from draft_check k join draft d on d.id = k.draft_id where d.superseded_by is null"
        )
        return {row["name"]: (row["is_passed"], row["detail"]) for row in found}

    def calls(self) -> int:
        return int(self.models.get("models")["calls"])


@pytest.fixture
def desk(
    addresses: Addresses,
    db: Database,
    owner_db: Database,
    models: Any,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Desk]:
    monkeypatch.setenv("REJOINDER_KEY_BIG", models.get("credentials")["openai"]["api_key"])
    with owner_db.transaction() as tx:
        ensure_prompts(tx)
        creator = tx.value("ensure_creator", name="c")
        project = tx.value("ensure_project", creator_id=creator, name="p")
        index_id = tx.value("ensure_embedding_index", model="test::none", dim=8)
        tx.connection.execute(
            "insert into source (project_id, name, title, url, format, content_hash)"
            " values (%s, 's', 'Language Summit', 'https://example.com/514', 'vtt', 'h')",
            (project,),
        )
        tx.connection.execute(
            "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
            " select id, 0, 'h', 'So the GIL keeps reference counts safe in CPython.', 9, 9 from source"
        )
        channel = save_channel(
            tx,
            project_id=project,
            name="rehearsal",
            platform="x",
            account="@pythonpod",
            base_url=None,
            is_sandbox=True,
            policy=replace(default_policy("sandbox/x/self_serve"), allow_links=False),
        )
        text = "What became of the GIL? @pythonpod"
        heard = Post("x", "1001", text, datetime(2026, 11, 1, tzinfo=UTC), author="asker")
        insert_post(tx, channel, heard, is_summoned=True, priority=1)
        post_id = int(tx.connection.execute("select id from post").fetchone()["id"])  # type: ignore[index]
        for statement in RESEARCH:
            tx.connection.execute(statement, {"post": post_id})
    tuning = Tuning.model_validate({
        "endpoints": {"big": {
            "uri": "openai::rehearsal", "base_url": f"{models.url}/openai/v1", "capabilities": ["text", "json"],
            "price_in": 1.0, "price_out": 2.0,
        }},
        "models": {"attempts": 2, "backoff_s": 0.0, "tasks": {"reply": {"endpoints": ["big"]}}},
    })  # fmt: skip
    bench = Workbench(Settings(home=tmp_path), tuning, addresses, db, cast(Any, None), index_id, project)
    yield Desk(owner_db, bench, models, post_id)


EDITED = {"models": {"tasks": {"reply": {"endpoints": ["big"]}, "editorial": {"endpoints": ["big"]}}}}


def test_a_good_reply_goes_to_review_in_the_models_words(desk: Desk) -> None:
    desk.script("ReplyAnswer", reply(GOOD))
    assert desk.work("decide", "draft", "check") == {"passed": 1}
    version = load_prompt("reply", 1).version
    (draft,) = desk.drafts()
    assert (draft["text"], draft["model"], draft["prompt_version"]) == (GOOD, "openai::rehearsal", version)
    assert draft["n_quotes"] == 1
    checks = desk.checks()
    assert all(passed for passed, _ in checks.values())
    assert checks["writer"][1] == "written by openai::rehearsal (endpoint big)"
    (run,) = desk.rows(
        "select r.*, c.name as creator from model_run r left join creator c on c.id = r.creator_id"
    )
    assert (run["task"], run["input_ref"], run["prompt_version"]) == (
        "reply",
        f"post:{desk.post_id}",
        version,
    )
    assert (run["creator"], run["endpoint"], run["is_ok"], run["tokens_in"] > 0) == ("c", "big", True, True)
    sent = desk.models.get("models/calls")[-1]["request"]
    assert [message["role"] for message in sent["messages"]] == ["system", "user"]
    assert "@pythonpod, who has published" in sent["messages"][0]["content"]
    assert "What became" not in sent["messages"][0]["content"]
    assert (desk.post()["stage"], desk.post()["status"]) == ("review", "pending")


@pytest.mark.parametrize(
    ("answers", "note", "calls"),
    [
        ([reply(f"“{INVENTED}” {SOURCE}", INVENTED)], "quotes: not in the evidence", 1),
        ([{"raw": "Sure! Here it is:"}, {"raw": '{"text": 1}'}], "extractive: ", 2),
        ([{"refusal": "I would rather not."}], "extractive: ", 1),
    ],
    ids=["invented quote", "no JSON twice", "refusal"],
)
def test_what_cannot_be_used_gives_way_to_the_extractive_draft(
    desk: Desk, answers: list[dict[str, Any]], note: str, calls: int
) -> None:
    desk.script("ReplyAnswer", *answers)
    assert desk.work("decide", "draft", "check") == {"passed": 1}
    (draft,) = desk.drafts()
    assert draft["model"] == "local::extractive" and QUOTE in draft["text"]
    assert draft["prompt_version"] == load_prompt("reply_extractive", 1).version
    passed, detail = desk.checks()["writer"]
    assert passed and note in detail
    assert desk.calls() == calls


def test_a_failing_server_postpones_the_post_without_an_attempt(desk: Desk) -> None:
    desk.models.post("models/faults", kind="500", times=2)
    desk.script("ReplyAnswer", reply(GOOD))
    assert desk.work("decide", "draft") == {"failed": 1}
    post = desk.post()
    assert (post["stage"], post["step"], post["status"], post["attempts"]) == (
        "response", "draft", "failed", 0,
    )  # fmt: skip
    assert "ModelTrouble" in post["last_error"]
    desk.rows("update post set due_at = now() returning id")
    assert desk.work("draft", "check") == {"passed": 1}
    assert desk.drafts()[0]["text"] == GOOD


def test_a_spent_budget_postpones_the_post_and_sends_nothing(desk: Desk) -> None:
    assert desk.work("decide", "draft", budget={"total_usd": 0.0}) == {"failed": 1}
    post = desk.post()
    assert (post["stage"], post["status"], post["attempts"]) == ("response", "failed", 0)
    assert "BudgetSpent" in post["last_error"]
    assert desk.calls() == 0


def test_a_chain_that_ends_with_local_has_a_draft_in_any_case(desk: Desk) -> None:
    desk.models.post("models/faults", kind="500", times=99)
    chain = {**desk.bench.tuning.models.model_dump(), "tasks": {"reply": {"endpoints": ["big", "local"]}}}
    assert desk.work("decide", "draft", "check", models=chain) == {"passed": 1}
    (draft,) = desk.drafts()
    assert draft["model"] == "local::extractive"
    assert desk.checks()["writer"] == (True, "extractive: no model of the chain answered")


def test_a_wrong_key_is_a_failure_that_is_seen(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_KEY_BIG", "wrong")
    assert desk.work("decide", "draft") == {"failed": 1}
    assert desk.post()["attempts"] == 1 and "ModelRefusal" in desk.post()["last_error"]
    assert "wrong" not in desk.post()["last_error"].replace("the key is wrong", "")


def test_evidence_that_does_not_bear_on_the_post_ends_it(desk: Desk) -> None:
    desk.script("ReplyAnswer", reply("", None))
    assert desk.work("decide", "draft") == {"rejected": 1}
    post = desk.post()
    assert (post["stage"], post["status"], desk.drafts()) == ("response", "rejected", [])
    assert post["rejection_reason"] == "the evidence does not bear on the post, says openai::rehearsal"
    (decision,) = desk.rows("select verdict, reason from stage_decision where step = 'draft'")
    assert decision == {"verdict": "rejected", "reason": post["rejection_reason"]}


def test_an_editor_makes_a_new_version_of_the_chain(desk: Desk) -> None:
    desk.script("ReplyAnswer", reply(GOOD))
    desk.script("EditorialAnswer", opinion(SHORT))
    assert desk.work("decide", "draft", "check", **EDITED) == {"passed": 1}
    first, second = desk.drafts()
    assert (first["text"], first["is_newest"]) == (GOOD, False)
    assert (second["text"], second["is_newest"], second["n_quotes"]) == (SHORT, True, 1)
    assert second["prompt_version"] == load_prompt("editorial", 1).version
    checks = desk.checks()
    assert all(passed for passed, _ in checks.values()) and "quotes" in checks
    assert checks["editorial"][1] == "openai::rehearsal (endpoint big): tightened"
    (result,) = desk.rows("select result from stage_result where stage = 'editorial'")
    (newest,) = desk.rows("select id from draft where superseded_by is null")
    assert result["result"]["draft_id"] == newest["id"]


def test_an_editors_objection_rejects_the_post(desk: Desk) -> None:
    desk.script("ReplyAnswer", reply(GOOD))
    desk.script("EditorialAnswer", opinion(GOOD, "It is still there for a reason"))
    assert desk.work("decide", "draft", "check", **EDITED) == {"rejected": 1}
    assert desk.checks()["editorial"][0] is False
    assert "the evidence does not say 'It is still there for a reason'" in desk.post()["rejection_reason"]


def test_an_editor_in_trouble_postpones_the_check(desk: Desk) -> None:
    desk.script("ReplyAnswer", reply(GOOD))
    desk.models.post("models/faults", kind="500", times=9, task="EditorialAnswer")
    assert desk.work("decide", "draft", "check", **EDITED) == {"failed": 1}
    post = desk.post()
    assert (post["stage"], post["step"], post["attempts"]) == ("editorial", "check", 0)
    assert "editorial" not in desk.checks()


def test_what_a_program_learned_is_asked_with_once_it_is_promoted(desk: Desk, tmp_path: Path) -> None:
    file = load_prompt("reply", 1)
    answer = ReplyAnswer(quotes=[ReplyQuote(evidence=1, text="Tests are cheap.")], text="“Tests are cheap.”")
    learned = reply_program(with_demos(file, [Demo("A post about tests", answer.model_dump_json())]))
    learned.predict.signature = learned.predict.signature.with_instructions(
        file.section("system").replace("You draft replies", "You write drafts of replies")
    )
    learned.save(tmp_path / "reply.json")
    prompt = load_program(reply_program(file), tmp_path / "reply.json").prompt
    with desk.owner.transaction() as tx:
        store_prompt(tx, prompt)
        save_aliases(tx, "reply", lock_task(tx, "reply").with_champion(prompt.version))
    desk.script("ReplyAnswer", reply(GOOD))
    desk.work("decide", "draft")
    assert desk.drafts()[0]["prompt_version"] == prompt.version != file.version
    system, shown, answered, asked = desk.models.get("models/calls")[-1]["request"]["messages"]
    assert system["content"].startswith("You write drafts of replies for @pythonpod")
    assert "A post about tests" in shown["content"] and shown["content"].startswith("<<<DATA ")
    assert ReplyAnswer.model_validate_json(answered["content"]) == answer
    assert "What became of the GIL?" in asked["content"]


def test_without_a_model_no_program_is_opened(desk: Desk) -> None:
    bench = replace(desk.bench, tuning=Tuning())
    assert STEPS["draft"](bench).writer is None
    assert STEPS["check"](bench).editor is None
    assert desk.work("decide", "draft", "check", models={}) == {"passed": 1}
    assert desk.drafts()[0]["model"] == "local::extractive"
    assert "writer" not in desk.checks() and desk.calls() == 0
    assert desk.rows("select from model_run") == []
