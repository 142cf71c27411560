"""The calls on an MLflow client: experiments, runs, registered models, prompts.

What belongs here: MLflow's own words. Imported by tracking.py inside functions, because it imports MLflow.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml  # type: ignore[import-untyped]
from mlflow import MlflowClient, pyfunc
from mlflow.entities import LoggedModel, LoggedModelOutput, Metric, Param
from mlflow.entities.model_registry import ModelVersion, PromptVersion
from mlflow.exceptions import MlflowException

from rejoinder.errors import ConfigInvalid
from rejoinder.prompts.aliases import ALIASES, Alias
from rejoinder.prompts.loader import Prompt
from resources.tracking_values import CHAMPION, PREFIX, EvaluationRecord, TrainingRecord

EXPERIMENTS = Path(__file__).resolve().parents[1] / "mlflow" / "experiments.yaml"
MODEL_CODE = Path(__file__).with_name("tracked_relevance_model.py")
TRAINING_EXPERIMENT = "triage-relevance"
PROMPT_EXPERIMENT = "prompts"
NOTE_TAG = "mlflow.note.content"
PROMPT_EXPERIMENTS_TAG = "_mlflow_experiment_ids"
LINKING_TIMEOUT_S = 30
# Prompts, or versions of one, that are read: as many as MLflow gives at once.
VERSIONS_READ = 1000


def experiment_descriptions() -> dict[str, str]:
    """Description of each experiment by name, out of mlflow/experiments.yaml.

    Raises:
        ConfigInvalid: the file is missing or is not a list of names and descriptions.
    """
    try:
        rows = yaml.safe_load(EXPERIMENTS.read_text("utf-8"))["experiments"]
        return {str(row["name"]): str(row["description"]).strip() for row in rows}
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ConfigInvalid(f"mlflow/experiments.yaml cannot be used: {error}") from None


def ensure_experiment(client: MlflowClient, name: str, artifacts: Path) -> str:
    """Id of the experiment of that name: made, or restored where a person deleted it."""
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            note = {NOTE_TAG: experiment_descriptions()[name]}
            return str(client.create_experiment(name, (artifacts / name).as_uri(), tags=note))
        except MlflowException as error:
            found = client.get_experiment_by_name(name)  # another process made it in between
            if found is None:
                raise error
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def find_version(client: MlflowClient, record: TrainingRecord) -> ModelVersion | None:
    """The version of the registered model that was trained on the same data, if there is one."""
    wanted = f"name = '{record.model}' and tags.data_hash = '{record.data_hash}'"
    return next(iter(client.search_model_versions(wanted)), None)


def write_training(client: MlflowClient, record: TrainingRecord, artifacts: Path) -> ModelVersion:
    """A finished run with parameters, metrics and model; a run that breaks off is marked failed."""
    experiment_id = ensure_experiment(client, TRAINING_EXPERIMENT, artifacts)
    tags = {**record.tags, "data_hash": record.data_hash, "first_standing": record.standing}
    run_id = client.create_run(experiment_id, tags={**tags, NOTE_TAG: record.description}).info.run_id
    parameters = {name: str(value) for name, value in record.parameters.items()}
    try:
        logged = client.create_logged_model(experiment_id, record.model, run_id, tags, parameters)
        client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, step=0)])
        client.log_batch(
            run_id,
            metrics=[_metric(name, value, logged) for name, value in record.metrics.items()],
            params=[Param(name, value) for name, value in parameters.items()],
        )
        version = _register(client, record, logged, tags)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)
    return version


def write_evaluation(client: MlflowClient, record: EvaluationRecord, artifacts: Path) -> str:
    """A finished run with parameters, metrics and the report as a file; one that breaks off is marked failed."""
    experiment_id = ensure_experiment(client, record.experiment, artifacts)
    run_id = str(client.create_run(experiment_id, tags=dict(record.tags), run_name=record.name).info.run_id)
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    try:
        client.log_batch(
            run_id,
            metrics=[Metric(name, value, now_ms, step=0) for name, value in record.metrics.items()],
            params=[Param(name, str(value)) for name, value in record.parameters.items()],
        )
        with TemporaryDirectory() as folder:
            stored = Path(folder) / "report.json"
            stored.write_bytes(record.report)
            client.log_artifact(run_id, str(stored))
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id)
    return run_id


def _metric(name: str, value: float, logged: LoggedModel) -> Metric:
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return Metric(name, value, now_ms, step=0, model_id=logged.model_id, run_id=logged.source_run_id)


def _register(
    client: MlflowClient, record: TrainingRecord, logged: LoggedModel, tags: dict[str, str]
) -> ModelVersion:
    with TemporaryDirectory() as folder:
        client.log_model_artifacts(logged.model_id, str(_save_model(Path(folder), record.coefficients)))
    client.finalize_logged_model(logged.model_id, "READY")
    try:
        client.create_registered_model(record.model, description="Does a post concern the corpus?")
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    return client.create_model_version(
        record.model,
        logged.artifact_location,
        logged.source_run_id,
        tags=tags,
        description=record.description,
        model_id=logged.model_id,
    )


def _save_model(folder: Path, coefficients: bytes) -> Path:
    stored = folder / "coefficients.json"
    stored.write_bytes(coefficients)
    pyfunc.save_model(
        str(folder / "model"),
        loader_module=MODEL_CODE.stem,
        data_path=str(stored),
        code_paths=[str(MODEL_CODE)],
        pip_requirements=["mlflow", "numpy"],  # guessing them would take longer than the training
    )
    return folder / "model"


def write_prompts(
    client: MlflowClient, name: str, prompts: Sequence[Prompt], champion: str | None, artifacts: Path
) -> int:
    """Register versions of one prompt that are not there yet, in this order; how many.

    Where there was none at all, champion (a prompt_version) gets the alias, or the first where it is None.
    """
    known = prompt_numbers(client, name)
    fresh = [prompt for prompt in prompts if prompt.version not in known]
    made = {prompt.version: _write_prompt(client, name, prompt, artifacts) for prompt in fresh}
    if made and not known:
        client.set_prompt_alias(name, CHAMPION, made.get(champion or "", next(iter(made.values()))))
    return len(made)


def prompt_numbers(client: MlflowClient, name: str) -> dict[str, int]:
    """MLflow's number of each version of a prompt by its prompt_version; one made by hand there has none."""
    if client.get_prompt(name) is None:
        return {}
    found = client.search_prompt_versions(name, max_results=VERSIONS_READ)
    return {
        v.tags["prompt_version"]: int(v.version)
        for v in sorted(found, key=lambda v: int(v.version), reverse=True)
        if "prompt_version" in v.tags
    }


def _write_prompt(client: MlflowClient, name: str, prompt: Prompt, artifacts: Path) -> int:
    experiment_id = ensure_experiment(client, PROMPT_EXPERIMENT, artifacts)
    tags = {
        "prompt_version": prompt.version,
        "file": f"{prompt.name}.md",
        "demonstrations": str(len(prompt.demos)),
    }
    made = client.register_prompt(name, _template(prompt), commit_message=prompt.name, tags=tags)
    _wait_for_linking()
    client.set_prompt_tag(name, PROMPT_EXPERIMENTS_TAG, f",{experiment_id},")
    return int(made.version)


def _wait_for_linking() -> None:
    # MLflow links a new prompt to its default experiment on a thread; our own link has to come after it.
    for thread in threading.enumerate():
        if thread.name.startswith("link_prompt_to_experiment"):
            thread.join(LINKING_TIMEOUT_S)


def _template(prompt: Prompt) -> str | list[dict[str, str]]:
    if {role for role, _ in prompt.sections} == {"system", "user"}:
        return [{"role": role, "content": text} for role, text in prompt.sections]
    return "\n".join(f"## {name}\n{text}" for name, text in prompt.sections)


def champion_models(client: MlflowClient) -> dict[str, str]:
    """Run id of the champion of each of our registered models."""
    ours = [m for m in client.search_registered_models(max_results=1000) if m.name.startswith(PREFIX)]
    return {
        m.name: str(client.get_model_version(m.name, str(m.aliases[CHAMPION])).run_id)
        for m in ours
        if CHAMPION in m.aliases
    }


def prompt_aliases(client: MlflowClient) -> dict[str, dict[Alias, str | None]]:
    """Who carries the aliases of each of our prompts, by its name and the alias.

    An alias that nobody carries is missing. None is a version that has no prompt_version: somebody made it in MLflow.
    """
    names = [p.name for p in client.search_prompts(max_results=VERSIONS_READ) if p.name.startswith(PREFIX)]
    return {name: _aliases_of(client, name) for name in names}


def _aliases_of(client: MlflowClient, name: str) -> dict[Alias, str | None]:
    found: dict[Alias, PromptVersion | None] = {
        alias: client.load_prompt(f"prompts:/{name}@{alias}", allow_missing=True, cache_ttl_seconds=0)
        for alias in ALIASES
    }
    return {alias: v.tags.get("prompt_version") for alias, v in found.items() if v is not None}


def move_alias(client: MlflowClient, name: str, alias: Alias, version: str | None) -> bool:
    """Give an alias to the version of that prompt_version, or take it away; whether there is such a version."""
    if version is None:
        client.delete_prompt_alias(name, alias)
        return True
    number = prompt_numbers(client, name).get(version)
    if number is not None:
        client.set_prompt_alias(name, alias, number)
    return number is not None
