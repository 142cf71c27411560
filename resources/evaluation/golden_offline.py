"""Golden cases answered without a model: what each task does where only the endpoint ``local`` is configured."""

from collections.abc import Callable

import numpy as np

from rejoinder.corpus.keywords import KEYWORDS_METHOD, extract_keywords
from rejoinder.corpus.summaries import ExtractiveSummariser, Material, summary_candidates
from rejoinder.corpus.values import Cue, Transcript
from rejoinder.drafting.extractive import DraftReply, draft_reply
from rejoinder.evaluation.cases import ClaimCase, ReplyCase, SummaryCase, VerdictCase
from rejoinder.evaluation.claim_scores import GivenClaim
from rejoinder.evaluation.reply_scores import case_evidence, case_post
from rejoinder.llm.ports import Embedder
from rejoinder.prompts.loader import Prompt, load_prompt
from rejoinder.research.evidence import term_overlap
from rejoinder.research.verdicts import Verdict, verdict_of
from rejoinder.text.terms import index_terms
from rejoinder.triage.claims import extract_claims
from resources.evaluation.golden import TaskName
from resources.evaluation.golden_answers import Answerer, Answering
from resources.tuning_models import LOCAL_URI

RULES = "rules"


def offline_answerer(task: TaskName, embedder: Embedder, prompt: Prompt | None = None) -> Answerer:
    """The answers of a task without a language model; deterministic.

    Args:
        task: which.
        embedder: compares claim and evidence, and the sentences of a passage.
        prompt: the frames of replies; the shipped ones when None.
    """
    frames = prompt or load_prompt("reply_extractive", 1)
    makers: dict[TaskName, Callable[[], Answerer]] = {
        "claims": lambda: Answering(LOCAL_URI, RULES, _claims),
        "verdicts": lambda: Answering(LOCAL_URI, f"{RULES}/{embedder.model}", _Judging(embedder)),
        "replies": lambda: Answering(LOCAL_URI, prompt_label(frames), _Drafting(frames)),
        "summaries": lambda: _summaries(ExtractiveSummariser(embedder)),
    }
    return makers[task]()


def prompt_label(prompt: Prompt) -> str:
    """Name and version of a prompt file: ``reply.v1@0123456789ab``."""
    return f"{prompt.name}@{prompt.version}"


def _claims(case: ClaimCase) -> list[GivenClaim]:
    return [GivenClaim(claim.text, claim.kind) for claim in extract_claims(case.post)]


class _Judging:
    """A verdict by words, as research gives it."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    def __call__(self, case: VerdictCase) -> Verdict:
        said = " ".join(case.evidence)
        (asked,) = self._embedder.embed([case.claim], "query")
        # Several sentences are one quote, as far as meaning goes: the mean of their vectors.
        mean = self._embedder.embed(list(case.evidence)).mean(axis=0)
        cosine = float(np.clip(mean @ asked / max(float(np.linalg.norm(mean)), 1e-12), 0.0, 1.0))
        overlap = term_overlap(set(index_terms(case.claim)), set(index_terms(said)), {})
        return verdict_of(case.claim, said, cosine=cosine, overlap=overlap).verdict


class _Drafting:
    """A reply of quotes and frames."""

    def __init__(self, frames: Prompt) -> None:
        self._frames = frames

    def __call__(self, case: ReplyCase) -> DraftReply:
        post, evidence = case_post(case), case_evidence(case)
        return draft_reply(post, evidence, case.strategy, allow_links=False, prompt=self._frames)


def _summaries(summariser: ExtractiveSummariser) -> Answerer:
    def summarise(case: SummaryCase) -> str:
        spoken = Transcript(case.title, "text", (Cue(" ".join(case.passage)),), language=case.language)
        candidates = summary_candidates(spoken)
        material = Material(candidates, [1] * len(candidates), extract_keywords(spoken), case.n_sentences)
        return " ".join(statement.text for statement in summariser.summarise(material))

    return Answering(LOCAL_URI, f"{KEYWORDS_METHOD}+{summariser.method}", summarise)
