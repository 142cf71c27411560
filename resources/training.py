"""Training the relevance classifier: examples out of Postgres, a judged model back in, a run in MLflow.

What belongs here: which posts may teach, when a model becomes champion, and the copying of champions that
people name in MLflow. The fitting itself stands in rejoinder/triage/model.py and is imported when it is needed.
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Protocol

from psycopg.types.json import Jsonb

from rejoinder.triage.classifier import Classifier, Example, data_hash, dump, is_held_out, load
from rejoinder.triage.promotion import Verdict, judge, judged_by_people, too_few
from rejoinder.triage.weak_labels import LabelRule
from resources.postgres import Database
from resources.prompt_registry import agree_on_aliases, register_stored
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.training_examples import collect_examples
from resources.tracking import Tracker
from resources.tracking_values import RELEVANCE_MODEL, Champions, TrainingRecord

SEED = 20

Outcome = Literal["champion", "challenger", "unchanged", "too_few"]


class Bench(Protocol):
    """What a training needs of the workbench."""

    @property
    def db(self) -> Database:
        """The application's pool."""

    @property
    def addresses(self) -> Addresses:
        """Where MLflow's database is."""

    @property
    def settings(self) -> Settings:
        """Where the home is."""

    @property
    def index_id(self) -> int:
        """The embedding index in use."""


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What came of one training; reason is one sentence for a person."""

    outcome: Outcome
    reason: str
    n_examples: int
    n_reviewed: int
    metrics: Mapping[str, Any] = field(default_factory=dict)
    model_version_id: int | None = None
    mlflow_run_id: str | None = None
    seconds: float = 0.0


def train_on_bench(bench: Bench) -> dict[str, Any]:
    """Train with what the workbench holds; the report as JSON-ready values.

    Where MLflow was needed anyway, prompts that it does not know yet are registered too.
    """
    tracker = Tracker(bench.addresses.mlflow, bench.settings.home_dir)
    report = train_relevance(bench.db, tracker, index_id=bench.index_id)
    if report.outcome in ("champion", "challenger"):
        register_stored(bench.db, tracker)
    return asdict(report)


def follow_mlflow(bench: Bench) -> dict[str, int]:
    """Register prompts in MLflow, agree with it on their aliases, copy its champions of models; counts of what changed.

    Raises:
        ServiceUnavailable: Postgres or MLflow's database cannot be reached.
    """
    tracker = Tracker(bench.addresses.mlflow, bench.settings.home_dir)
    made = register_stored(bench.db, tracker)
    champions = tracker.read_champions()
    return {
        "prompt_versions": made,
        "prompt_aliases": agree_on_aliases(bench.db, tracker, champions.prompts),
        "champions": copy_champions(bench.db, champions),
    }


def train_relevance(
    db: Database,
    tracker: Tracker | None,
    *,
    index_id: int | None = None,
    rule: LabelRule | None = None,
    seed: int = SEED,
) -> TrainingReport:
    """Train on what is there, judge on held-out posts, keep the result in Postgres and in MLflow.

    The first model that beats chance becomes champion; a later one only where the bootstrap interval of its
    gain in average precision, on the same held-out posts, lies above zero. The same examples again change
    nothing. The random draws of fit and bootstrap come from the seed, so a rerun gives the same model.

    Args:
        db: the application's pool.
        tracker: MLflow; None keeps the training in Postgres only.
        index_id: the embedding index to read; None reads the active one.
        rule: the weak labels' rule; None is the default one.
        seed: for fit and bootstrap.

    Raises:
        ServiceUnavailable: Postgres or MLflow's database cannot be reached; nothing was kept in Postgres.
    """
    started = time.monotonic()
    with db.transaction() as tx:
        examples = collect_examples(tx, index_id=index_id, rule=rule or LabelRule())
        embedding_model = tx.value("embedding_model_of", index_id=index_id)
    report = _train(db, tracker, examples, seed, embedding_model)
    return replace(report, seconds=round(time.monotonic() - started, 3))


def _train(
    db: Database, tracker: Tracker | None, examples: Sequence[Example], seed: int, embedding_model: str | None
) -> TrainingReport:
    counts = (len(examples), sum(e.label.source == "review" for e in examples))
    if lack := too_few(examples):
        return TrainingReport("too_few", f"{lack}; the similarity floor decides alone", *counts)
    with db.transaction() as tx:
        known = tx.row("find_training", name=RELEVANCE_MODEL, data_hash=data_hash(examples))
    if known:
        reason = "the same examples were trained on before"
        ids = (known["id"], known["mlflow_run_id"])
        return TrainingReport("unchanged", reason, *counts, known["metrics"], *ids)
    classifier, verdict = _fit_and_judge(db, examples, seed, embedding_model)
    metrics = asdict(classifier.metrics) | {"verdict": asdict(verdict), "embedding_model": embedding_model}
    run_id = tracker.record_training(_record(classifier, verdict)).run_id if tracker else None
    row_id = _save(db, classifier, metrics, verdict, run_id)
    return TrainingReport(verdict.standing, verdict.reason, *counts, metrics, row_id, run_id)


def _fit_and_judge(
    db: Database, examples: Sequence[Example], seed: int, embedding_model: str | None
) -> tuple[Classifier, Verdict]:
    from rejoinder.triage.model import ENOUGH_REVIEWS, train

    classifier = train(examples, seed=seed)
    with db.transaction() as tx:
        row = tx.row("champion_model", name=RELEVANCE_MODEL, embedding_model=embedding_model)
    champion = load(json.dumps(row["parameters"]).encode()) if row else None
    held_out = [e for e in examples if is_held_out(e.post_key)]
    return classifier, judge(classifier, champion, judged_by_people(held_out, ENOUGH_REVIEWS), seed=seed)


def _record(classifier: Classifier, verdict: Verdict) -> TrainingRecord:
    scores = classifier.metrics
    return TrainingRecord(
        model=RELEVANCE_MODEL,
        data_hash=scores.data_hash,
        coefficients=dump(classifier),
        parameters={
            "seed": classifier.seed,
            "n_features_used": len(classifier.columns),
            "n_train": scores.n_train,
            "n_held_out": scores.n_held_out,
            "data_hash": scores.data_hash,
        },
        metrics=_held_out_scores(classifier, verdict),
        tags={"labels_from": scores.labels_from, "reason": verdict.reason},
        standing=verdict.standing,
        description=f"Scores are on held-out posts, against {scores.labels_from} labels. {verdict.reason}.",
    )


def _held_out_scores(classifier: Classifier, verdict: Verdict) -> dict[str, float]:
    scores, gain = classifier.metrics, verdict.comparison
    named = {
        "held_out_roc_auc": scores.roc_auc,
        "held_out_average_precision": scores.average_precision,
        "held_out_base_rate": scores.base_rate,
        "gain_over_champion": gain.difference if gain else None,
        "gain_low": gain.low if gain else None,
        "gain_high": gain.high if gain else None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _save(
    db: Database, classifier: Classifier, metrics: dict[str, Any], verdict: Verdict, run_id: str | None
) -> int | None:
    with db.transaction() as tx:
        tx.execute("hold_training_lock", name=RELEVANCE_MODEL)
        if verdict.standing == "champion":
            tx.execute("uncrown_models", name=RELEVANCE_MODEL)
        row_id: int | None = tx.value(
            "insert_model_version",
            name=RELEVANCE_MODEL,
            data_hash=classifier.metrics.data_hash,
            parameters=Jsonb(json.loads(dump(classifier))),
            metrics=Jsonb(metrics),
            mlflow_run_id=run_id,
            is_champion=verdict.standing == "champion",
        )
    return row_id


def copy_champions(db: Database, champions: Champions) -> int:
    """Make those models champion in Postgres that carry the alias in MLflow; how many rows changed.

    A champion that Postgres does not know (made by hand, or trained elsewhere) changes nothing.
    """
    with db.transaction() as tx:
        changed = 0
        for name, run_id in champions.models.items():
            tx.execute("hold_training_lock", name=name)
            changed += tx.execute("uncrown_other_models", name=name, run_id=run_id)
            changed += tx.execute("crown_model", name=name, run_id=run_id)
    return changed
