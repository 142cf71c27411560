"""Experiments in MLflow: trainings, registered models, prompts, champions.

What belongs here: what the rest of Rejoinder may ask of MLflow; the calls themselves stand in mlflow_rows.py.
MLflow is imported inside functions only (it takes seconds), and only trainings, registrations and the sensor
of champions come here: the run path never does. The client writes straight to MLflow's own database; the
MLflow server is only a window on the same rows and files.
"""

import importlib
import logging
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rejoinder.errors import ServiceUnavailable
from rejoinder.prompts.loader import FOLDER, Prompt, parse_prompt
from resources.mlflow_address import artifact_folder, check_reachable, tracking_uri
from resources.postgres import Transaction
from resources.settings import export_for_children
from resources.tracking_values import PREFIX, Champions, EvaluationRecord, RecordedTraining, TrainingRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient


@dataclass(frozen=True, slots=True)
class Tracker:
    """MLflow's database (a URL that may hold a password, never shown) and the home of its files."""

    url: str = field(repr=False)
    home: Path

    def record_training(self, record: TrainingRecord) -> RecordedTraining:
        """Write a training as a finished run and a version of its registered model, with its alias.

        The same data twice is one run: the version with that data hash is found again.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        with self._client() as client:
            from resources import mlflow_rows

            version = mlflow_rows.find_version(client, record) or mlflow_rows.write_training(
                client, record, artifact_folder(self.home)
            )
            client.set_registered_model_alias(record.model, record.standing, version.version)
            return RecordedTraining(str(version.run_id), int(version.version))

    def record_evaluation(self, record: EvaluationRecord) -> str:
        """Write an evaluation as a finished run of its experiment; the run's id.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        with self._client() as client:
            from resources import mlflow_rows

            return mlflow_rows.write_evaluation(client, record, artifact_folder(self.home))

    def register_prompts(self, prompts: Sequence[Prompt]) -> dict[str, int]:
        """Register prompt files; how many new versions were made, by the prompt's name in MLflow.

        A file whose prompt_version is there makes no new version. The first version of a prompt becomes
        champion; later ones wait for a person.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        made: dict[str, int] = {}
        with self._client() as client:
            from resources import mlflow_rows

            for prompt in sorted(prompts, key=_file_order):
                name = PREFIX + prompt_task(prompt)
                if mlflow_rows.write_prompt(client, name, prompt, artifact_folder(self.home)):
                    made[name] = made.get(name, 0) + 1
        return made

    def read_champions(self) -> Champions:
        """The champion of every model and prompt whose name starts with ``rejoinder-``.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        with self._client() as client:
            from resources import mlflow_rows

            prompts = mlflow_rows.champion_prompts(client)
            return Champions(
                models=mlflow_rows.champion_models(client),
                prompts={name.removeprefix(PREFIX): version for name, version in prompts.items()},
            )

    @contextmanager
    def _client(self) -> Iterator["MlflowClient"]:
        """A client on the database itself; MLflow's errors become ours."""
        check_reachable(self.url)
        import_quietly()
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError

        uri = tracking_uri(self.url, self.home)
        try:
            yield MlflowClient(tracking_uri=uri, registry_uri=uri)
        except (MlflowException, SQLAlchemyError) as error:
            raise ServiceUnavailable(f"MLflow: {str(error).splitlines()[0]}") from None


def prompt_task(prompt: Prompt) -> str:
    """The task of a prompt file, its name without the version: files of one task are versions of one prompt."""
    return re.sub(r"\.v\d+$", "", prompt.name)


def load_prompt_files() -> list[Prompt]:
    """Every prompt file of rejoinder/prompts, by name."""
    return [parse_prompt(path.stem, path.read_bytes()) for path in sorted(FOLDER.glob("*.v*.md"))]


def import_quietly() -> None:
    """Import MLflow with what it needs in the environment, without its progress bars and deprecation notes."""
    export_for_children({"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sqlalchemy.orm

        importlib.import_module("mlflow.store.tracking.sqlalchemy_store")
        importlib.import_module("mlflow.pyfunc")
        # Done here because MLflow uses a loader strategy that SQLAlchemy 2.1 warns about.
        sqlalchemy.orm.configure_mappers()
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def ensure_prompts(tx: Transaction) -> None:
    """Every prompt file's version, so that a draft can name the one that made it."""
    for prompt in load_prompt_files():
        body = "\n".join(f"## {name}\n{text}" for name, text in prompt.sections)
        tx.execute(
            "ensure_prompt_version",
            version=prompt.version,
            task=prompt_task(prompt),
            name=prompt.name,
            body=body,
        )


def _file_order(prompt: Prompt) -> tuple[str, int]:
    number = re.search(r"\.v(\d+)$", prompt.name)
    return prompt_task(prompt), int(number[1]) if number else 0
