"""Joins ports and implementations: the one place that knows which class stands behind which port."""

import json
import random
from collections.abc import Callable
from functools import partial
from typing import Any

from rejoinder.corpus.summaries import ExtractiveSummariser, Summariser
from rejoinder.drafting.strategies import UniformChooser
from rejoinder.research.answer_rules import answer_rule
from rejoinder.research.answers import QuotingAnswerer
from rejoinder.research.evidence import EvidenceRule
from rejoinder.triage.classifier import Classifier, load
from rejoinder.triage.features import KEYWORDS_LISTENED_FOR
from rejoinder.triage.relevance import Thresholds
from resources.asking import Asking
from resources.context import context_builder
from resources.extracting import extract
from resources.fetching import Fetcher
from resources.guarded_network import Allowance
from resources.model_tasks.answers import open_answers
from resources.model_tasks.asked import Desk
from resources.model_tasks.claims import open_claims
from resources.model_tasks.replies import open_editor, open_writer
from resources.model_tasks.summaries import open_summariser
from resources.model_tasks.verdicts import open_verdicts
from resources.postgres import Database
from resources.programs import has_model
from resources.reembedding import build_index, is_build_due
from resources.steps import (
    checking,
    chunking,
    digesting,
    drafting,
    embedding,
    ingestion,
    linking,
    research,
    summarising,
    triage,
)
from resources.tracking_values import RELEVANCE_MODEL
from resources.tuning import StageTuning, StepName, Tuning
from resources.work.runner import Progress, Report, Step, work_side_by_side
from resources.work.stopping import PROCESS_STOP, StopSignal, stop_on_signals
from resources.workbench import Workbench


def desk(bench: Workbench) -> Desk:
    """What tasks with a model are opened with; nothing is opened here."""
    return Desk(lambda: bench.llm, bench.db, bench.tuning.models, lambda: bench.creator_id)


def _fetch(bench: Workbench) -> Step:
    # A row may need two: its transcript and its chapters.
    timeout_s = 0.45 * bench.tuning.stage("fetch").timeout_s
    allowance = Allowance.parse(bench.settings.fetch_allow)
    fetcher = Fetcher(allowance, bench.tuning.ingestion.largest_bytes, timeout_s)
    return ingestion.Fetching(fetcher, bench.objects, *bench.tuning.ingestion.feed_limits)


def _extract(bench: Workbench) -> Step:
    # On a busy machine the program that reads needs a while to start.
    limit_s = bench.tuning.stage("extract").timeout_s
    read = partial(extract, timeout_s=0.7 * limit_s, start_s=0.2 * limit_s)
    return ingestion.Extracting(bench.objects, read)


def _chunking(bench: Workbench) -> Step:
    return chunking.Chunking(bench.embedder, chunking.cutting_rule(bench.tuning))


def _embed_chunks(bench: Workbench) -> Step:
    return embedding.Embedding(bench.db, bench.embedder_of)


def _digesting(bench: Workbench) -> Step:
    return digesting.Digesting(_summariser(bench, "keywords"))


def _summarising(bench: Workbench) -> Step:
    return summarising.Summarising(_summariser(bench, "summarise"))


def _summariser(bench: Workbench, step: StepName) -> Summariser:
    extractive = ExtractiveSummariser(bench.embedder)
    return open_summariser(desk(bench), extractive, item_s=bench.tuning.stage(step).timeout_s)


def _embed_posts(bench: Workbench) -> Step:
    return triage.PostEmbedding(bench.embedder, bench.index_id)


def _relevance(bench: Workbench) -> Step:
    model_id, classifier = champion(bench.db, bench.embedder.model)
    cut = Thresholds(**bench.tuning.thresholds.model_dump())
    keywords = listened_keywords(bench.db)
    return triage.RelevanceJudging(
        bench.db, bench.embedder, bench.index_id, cut, keywords, bench.project_id, classifier, model_id
    )


def _claims(bench: Workbench) -> Step:
    return triage.ClaimFinding(
        bench.index_id, open_claims(desk(bench), item_s=bench.tuning.stage("claims").timeout_s)
    )


def _evidence(bench: Workbench) -> Step:
    return research.EvidenceFinding(
        bench.db,
        bench.embedder,
        bench.retriever,
        evidence_rule(bench.tuning),
        bench.index_id,
        bench.project_id,
        open_verdicts(desk(bench), item_s=bench.tuning.stage("evidence").timeout_s),
    )


def evidence_rule(tuning: Tuning) -> EvidenceRule:
    """The rule of evidence as the tuning has it."""
    return EvidenceRule(**tuning.evidence.model_dump())


def asking(bench: Workbench) -> Asking:
    """What answers questions: it quotes, and where a model is configured that writes an answer besides."""
    bench = bench.current()
    rule = answer_rule(bench.embedder.model, **bench.tuning.answers.model_dump())
    return Asking(
        bench.db,
        bench.embedder,
        context_builder(bench.db, bench.tuning, bench.embedder.count_tokens, bench.second_stage),
        rule,
        QuotingAnswerer(rule),
        bench.index_id,
        bench.project_id,
        open_answers(desk(bench)),
    )


def _decide(bench: Workbench) -> Step:
    is_written = open_writer(desk(bench), item_s=bench.tuning.stage("draft").timeout_s) is not None
    return drafting.Deciding(
        UniformChooser(),
        random.Random,
        bench.index_id,
        _frames_share(bench),
        is_written,
        bench.tuning.links.forms,
    )


def _draft(bench: Workbench) -> Step:
    writer = open_writer(desk(bench), item_s=bench.tuning.stage("draft").timeout_s)
    own = linking.OwnAddresses(bench.settings.public_url)
    return drafting.Drafting(bench.index_id, _frames_share(bench), writer, own, bench.tuning.links.forms)


def _check(bench: Workbench) -> Step:
    editor = open_editor(desk(bench), item_s=bench.tuning.stage("check").timeout_s)
    return checking.Checking(bench.index_id, _frames_share(bench), editor, bench.tuning.links.forms)


def _frames_share(bench: Workbench) -> float:
    """The share of posts that the challenger among the offline drafter's prompts gets."""
    return bench.tuning.models.task(drafting.FRAMES).prompt_challenger_share


STEPS: dict[StepName, Callable[[Workbench], Step]] = {
    "fetch": _fetch,
    "extract": _extract,
    "chunk": _chunking,
    "embed_chunks": _embed_chunks,
    "keywords": _digesting,
    "summarise": _summarising,
    "embed_posts": _embed_posts,
    "relevance": _relevance,
    "claims": _claims,
    "evidence": _evidence,
    "decide": _decide,
    "draft": _draft,
    "check": _check,
}


# Tasks of steps whose rows go in groups as long as no model is asked.
ASKED_BY_ROW: dict[StepName, str] = {"claims": "claims", "evidence": "verdict"}


def run_step(
    bench: Workbench,
    name: StepName,
    *,
    stop: StopSignal | None = None,
    progress: Progress | None = None,
) -> Report:
    """Work off everything that is due at one step; SIGTERM and SIGINT finish the item in hand."""
    tuning = stage_tuning(bench.tuning, name)
    step = STEPS[name](bench.current())
    with stop_on_signals(stop or PROCESS_STOP) as asked:
        report = work_side_by_side(step, db=bench.db, tuning=tuning, stop=asked, progress=progress)
        if name == "embed_chunks" and build_due(bench):
            build_index(bench.db, bench.embedder_of(configured_model(bench)), stop=asked)
    return report


def stage_tuning(tuning: Tuning, name: StepName) -> StageTuning:
    """A step's tuning; where a model is asked about each row, rows go one by one.

    So each answer is saved when it is there, and a stop waits for one row's calls and not for those of a group.
    """
    found = tuning.stage(name)
    task = ASKED_BY_ROW.get(name)
    return found.model_copy(update={"group": 1}) if task and has_model(tuning.models, task) else found


def build_due(bench: Workbench) -> bool:
    """Whether the vectors of the model that rejoinder.toml names are still to be made."""
    return is_build_due(bench.db, configured_model(bench))


def configured_model(bench: Workbench) -> str:
    """URI of the model that rejoinder.toml names; searches read another one's vectors until its own are all there."""
    return bench.shelf.uri_of(bench.tuning.embedding.model)


def champion(db: Database, embedding_model: str | None = None) -> tuple[int | None, Classifier | None]:
    """The relevance classifier in force with its row's id; (None, None) before the first training.

    Given an embedding model, also where the one in force learned from another model's vectors.
    """
    with db.transaction() as tx:
        row: dict[str, Any] | None = tx.row(
            "champion_model", name=RELEVANCE_MODEL, embedding_model=embedding_model
        )
    if row is None:
        return None, None
    return row["id"], load(json.dumps(row["parameters"]).encode())


def listened_keywords(db: Database, *, top: int = KEYWORDS_LISTENED_FOR) -> tuple[str, ...]:
    """The corpus's best keywords, best first."""
    with db.transaction() as tx:
        return tuple(row["term"] for row in tx.rows("best_keywords", top=top))
