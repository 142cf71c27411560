"""Claims, verdicts, summaries and answers on PostgreSQL, by the gateway and the sandbox's scripted models."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from gateway_doors import Doors, rows, tuning

from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.prompts.loader import load_prompt
from rejoinder.triage.claims import main_claim
from resources.asking import Question
from resources.llm.onnx_embedder import OnnxEmbedder
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.channels import save_channel
from resources.store.posts import insert_post
from resources.store.prompt_versions import ensure_prompts
from resources.tuning import StepName, Tuning
from resources.wiring import asking, run_step
from resources.work.runner import Report
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

TOLD = (
    "Today it is about the thing that everybody says they have and few people have tried: a backup.",
    "A PostgreSQL replica is not a backup, because a mistaken delete is copied to the replica within moments.",
    "RAID keeps you running when a disk fails, and it will store your mistake on both disks.",
    "A backup that has never been restored is only a hope, so restore it on a schedule, every month.",
)
HEAT = (
    "Heat pumps move heat out of cold air into a building with little electricity.",
    "A heat pump needs a refrigerant that boils far below the freezing point.",
    "The advantage of heat pumps is that they save 70 percent of the fuel of a boiler.",
)
INK = ("Digital ink keeps the pressure of every stroke that a writer makes on a tablet.",)
COMPOST = ("A heap that smells of rotten eggs has no air in it, so turn it and add dry leaves.",)
TEXT = "A PostgreSQL replica is a backup. So nobody has to test a restore, I hope. @rejoinder"
CLAIM = "A PostgreSQL replica is a backup"
CLAIMS = {
    "claims": [
        {"text": "Replicas are worth 500 dollars.", "kind": "statistic", "score": 0.9},
        {"text": CLAIM, "kind": "definition", "score": 0.8},
        {"text": "nobody has to test a restore", "kind": "statement", "score": 0.4},
    ]
}
DISPUTED = {
    "verdicts": [
        {"why": "It says that it is none.", "sentence": 1, "verdict": "disputes"},
        {"why": "There is no such sentence.", "sentence": 9, "verdict": "supports"},
    ]
}
MODEL = "openai::rehearsal"


@dataclass(frozen=True)
class RehearsedBench(Workbench):
    """A workbench whose models are the sandbox's."""

    gateway: Any = field(default=None, kw_only=True)

    @property
    def llm(self) -> Any:
        return self.gateway


@dataclass
class House:
    """One episode, one channel, the real steps, and a gateway to scripted models."""

    bench: Workbench
    channel_id: int
    doors: Doors
    open: ExitStack

    def with_models(self, given: Tuning) -> RehearsedBench:
        """The workbench with this tuning."""
        gateway = self.open.enter_context(self.doors.open(given))
        own = {one.name: getattr(self.bench, one.name) for one in fields(Workbench)}
        return RehearsedBench(**{**own, "tuning": given}, gateway=gateway)

    def script(self, schema: str, *answers: Any, then: str = "last") -> None:
        told = [one if "fault" in one else {"json": one} for one in answers]
        self.doors.sandbox.post("models/answers", task=schema, answers=told, then=then)

    def hear(self, number: int, text: str = TEXT) -> str:
        post = Post(
            "x", str(number), text, datetime(2026, 11, 1, tzinfo=UTC), author="a", mentions=("rejoinder",)
        )
        with self.bench.db.transaction() as tx:
            return insert_post(tx, self.channel_id, post, is_summoned=True, priority=1)

    def rows(self, text: str, *values: object) -> list[dict[str, Any]]:
        return rows(self.bench.db, text, *values)

    def decision(self, step: str, number: int = 1) -> dict[str, Any]:
        (found,) = self.rows(
            "select d.* from stage_decision d join post p on p.id = d.post_id"
            " where p.platform_post_id = %s and d.step = %s",
            str(number), step,
        )  # fmt: skip
        return found

    def due(self) -> None:
        """What failed is tried again now."""
        self.rows("update post set due_at = now() where status = 'failed' returning id")

    def corpus(self) -> None:
        """Searchable sources, one of them about backups."""
        for name, told in {"backups": TOLD, "heat": HEAT, "ink": INK, "compost": COMPOST}.items():
            self.source(name, told, "chunk")
        walk(self.bench, "chunk", "embed_chunks")

    def source(self, name: str, told: Sequence[str], step: str) -> int:
        """A source of these cues, ten seconds each, that is due at a step."""
        (row,) = self.rows(
            "insert into source (project_id, name, title, format, content_hash, step)"
            " values (%s, %s, %s, 'text', %s, %s) returning id",
            self.bench.project_id, name, name, name, step,
        )  # fmt: skip
        for i, text in enumerate(told):
            self.rows(
                "insert into cue (source_id, position, start_s, end_s, text) values (%s, %s, %s, %s, %s) returning 1",
                row["id"], i, 10.0 * i, 10.0 * i + 9, text,
            )  # fmt: skip
        return int(row["id"])

    def again(self, source_id: int) -> None:
        """The source's summary is due once more."""
        self.rows(
            "update source set step = 'keywords', status = 'pending', due_at = now() where id = %s returning id",
            source_id,
        )


def walk(bench: Workbench, *steps: StepName) -> Report:
    return [run_step(bench, step, stop=StopSignal()) for step in steps][-1]


@pytest.fixture
def house(
    db: Database, addresses: Addresses, models: Any, caller: httpx.Client, tmp_path: Path
) -> Iterator[House]:
    embedder = OnnxEmbedder()
    with db.transaction() as tx:
        index_id = tx.value("ensure_embedding_index", model=embedder.model, dim=embedder.dim)
        project_id = tx.value("ensure_project", creator_id=tx.value("ensure_creator", name="c"), name="p")
        ensure_prompts(tx)
        channel_id = save_channel(
            tx,
            project_id=project_id,
            name="rehearsal",
            platform="x",
            account="@Rejoinder",
            base_url=None,
            is_sandbox=True,
            policy=default_policy("sandbox/x/self_serve"),
        )
    bench = Workbench(Settings(home=tmp_path), Tuning(), addresses, db, embedder, index_id, project_id)
    with ExitStack() as stack:
        yield House(bench, channel_id, Doors(addresses.app, models, caller), stack)


def test_claims_and_verdicts_are_a_models_and_say_so(house: House) -> None:
    house.corpus()
    house.script("ClaimsAnswer", CLAIMS)
    house.script("VerdictAnswer", DISPUTED)
    house.hear(1)
    bench = house.with_models(tuning("first"))
    walk(bench, "embed_posts", "relevance", "claims", "evidence")
    claims = house.rows("select text, kind, check_worthiness from claim order by position")
    assert [(row["text"], row["kind"]) for row in claims] == [
        (CLAIM, "definition"), ("nobody has to test a restore", "statement"),
    ]  # fmt: skip
    found = house.decision("claims")
    assert found["reason"] == CLAIM
    assert found["scores"] == {
        "check_worthiness": 0.8, "model": MODEL, "prompt": load_prompt("claims", 1).version, "n_dropped": 1,
    }  # fmt: skip
    verdicts = [row["verdict"] for row in house.rows("select verdict from evidence order by position")]
    assert verdicts[0] == "disputes" and set(verdicts[1:]) <= {"related"}
    scores = house.decision("evidence")["scores"]
    assert (scores["model"], scores["prompt"], scores["n_dropped"]) == (
        MODEL, load_prompt("verdict", 1).version, 1,
    )  # fmt: skip
    asked = house.rows(
        "select task, input_ref, creator_id, prompt_version, is_ok from model_run where task is not null"
    )
    (post,) = house.rows("select id from post")
    (creator,) = house.rows("select id from creator")
    assert [
        (row["task"], row["input_ref"], row["creator_id"], row["prompt_version"], row["is_ok"])
        for row in asked
    ] == [
        (task, f"post:{post['id']}", creator["id"], load_prompt(task, 1).version, True)
        for task in ("claims", "verdict")
    ]


BROKEN, AWAY = {"fault": {"kind": "not_json"}}, {"fault": {"kind": "500"}}


def test_claims_that_no_model_can_find_are_found_by_rules_or_later(house: House) -> None:
    house.corpus()
    for number in (1, 2):
        house.hear(number, TEXT.replace("hope", f"hope for the {number}th time"))
    walk(house.bench, "embed_posts", "relevance")
    first = house.with_models(tuning("first"))
    house.script("ClaimsAnswer", BROKEN, BROKEN, AWAY, AWAY, CLAIMS)
    report = walk(first, "claims")
    assert report.outcomes["failed"] == 1 and sum(report.outcomes.values()) == 2
    (by_rules,) = house.rows(
        "select p.text, d.* from stage_decision d join post p on p.id = d.post_id where d.step = 'claims'"
    )
    main = main_claim(by_rules["text"])
    assert main is not None and by_rules["verdict"] == main.kind
    assert by_rules["reason"].startswith(f"{main.text} — found by rules, no model's answer could be used: ")
    assert by_rules["scores"] == {"check_worthiness": main.score}
    (late,) = house.rows("select * from post where step = 'claims'")
    assert (late["status"], late["attempts"]) == ("failed", 0) and late["last_error"].startswith(
        "ModelTrouble: "
    )
    house.due()
    assert walk(first, "claims").outcomes == {"definition": 1}
    assert house.rows("select * from post where step = 'claims'") == []


def test_spent_money_waits_and_the_endpoint_local_does_what_is_done_without_a_model(house: House) -> None:
    house.corpus()
    house.hear(1)
    walk(house.bench, "embed_posts", "relevance")
    broke = house.with_models(tuning("first", budget={"total_usd": 0.0}))
    assert walk(broke, "claims").outcomes == {"failed": 1}
    (waits,) = house.rows("select * from post")
    assert waits["last_error"].startswith("BudgetSpent: ") and house.doors.calls() == 0
    house.due()
    chained = house.with_models(tuning("first", "local", budget={"total_usd": 0.0}))
    walk(chained, "claims", "evidence")
    main = main_claim(TEXT)
    assert main is not None
    assert house.rows("select text, kind from claim") == [{"text": main.text, "kind": main.kind}]
    assert house.decision("claims")["scores"] == {"check_worthiness": main.score}
    assert set(house.decision("evidence")["scores"]) == {"support"}
    assert house.doors.calls() == 0


def test_verdicts_that_no_model_can_give_are_those_of_rules_or_later(house: House) -> None:
    house.corpus()
    house.hear(1)
    walk(house.bench, "embed_posts", "relevance", "claims")
    first = house.with_models(tuning("first"))
    house.script("VerdictAnswer", AWAY, AWAY, BROKEN, BROKEN)
    assert walk(first, "evidence").outcomes == {"failed": 1}
    assert house.rows("select * from evidence") == []
    house.due()
    assert walk(first, "evidence").outcomes == {"found": 1}
    found = house.decision("evidence")
    assert "; judged by rules, no model's answer could be used: " in found["reason"]
    assert set(found["scores"]) == {"support"} and house.rows("select * from evidence")


SHORT = {
    "sentences": [
        {"passages": [3], "text": "Heat pumps save 70 percent of a boiler's fuel."},
        {
            "passages": [1, 2],
            "text": "They move heat out of cold air by a refrigerant that boils far below freezing.",
        },
        {"passages": [3], "text": "Heat pumps cost 9,000 dollars, says Bob."},
    ]
}


def test_summaries_are_a_models_and_say_so(house: House) -> None:
    source_id = house.source("heat", HEAT, "keywords")
    house.script("SummaryAnswer", SHORT)
    first = house.with_models(tuning("first"))
    assert walk(first, "keywords").outcomes == {"digested": 1}
    (made,) = house.rows("select * from summary where scope = 'source'")
    assert (made["model"], made["prompt_version"]) == (MODEL, load_prompt("summary", 1).version)
    assert made["note"] == "1 sentence dropped: its passages do not have '9000', 'Bob'"
    told = house.rows("select text, source_id, start_s from summary_sentence order by position")
    assert [(row["text"][:9], row["source_id"], row["start_s"]) for row in told] == [
        ("They move", source_id, 10.0), ("Heat pump", source_id, 20.0),
    ]  # fmt: skip
    (run,) = house.rows("select * from model_run where task = 'summary'")
    assert run["input_ref"] == f"source:{source_id}" and run["creator_id"] is not None
    house.script("SummaryAnswer", BROKEN)
    house.again(source_id)
    assert walk(first, "keywords").outcomes == {"unchanged": 1}, "what has not changed is not paid for again"
    walk(first, "summarise")
    assert [row["input_ref"][:6] for row in house.rows("select input_ref from model_run where task = 'summary'")] == [
        "source", "epoch:",
    ]  # fmt: skip


def test_a_summary_that_no_model_can_write_is_quoted_or_later(house: House) -> None:
    source_id = house.source("heat", HEAT, "keywords")
    house.script("SummaryAnswer", AWAY, AWAY, BROKEN, BROKEN)
    first = house.with_models(tuning("first"))
    assert walk(first, "keywords").outcomes == {"failed": 1}
    assert house.rows("select * from summary") == []
    house.again(source_id)
    assert walk(first, "keywords").outcomes == {"digested": 1}
    (made,) = house.rows("select * from summary")
    assert made["model"] is None and made["note"].startswith("quoted, no model's answer could be used: ")
    assert made["method"].startswith("abstractive.v1/first+extractive.")
    assert {row["text"] for row in house.rows("select text from summary_sentence")} <= set(HEAT)


QUESTION = Question("Is a replica a backup?")
ANSWER = {
    "sentences": [
        {"evidence": ["E1"], "text": "A replica is not a backup, because a mistaken delete is copied to it."},
        {"evidence": ["E99"], "text": "Everybody knows that."},
        {"evidence": ["E1"], "text": "It costs 400 dollars."},
    ]
}


def test_an_answer_is_written_above_its_quotes(house: House) -> None:
    house.corpus()
    quoted = asking(house.bench).ask(QUESTION)
    assert quoted.is_answered and quoted.written is None
    first = house.with_models(tuning("first", cache={"ttl_days": 0}))
    house.script("SynthesisAnswer", ANSWER, BROKEN, BROKEN, AWAY)
    reply = asking(first).ask(QUESTION)
    assert reply.written is not None and reply.written.model == MODEL
    assert reply.written.prompt_version == load_prompt("synthesis", 1).version
    (said,) = reply.written.statements
    assert said.text.startswith("A replica is not a backup") and said.citations[0].id == "E1"
    assert replace(reply, written=None, notes=()) == replace(quoted, notes=())
    assert reply.notes == (
        f"Of what {MODEL} wrote 2 of 3 sentences are left out: it cites no evidence that was given.",
    )
    for _ in range(2):
        without = asking(first).ask(QUESTION)
        assert replace(without, notes=()) == quoted
        assert without.notes[0].startswith("No model wrote an answer: ")
    calls = house.doors.calls()
    assert not asking(first).ask(Question("Who won the football world cup of 1998?")).is_answered
    assert house.doors.calls() == calls, "what the corpus has not is asked of no model"
    run = house.rows("select * from model_run where task = 'synthesis'")[0]
    assert run["input_ref"].startswith("question:") and run["creator_id"] is not None
