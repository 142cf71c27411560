"""A run on golden cases is kept in MLflow: experiment of its task, parameters, figures with intervals, every case."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.evaluation.golden import load_cases
from resources.provision import Addresses
from resources.settings import load_settings
from resources.tracking import Tracker


def test_a_run_is_kept_with_every_case(
    addresses: Addresses, environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(build_app(), ["eval", "claims", "--split", "held_out", "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    tracker = Tracker(addresses.mlflow, load_settings().home_dir)
    with tracker._client() as client:
        run = client.get_run(report["mlflow_run_id"])
        (stored,) = client.list_artifacts(run.info.run_id)
        kept = json.loads(Path(client.download_artifacts(run.info.run_id, stored.path)).read_text("utf-8"))
        assert client.get_experiment(run.info.experiment_id).name == "golden-claims"
    assert (run.info.status, stored.path) == ("FINISHED", "report.json")
    n = len(load_cases("claims", split="held_out"))
    assert run.data.params["model"] == "local::extractive"
    assert (run.data.params["split"], run.data.params["n"]) == ("held_out", str(n))
    assert run.data.metrics["score"] == pytest.approx(report["totals"]["score"]["mean"])
    assert run.data.metrics["gain.low"] == 0.0
    assert kept["cases"] == report["cases"]
