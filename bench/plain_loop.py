"""The pipeline's work as a plain loop: same model, same retrieval, same domain functions, nothing stored."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from rejoinder.drafting.checks import check_draft
from rejoinder.drafting.extractive import draft_reply
from rejoinder.drafting.strategies import ChoiceContext, UniformChooser, safe_strategies
from rejoinder.listening.post import Post
from rejoinder.llm.ports import Embedder, Vectors
from rejoinder.research.evidence import NoEvidence, find_evidence
from rejoinder.text.emptiness import readable_reason
from rejoinder.triage.claims import main_claim
from rejoinder.triage.relevance import Thresholds, corpus_similarity, decide_relevance
from resources.search import SearchQuery
from resources.steps.triage import nearest_similarities
from resources.wiring import evidence_rule

if TYPE_CHECKING:
    from resources.workbench import Workbench

BATCH = 64


def answer_all(bench: "Workbench", embedder: Embedder, posts: Sequence[Post]) -> int:
    """Take posts from triage to a checked draft; how many drafts passed."""
    n_drafts = 0
    for start in range(0, len(posts), BATCH):
        batch = [post for post in posts[start : start + BATCH] if readable_reason(post.text) is None]
        vectors = embedder.embed([post.text for post in batch], "query")
        n_drafts += sum(_answer(bench, embedder, p, v) for p, v in zip(batch, vectors, strict=True))
    return n_drafts


def _answer(bench: "Workbench", embedder: Embedder, post: Post, vector: Vectors) -> bool:
    with bench.db.transaction() as tx:
        near = nearest_similarities(tx, vector, index_id=bench.index_id, project_id=bench.project_id)
    cut = Thresholds(**bench.tuning.thresholds.model_dump())
    decision = decide_relevance(corpus_similarity(near), None, thresholds=cut)
    claim = main_claim(post.text)
    if decision.decision == "rejected" or claim is None:
        return False
    asked = SearchQuery(
        claim.text,
        embedder.embed([claim.text], "query")[0],
        index_id=bench.index_id,
        project_id=bench.project_id,
    )
    read = bench.retriever.find(asked)
    found = find_evidence(
        claim.text, read.passages, embedder=embedder, rule=evidence_rule(bench.tuning), rarity=read.rarity
    )
    if isinstance(found, NoEvidence):
        return False
    rng = Random(post.platform_post_id)
    choice = UniformChooser().choose(ChoiceContext("none"), safe_strategies(post, found), rng)
    draft = draft_reply(post, found, choice.action, allow_links=True)
    return all(check.passed for check in check_draft(draft, post, found))
