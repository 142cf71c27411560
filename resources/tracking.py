"""Experiments in MLflow: trainings, registered models, prompts, champions.

What belongs here: what the rest of Rejoinder may ask of MLflow; the calls themselves stand in mlflow_rows.py.
MLflow is imported inside functions only (it takes seconds), and only trainings, registrations and the sensor
of champions come here: the run path never does. The client writes straight to MLflow's own database; the
MLflow server is only a window on the same rows and files.
"""

import importlib
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

from rejoinder.errors import ServiceUnavailable
from rejoinder.prompts.aliases import Alias
from rejoinder.prompts.loader import Prompt
from resources.mlflow_address import artifact_folder, check_reachable, connect_plainly, tracking_uri
from resources.settings import export_for_children
from resources.store.prompt_versions import file_order, prompt_task
from resources.tracking_values import PREFIX, Champions, EvaluationRecord, RecordedTraining, TrainingRecord

if TYPE_CHECKING:
    from mlflow import MlflowClient


# Whoever registers prompts holds this advisory lock in MLflow's database, and others wait for it this long.
REGISTERING_LOCK = 21071
REGISTERING_S = 120


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

    def register_prompts(
        self, prompts: Sequence[Prompt], champions: Mapping[str, str] | None = None
    ) -> dict[str, int]:
        """Register prompts; how many new versions were made, by the prompt's name in MLflow.

        A prompt whose prompt_version is there makes no new version, also where several processes register at once. Of
        a task that MLflow does not know yet, the version that champions names by task gets the alias champion, else
        the first; later ones wait for a person.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses, or another process registers for long.
        """
        tasks = groupby(sorted(prompts, key=file_order), key=prompt_task)
        made: dict[str, int] = {}
        with self._client() as client, self._alone():
            from resources import mlflow_rows

            for task, versions in tasks:
                crowned = (champions or {}).get(task)
                folder = artifact_folder(self.home)
                if n := mlflow_rows.write_prompts(client, PREFIX + task, list(versions), crowned, folder):
                    made[PREFIX + task] = n
        return made

    def read_champions(self) -> Champions:
        """The champion of every model and prompt whose name starts with ``rejoinder-``.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        with self._client() as client:
            from resources import mlflow_rows

            return Champions(
                models=mlflow_rows.champion_models(client),
                prompts={
                    name.removeprefix(PREFIX): carried
                    for name, carried in mlflow_rows.prompt_aliases(client).items()
                },
            )

    def move_prompt_alias(self, task: str, alias: Alias, version: str | None) -> bool:
        """Give an alias of a task to the version of that prompt_version, or to none; whether MLflow knows it.

        Raises:
            ServiceUnavailable: MLflow's database cannot be reached or refuses.
        """
        with self._client() as client:
            from resources import mlflow_rows

            return mlflow_rows.move_alias(client, PREFIX + task, alias, version)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process registers meanwhile: MLflow itself would make two versions of one prompt."""
        with connect_plainly(self.url) as connection:
            connection.execute("select set_config('lock_timeout', %s, false)", (f"{REGISTERING_S}s",))
            try:
                connection.execute("select pg_advisory_lock(%s)", (REGISTERING_LOCK,))
            except psycopg.errors.LockNotAvailable:
                raise ServiceUnavailable("MLflow: another process has been registering prompts") from None
            yield

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
