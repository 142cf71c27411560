"""A post that was edited after a draft was made of it: everything about it is made anew, nothing is lost."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import resources.samples
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.prompts.aliases import Aliases
from rejoinder.prompts.loader import load_prompt, parse_prompt
from resources.inbox import ingest_paths
from resources.llm.onnx_embedder import OnnxEmbedder
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.channels import save_channel
from resources.store.posts import insert_post
from resources.store.prompt_versions import ensure_prompts, save_aliases, store_prompt
from resources.store.review_values import QueueFilter, ReviewCase
from resources.store.reviews import load_case, review_queue
from resources.tuning import StepName, Tuning
from resources.tuning_models import Models, TaskModels
from resources.wiring import run_step
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

SAMPLES = Path(resources.samples.__file__).parent / "episodes"
EPISODE = "backups-you-can-restore.json"
CORPUS_STEPS: tuple[StepName, ...] = ("chunk", "embed_chunks", "keywords")
POST_STEPS: tuple[StepName, ...] = (
    "embed_posts",
    "relevance",
    "claims",
    "evidence",
    "decide",
    "draft",
    "check",
)
FIRST = "Syncing my folder to the cloud is a backup, I never need to test a restore. @rejoinder"
SECOND = "A backup that sits on one disk is enough, nobody needs three copies of the data. @rejoinder"
NOTHING = "@rejoinder :) :)"


class Newsroom:
    """One episode, one channel that answers when summoned, and the real steps."""

    def __init__(self, bench: Workbench, channel_id: int) -> None:
        self.bench = bench
        self.channel_id = channel_id

    def hear(self, text: str) -> str:
        """Hear the post with this text."""
        post = Post(
            platform="x",
            platform_post_id="1001",
            text=text,
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
            author="sceptic",
            mentions=("rejoinder",),
        )
        with self.bench.db.transaction() as tx:
            return insert_post(tx, self.channel_id, post, is_summoned=True, priority=1)

    def work_off(self) -> dict[str, int]:
        """Every step of a post once; items by outcome of all steps together."""
        outcomes: dict[str, int] = {}
        for name in POST_STEPS:
            report = run_step(self.bench, name, stop=StopSignal())
            assert report.errors == {}
            outcomes |= report.outcomes
        return outcomes

    def case(self) -> ReviewCase:
        """The case as a reviewer reads it."""
        with self.bench.db.transaction() as tx:
            post = tx.connection.execute("select id from post").fetchone()
            return load_case(tx, post["id"])


@pytest.fixture
def newsroom(db: Database, addresses: Addresses, tmp_path: Path) -> Newsroom:
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
    ingest_paths(bench, [SAMPLES / EPISODE])
    for name in CORPUS_STEPS:
        assert run_step(bench, name, stop=StopSignal()).errors == {}
    return Newsroom(bench, channel_id)


def test_an_edited_post_with_a_draft_gets_another_round(newsroom: Newsroom) -> None:
    assert newsroom.hear(FIRST) == "new"
    newsroom.work_off()
    before = newsroom.case()
    assert str(before.place) == "review/pending" and len(before.drafts) == 1 and before.drafts[0].quotes
    assert newsroom.hear(SECOND) == "edited"
    newsroom.work_off()
    after = newsroom.case()
    assert str(after.place) == "review/pending" and after.post.text == SECOND
    assert [draft.version for draft in after.drafts] == [1, 2]
    newest, oldest = after.drafts[-1], after.drafts[0]
    assert oldest == before.drafts[0], "what was drafted before keeps its text, quotes and checks"
    assert not {q.evidence_id for q in newest.quotes} & {q.evidence_id for q in oldest.quotes}
    assert len(after.claims) == 2 and after.claims[0].text != before.claims[0].text
    current = {e.id for e in after.evidence if e.claim_id == after.claims[0].id}
    cited = {q.evidence_id for q in oldest.quotes}
    assert {q.evidence_id for q in newest.quotes} <= current
    assert {e.id for e in after.evidence} == current | cited


def test_decision_and_draft_name_the_prompt_that_made_them(newsroom: Newsroom) -> None:
    first = load_prompt("reply_extractive", 1)
    second = parse_prompt("reply_extractive.v2", first.data + b"\n")
    with newsroom.bench.db.transaction() as tx:
        store_prompt(tx, second)
        save_aliases(tx, "reply_extractive", Aliases(first.version, second.version))
    share = {"reply_extractive": TaskModels(prompt_challenger_share=1.0)}
    newsroom.bench = replace(newsroom.bench, tuning=Tuning(models=Models(tasks=share)))
    newsroom.hear(FIRST)
    for name in POST_STEPS[:-1]:
        assert run_step(newsroom.bench, name, stop=StopSignal()).errors == {}
    # Before the draft is checked another prompt comes into force, and the test is over.
    with newsroom.bench.db.transaction() as tx:
        save_aliases(tx, "reply_extractive", Aliases(first.version))
    assert run_step(newsroom.bench, "check", stop=StopSignal()).outcomes == {"passed": 1}
    with newsroom.bench.db.transaction() as tx:
        rows = tx.connection.execute(
            "select d.prompt_version as drafted, c.prompt_version as decided"
            " from draft d join decision c on c.id = d.decision_id"
        ).fetchall()
    assert rows == [{"drafted": second.version, "decided": second.version}]


def test_a_draft_of_the_earlier_wording_is_not_current(newsroom: Newsroom) -> None:
    newsroom.hear(FIRST)
    newsroom.work_off()
    anywhere = QueueFilter(stage=None, status=None)
    with newsroom.bench.db.transaction() as tx:
        assert review_queue(tx, anywhere).rows[0].draft_text
    newsroom.hear(NOTHING)
    newsroom.work_off()
    case = newsroom.case()
    assert str(case.place) == "triage/rejected"
    with newsroom.bench.db.transaction() as tx:
        assert tx.row("latest_draft", post_id=case.id) is None
        assert tx.rows("latest_drafts", post_ids=[case.id]) == []
        assert tx.rows("load_claims", post_ids=[case.id]) == []
        assert tx.rows("load_evidence", post_ids=[case.id]) == []
        assert review_queue(tx, anywhere).rows[0].draft_text is None
    assert len(case.drafts) == 1 and case.evidence, "the record of the first round stays"
