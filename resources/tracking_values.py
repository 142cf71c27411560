"""What goes to MLflow and comes back, as values: no MLflow is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from rejoinder.prompts.aliases import Alias

PREFIX = "rejoinder-"
CHAMPION = "champion"
RELEVANCE_MODEL = "rejoinder-relevance"  # the relevance classifier, here and in the table model_version

Standing = Literal["champion", "challenger"]


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """What a training leaves behind.

    model is the registered model's name. coefficients are the model as JSON, UTF-8. metrics are on
    held-out posts. standing is the alias that the new version gets. description is one sentence for people.
    """

    model: str
    data_hash: str
    coefficients: bytes
    parameters: Mapping[str, str | int | float]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    standing: Standing
    description: str


@dataclass(frozen=True, slots=True)
class RecordedTraining:
    """Where a training stands in MLflow."""

    run_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Champions:
    """Who carries aliases in MLflow.

    models: run id of the champion by the model's name. prompts: by task, the prompt_version of each alias that is
    given; None is a version that somebody made in MLflow and Rejoinder does not know.
    """

    models: Mapping[str, str]
    prompts: Mapping[str, Mapping[Alias, str | None]]


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """What an evaluation leaves behind: one run of its experiment.

    experiment is one of mlflow/experiments.yaml. metrics are named as MLflow allows (letters, digits, ``_-. /``).
    report is the whole report as JSON, UTF-8, kept as a file of the run.
    """

    experiment: str
    name: str
    parameters: Mapping[str, str | int | float]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    report: bytes
