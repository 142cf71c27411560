"""MLflow on its own database: one run per data, prompts once, champions read back, no password shown."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
from sqlalchemy.engine import make_url

from rejoinder.errors import ServiceUnavailable
from rejoinder.prompts.loader import load_prompt, parse_prompt
from rejoinder.triage.classifier import Classifier, Metrics, dump, load, predict
from resources.embedded.cluster import Cluster
from resources.mlflow_address import server_command, tracking_uri
from resources.provision import connect_admin, prepare
from resources.settings import Settings, child_environment
from resources.tracking import Tracker
from resources.tracking_values import EvaluationRecord, TrainingRecord

METRICS = Metrics(0.9, 0.8, 0.5, 40, 10, "weak", "h1")
CLASSIFIER = Classifier((1, 2), (0.5, -2.0), 0.25, 3, 7, METRICS)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tracked")


@pytest.fixture(scope="module")
def tracker(cluster: Cluster, home: Path) -> Iterator[Tracker]:
    name = f"mlflow_test_{os.getpid()}"
    url = make_url(prepare(Settings(home=cluster.home)).mlflow)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" owner "{url.username}"')
    yield Tracker(url.set(database=name).render_as_string(hide_password=False), home)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')


def record(data_hash: str, standing: str = "champion") -> TrainingRecord:
    return TrainingRecord(
        model="rejoinder-relevance",
        data_hash=data_hash,
        coefficients=dump(CLASSIFIER),
        parameters={"seed": 7, "strength": 0.05},
        metrics={"held_out_average_precision": 0.8},
        tags={"labels_from": "weak"},
        standing=standing,  # type: ignore[arg-type]
        description="A test.",
    )


def mlflow_client(tracker: Tracker):  # type: ignore[no-untyped-def]
    from mlflow import MlflowClient

    uri = tracking_uri(tracker.url, tracker.home)
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def test_a_training_is_one_run_with_parameters_metrics_and_a_model(tracker: Tracker) -> None:
    first = tracker.record_training(record("h1"))
    assert tracker.record_training(record("h1")) == first
    client = mlflow_client(tracker)
    run = client.get_run(first.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "7", "strength": "0.05"}
    assert run.data.metrics == {"held_out_average_precision": 0.8}
    assert run.data.tags["data_hash"] == "h1" and run.data.tags["labels_from"] == "weak"
    version = client.get_model_version_by_alias("rejoinder-relevance", "champion")
    assert int(version.version) == first.version
    runs = client.search_runs([run.info.experiment_id], "tags.data_hash = 'h1'")
    assert [r.info.run_id for r in runs] == [first.run_id]


def test_the_model_in_mlflow_gives_the_same_probabilities(tracker: Tracker) -> None:
    tracker.record_training(record("h1"))
    from mlflow import pyfunc

    model = pyfunc.load_model(mlflow_client(tracker).get_model_version("rejoinder-relevance", "1").source)
    x = np.random.default_rng(1).normal(size=(20, 3)).astype(np.float32)
    assert model.predict(x) == pytest.approx(predict(CLASSIFIER, x), abs=1e-6)
    stored = next(tracker.home.rglob("coefficients.json"))
    assert load(stored.read_bytes()) == CLASSIFIER


def test_champions_are_what_people_named_in_mlflow(tracker: Tracker) -> None:
    first = tracker.record_training(record("h1"))
    second = tracker.record_training(record("h2", standing="challenger"))
    assert tracker.read_champions().models == {"rejoinder-relevance": first.run_id}
    mlflow_client(tracker).set_registered_model_alias("rejoinder-relevance", "champion", str(second.version))
    assert tracker.read_champions().models == {"rejoinder-relevance": second.run_id}


def test_prompts_are_registered_once_and_the_first_is_champion(tracker: Tracker) -> None:
    prompt = load_prompt("reply", 1)
    changed = replace(prompt, name="reply.v2", version="0123456789ab")
    assert tracker.register_prompts([prompt]) == {"rejoinder-reply": 1}
    assert tracker.register_prompts([changed, prompt]) == {"rejoinder-reply": 1}
    assert tracker.register_prompts([changed, prompt]) == {}
    assert tracker.read_champions().prompts == {"reply": {"champion": prompt.version}}
    client = mlflow_client(tracker)
    stored = client.get_prompt_version("rejoinder-reply", 1)
    assert [part["role"] for part in stored.template] == ["system", "user"]
    experiment = client.get_experiment_by_name("prompts")
    assert [p.name for p in client.search_prompts(f"experiment_id = '{experiment.experiment_id}'")] == [
        "rejoinder-reply"
    ]
    client.set_prompt_alias("rejoinder-reply", "champion", 2)
    assert tracker.read_champions().prompts == {"reply": {"champion": changed.version}}
    assert tracker.move_prompt_alias("reply", "challenger", prompt.version)
    assert not tracker.move_prompt_alias("reply", "challenger", "ffffffffffff")
    assert tracker.read_champions().prompts == {
        "reply": {"champion": changed.version, "challenger": prompt.version}
    }
    assert tracker.move_prompt_alias("reply", "challenger", None)
    assert tracker.read_champions().prompts == {"reply": {"champion": changed.version}}


def test_a_prompt_that_mlflow_forgot_comes_back_with_its_champion(tracker: Tracker) -> None:
    old = replace(load_prompt("reply", 1), name="again.v1", version="a" * 12)
    new = replace(old, name="again.v2", version="b" * 12)
    assert tracker.register_prompts([new, old], {"again": new.version}) == {"rejoinder-again": 2}
    assert tracker.read_champions().prompts["again"] == {"champion": new.version}
    assert mlflow_client(tracker).get_prompt_version("rejoinder-again", 1).tags["prompt_version"] == "a" * 12


REGISTER = """
import sys
from pathlib import Path
from rejoinder.prompts.loader import parse_prompt
from resources.tracking import Tracker, import_quietly
import_quietly()
print(flush=True)
sys.stdin.readline()
prompts = [parse_prompt("race.v1", b"---\\nreply: X\\nvariables: []\\n---\\n## system\\nSay hello.")]
print(Tracker(sys.argv[1], Path(sys.argv[2])).register_prompts(prompts))
"""


@pytest.mark.slow
def test_two_processes_that_register_at_once_make_one_version(tracker: Tracker) -> None:
    tracker.read_champions()  # MLflow's tables are made once before
    command = [sys.executable, "-W", "ignore", "-c", REGISTER, tracker.url, str(tracker.home)]
    racers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for racer in racers:
        assert racer.stdout is not None
        racer.stdout.readline()  # it has imported MLflow
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    said = [racer.communicate(timeout=300)[0] for racer in racers]
    assert sorted(line.strip() for line in said) == ["{'rejoinder-race': 1}", "{}"]
    assert len(mlflow_client(tracker).search_prompt_versions("rejoinder-race")) == 1


def test_a_prompt_of_one_section_is_a_text(tracker: Tracker) -> None:
    front = b"---\nreply: X\nvariables: []\n---\n## system\nSay hello."
    tracker.register_prompts([parse_prompt("hello.v1", front)])
    assert mlflow_client(tracker).get_prompt_version("rejoinder-hello", 1).template == "## system\nSay hello."


def test_no_password_in_addresses_logs_or_errors(
    tracker: Tracker, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    password = str(make_url(tracker.url).password)
    with caplog.at_level(logging.DEBUG):
        tracker.register_prompts([load_prompt("claims", 1)])
    wrong = make_url(tracker.url).set(password="s3cret-wrong").render_as_string(hide_password=False)
    with pytest.raises(ServiceUnavailable) as raised:
        Tracker(wrong, tracker.home).read_champions()
    shown = "\n".join([caplog.text, *capfd.readouterr(), str(raised.value), repr(tracker)])
    command = server_command(tracker.url, tracker.home, port=5001)
    assert password not in shown and "s3cret-wrong" not in shown
    assert not any(password in part for part in command)
    assert not any(password in value for value in os.environ.values())
    assert (tracker.home / "mlflow" / "pgpass").stat().st_mode & 0o777 == 0o600


def test_a_password_with_colons_and_backslashes_works(cluster: Cluster, tmp_path: Path) -> None:
    hard = r"a:b\c'd@e/f%g"
    base = make_url(prepare(Settings(home=cluster.home)).mlflow)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute("create role hard_to_quote login password 'a:b\\c''d@e/f%g'")
    url = base.set(username="hard_to_quote", password=hard, database="postgres")
    uri = tracking_uri(url.render_as_string(hide_password=False), tmp_path)
    with connect_admin(uri.replace("+psycopg", "")) as connection:
        row = connection.execute("select current_user, current_setting('statement_timeout')").fetchone()
    assert row == ("hard_to_quote", "2min")


def test_an_unreachable_database_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnavailable, match="MLflow's database"):
        Tracker("postgresql://nobody:pw@127.0.0.1:1/none", tmp_path).read_champions()


def test_importing_the_module_does_not_import_mlflow() -> None:
    code = "import sys, resources.tracking, resources.training, resources.warehouse; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"mlflow", "sklearn", "polars", "duckdb"} & set(out.stdout.split())


@pytest.mark.slow
def test_the_server_shows_what_was_tracked(tracker: Tracker, tmp_path: Path) -> None:
    run_id = tracker.record_training(record("h1")).run_id
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = server_command(tracker.url, tracker.home, port=port)
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=child_environment(), stdout=log, stderr=log, cwd=tmp_path, start_new_session=True
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        run = json.load(
            urlopen(f"http://127.0.0.1:{port}/api/2.0/mlflow/runs/get?run_id={run_id}", timeout=60)
        )
        assert run["run"]["data"]["metrics"][0]["value"] == 0.8
        model_id = run["run"]["outputs"]["model_outputs"][0]["model_id"]
        address = f"http://127.0.0.1:{port}/ajax-api/2.0/mlflow/logged-models/{model_id}/artifacts/files"
        stored = urlopen(f"{address}?artifact_file_path=data/coefficients.json", timeout=60).read()
        assert load(stored) == CLASSIFIER
    finally:
        os.killpg(server.pid, 15)
        server.wait(60)
    assert str(make_url(tracker.url).password) not in (tmp_path / "server.log").read_text()


def wait_for(address: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        assert server.poll() is None, "the server ended"
        try:
            urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("the server did not come up")


def test_an_evaluation_is_a_run_of_its_experiment_with_its_report(tracker: Tracker) -> None:
    record = EvaluationRecord(
        experiment="retrieval",
        name="tiny-test",
        parameters={"embedder": "test::words", "retrieval.candidates": 50},
        metrics={"engine_fused.ndcg_at_10": 0.75},
        tags={"benchmark": "tiny"},
        report=b'{"benchmark": "tiny"}',
    )
    run_id = tracker.record_evaluation(record)
    with tracker._client() as client:
        run = client.get_run(run_id)
        assert run.info.status == "FINISHED"
        assert run.data.metrics == {"engine_fused.ndcg_at_10": 0.75}
        assert run.data.params["retrieval.candidates"] == "50"
        assert client.get_experiment(run.info.experiment_id).name == "retrieval"
        assert [file.path for file in client.list_artifacts(run_id)] == ["report.json"]
