"""Dagster's instance on the embedded PostgreSQL: runs are stored and read back, and no password shows."""

import json
import sys
from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.storage.tags import GRPC_INFO_TAG
from dagster._core.test_utils import create_run_for_test
from sqlalchemy.engine import make_url

from resources.dagster_home import open_instance, write_instance_file
from resources.dagster_runs import REASON, end_orphaned_runs
from resources.embedded.cluster import Cluster
from resources.provision import Addresses, connect_admin
from resources.settings import Settings, child_environment, use_home


@dg.asset
def posts() -> dg.MaterializeResult[None]:
    """One row per post."""
    return dg.MaterializeResult(metadata={"dagster/row_count": 3})


@pytest.fixture
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return use_home(tmp_path_factory.mktemp("dagster-home"))


@pytest.fixture
def instance(settings: Settings, addresses: Addresses) -> Iterator[dg.DagsterInstance]:
    with open_instance(settings, addresses) as opened:
        yield opened


def test_a_materialization_is_stored_and_read_back(
    instance: dg.DagsterInstance, settings: Settings, addresses: Addresses
) -> None:
    result = dg.materialize([posts], instance=instance)
    assert result.success
    with open_instance(settings, addresses) as again:
        run = again.get_run_by_id(result.run_id)
        event = again.get_latest_materialization_event(dg.AssetKey("posts"))
    assert run is not None
    assert run.status is dg.DagsterRunStatus.SUCCESS
    assert event is not None
    assert event.run_id == result.run_id
    assert event.asset_materialization is not None
    assert event.asset_materialization.metadata["dagster/row_count"].value == 3


def test_it_does_not_connect_for_every_event(
    instance: dg.DagsterInstance, addresses: Addresses, cluster: Cluster
) -> None:
    def connections() -> list[tuple[object, ...]]:
        with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
            name = make_url(addresses.dagster).database
            statement = "select pid from pg_stat_activity where datname = %s order by 1"
            return admin.execute(statement, (name,)).fetchall()

    assert dg.materialize([posts], instance=instance).success
    kept = connections()
    assert dg.materialize([posts], instance=instance).success
    assert set(kept) & set(connections())


def test_it_is_the_instance_that_was_asked_for(instance: dg.DagsterInstance, settings: Settings) -> None:
    assert type(instance.run_storage).__name__ == "PostgresRunStorage"
    assert type(instance.event_log_storage).__name__ == "PostgresEventLogStorage"
    assert type(instance.schedule_storage).__name__ == "PostgresScheduleStorage"
    assert type(instance.run_coordinator).__name__ == "QueuedRunCoordinator"
    assert instance.run_monitoring_enabled
    assert not instance.telemetry_enabled
    assert instance.root_directory == str(settings.home_dir / "dagster")
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 2


def test_no_password_in_the_file_or_in_what_children_get_as_arguments(
    instance: dg.DagsterInstance, settings: Settings, cluster: Cluster
) -> None:
    shown = [json.dumps(instance.get_ref().to_dict()), write_instance_file(settings).read_text()]
    for text in shown:
        assert "REJOINDER_DAGSTER_STORAGE_URL" in text
        assert not any(password in text for password in cluster.passwords.values())
    assert "psycopg2" in child_environment()["REJOINDER_DAGSTER_STORAGE_URL"]


def test_the_file_is_written_only_when_it_differs(settings: Settings) -> None:
    path = write_instance_file(settings)
    before = path.stat().st_ino
    assert write_instance_file(settings).stat().st_ino == before
    path.write_text("telemetry: {enabled: true}\n")
    write_instance_file(settings)
    assert "enabled: true}" not in path.read_text().splitlines()[4]


def test_runs_that_a_crash_cut_off_are_ended_and_no_others(instance: dg.DagsterInstance) -> None:
    status = dg.DagsterRunStatus
    launched = {GRPC_INFO_TAG: json.dumps({"host": "127.0.0.1", "port": 4266})}
    cut_off = create_run_for_test(instance, status=status.STARTED, tags=launched)
    by_command = create_run_for_test(instance, status=status.STARTED)
    waiting = create_run_for_test(instance, status=status.NOT_STARTED)
    finished = create_run_for_test(instance, status=status.SUCCESS, tags=launched)
    assert end_orphaned_runs(instance) == 1
    after = {run.run_id: run.status for run in instance.get_runs()}
    assert after[cut_off.run_id] is status.FAILURE
    assert after[by_command.run_id] is status.STARTED
    assert after[waiting.run_id] is status.NOT_STARTED
    assert after[finished.run_id] is status.SUCCESS
    assert any(REASON in entry.to_json() for entry in instance.all_logs(cut_off.run_id))
    assert end_orphaned_runs(instance) == 0
    instance.report_run_failed(by_command)


def test_the_library_is_not_loaded_before_it_is_needed() -> None:
    import subprocess

    names = "resources.dagster_home, resources.services, resources.installation, cli.up, sys"
    heavy = "{'dagster', 'mlflow', 'streamlit', 'sklearn', 'polars'}"
    program = f"import {names}; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
