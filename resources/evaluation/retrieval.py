"""Systems side by side on one task, in one run: peers, our engine stage by stage, our engine with a re-scorer.

What belongs here: who runs, in which order, and what each one's gain is measured over.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rejoinder.corpus.retrieval.features import features_of
from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.retrieval.rescorer import JudgedQuery, LearnedReranker
from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import Embedder, Vectors
from resources.evaluation.engine import Answer, Engine, scratch_database, store_task
from resources.evaluation.peers import Ranked, rank_densely, rank_with_bm25s
from resources.evaluation.report import RetrievalReport, SystemRun, report_runs
from resources.evaluation.task import Asked, Task
from resources.postgres import Database
from resources.tuning import Retrieval

EMBEDDED_AT_ONCE = 64
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Systems:
    """Which systems run beside our engine, and who its second stage is.

    train is a task over the same passages whose questions a re-scorer learns from; without one, configured is the
    re-scorer that runs, and without either there is no second stage.
    """

    with_bm25s: bool = True
    train: Task | None = None
    configured: LearnedReranker | None = None


def evaluate_retrieval(
    task: Task,
    embedder: Embedder,
    retrieval: Retrieval,
    systems: Systems,
    *,
    db: Database | None = None,
    vectors: Vectors | None = None,
    progress: Progress = lambda _stage, _n: None,
) -> RetrievalReport:
    """Run every system on the task and report.

    Args:
        task: what is asked.
        embedder: of passages and questions.
        retrieval: the tuning that our engine runs with; every candidate is kept, so that recall can be seen.
        systems: who else runs.
        db: an empty database to store the passages in; without it a scratch one is made and removed.
        vectors: the passages' vectors, where they are known.
        progress: told (stage, how many more are done); stages are ``embed``, ``store``, ``learn``, ``ask``.

    Raises:
        ConfigInvalid: the re-scorer would be judged on a question that it learned from.
    """
    _check_apart(task, systems.train)
    _check_unseen(task, systems)
    retrieval = retrieval.model_copy(update={"passages": 2 * retrieval.candidates})
    if vectors is None:
        vectors = embed_passages(task, embedder, progress)
    if db is not None:
        return _evaluate(task, embedder, retrieval, systems, db, vectors, progress)
    with scratch_database() as scratch:
        return _evaluate(task, embedder, retrieval, systems, scratch, vectors, progress)


def embed_passages(task: Task, embedder: Embedder, progress: Progress) -> Vectors:
    """Vectors of the task's passages, in order; shape (n_passages, dim)."""
    texts = list(task.passages.values())
    parts = []
    for start in range(0, len(texts), EMBEDDED_AT_ONCE):
        parts.append(embedder.embed(texts[start : start + EMBEDDED_AT_ONCE]))
        progress("embed", len(parts[-1]))
    return np.concatenate(parts)


def _check_apart(task: Task, train: Task | None) -> None:
    if train is None:
        return
    shared = {asked.key for asked in task.questions} & {asked.key for asked in train.questions}
    if shared:
        raise ConfigInvalid(
            f"The re-scorer may not be judged on questions that it learned from: {len(shared)} are in both "
            f"{train.split} and {task.split}.",
            fix="Name another split to learn from (--rescorer).",
        )


def _check_unseen(task: Task, systems: Systems) -> None:
    """Of a stored re-scorer only the name of the split that it learned from is known."""
    if systems.train or not systems.configured:
        return
    learned_from = systems.configured.rescorer.trained_on
    if learned_from in {f"{task.name}/{task.split}", f"{task.name}/all"} or (
        task.split == "all" and learned_from.startswith(f"{task.name}/")
    ):
        raise ConfigInvalid(
            f"The re-scorer of rejoinder.toml learned from {learned_from}: it may not be judged on it.",
            fix="Evaluate another split, or train one on another (--rescorer).",
        )


def _evaluate(
    task: Task,
    embedder: Embedder,
    retrieval: Retrieval,
    systems: Systems,
    db: Database,
    vectors: Vectors,
    progress: Progress,
) -> RetrievalReport:
    engine = store_task(db, task, embedder, vectors, retrieval, progress=lambda n: progress("store", n))
    learned = _learn(engine, systems, task, progress) if systems.train else systems.configured
    answers: dict[str, Answer] = {}
    for asked in task.questions:
        answers[asked.key] = engine.search(asked)
        progress("ask", 1)
    runs = _peers(task, embedder, vectors, systems)
    runs += _ours(task, engine, answers, learned, systems)
    settings = _settings(embedder, retrieval, learned)
    return report_runs(task, runs, settings, rescorer=learned.rescorer if learned else None)


def _peers(task: Task, embedder: Embedder, vectors: Vectors, systems: Systems) -> list[SystemRun]:
    asked = embedder.embed([asked.text for asked in task.questions], "query")
    dense = SystemRun("exact dense", rank_densely(task, vectors, asked))
    bm25 = [SystemRun("bm25s", rank_with_bm25s(task))] if systems.with_bm25s else []
    return [*bm25, dense]


def _ours(
    task: Task, engine: Engine, answers: dict[str, Answer], learned: Reranker | None, systems: Systems
) -> list[SystemRun]:
    def run(name: str, over: tuple[str, ...], ranked: Callable[[Asked], Ranked]) -> SystemRun:
        return SystemRun(name, {asked.key: ranked(asked) for asked in task.questions}, over)

    words = ("bm25s",) if systems.with_bm25s else ()
    runs = [
        run("engine: words", words, lambda a: engine.leg(answers[a.key], "lexical")),
        run("engine: meaning", ("exact dense",), lambda a: engine.leg(answers[a.key], "dense")),
        run("engine: fused", ("engine: words", *words), lambda a: engine.ranked(answers[a.key])),
    ]
    if learned is not None:
        over = ("engine: fused", *words)
        runs.append(run("engine: re-scored", over, lambda a: engine.reranked(answers[a.key], learned)))
    return runs


def _learn(engine: Engine, systems: Systems, task: Task, progress: Progress) -> LearnedReranker:
    """A re-scorer trained on the candidates that the engine itself brings for the training questions."""
    from rejoinder.corpus.retrieval.model import train

    assert systems.train is not None
    asked_in_test = {" ".join(asked.text.casefold().split()) for asked in task.questions}
    judged = []
    for asked in systems.train.questions:
        if " ".join(asked.text.casefold().split()) not in asked_in_test:
            judged.append(_judged(engine, systems.train, asked))
        progress("learn", 1)
    learned_from = f"{systems.train.name}/{systems.train.split}"
    return LearnedReranker(train(judged, trained_on=learned_from, embedding_model=engine.embedder.model))


def _judged(engine: Engine, task: Task, asked: Asked) -> JudgedQuery:
    found = engine.search(asked).found
    passages = found.passages[: engine.retriever.retrieval.rescored]
    x = features_of(asked.text, passages, found.rarity)
    return JudgedQuery(asked.key, x, tuple(task.gains(asked.key, key) for key in engine.keys(passages)))


def _settings(
    embedder: Embedder, retrieval: Retrieval, learned: LearnedReranker | None
) -> dict[str, str | int | float]:
    chosen: dict[str, str | int | float] = {"embedder": embedder.model}
    chosen |= {f"retrieval.{name}": value for name, value in retrieval.model_dump().items()}
    if learned is not None:
        chosen |= {"rescorer": learned.name, "rescorer.trained_on": learned.rescorer.trained_on}
    return chosen
