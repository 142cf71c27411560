"""Dagster's home: its instance file, its storage on PostgreSQL, and the workspace its processes share.

The storage URL holds a password. It travels in the environment only: the instance file names the variable,
and Dagster hands that file's contents, not the URL, to its child processes on their command lines.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import make_url

from resources.provision import Addresses
from resources.settings import Settings, export_for_children

if TYPE_CHECKING:
    from dagster import DagsterInstance

STORAGE_VARIABLE = "REJOINDER_DAGSTER_STORAGE_URL"
LOCATION_NAME = "rejoinder"
HOST = "127.0.0.1"
# A run that its process could not end (power cut, kill -9 of everything) may hold a slot this long.
LONGEST_RUN_S = 6 * 3600

# Of Dagster's storages: of a statement; of a connection, which is then made anew; of connections beside the one kept.
STATEMENT_TIMEOUT_MS, RECYCLE_S, MAX_OVERFLOW = 60_000, 600, 20

INSTANCE_FILE = """\
# Written by Rejoinder on each start; changes are lost.
storage:
  postgres:
    postgres_url: {{env: {variable}}}
telemetry: {{enabled: false}}
nux: {{enabled: false}}
run_coordinator:
  module: dagster.core.run_coordinator
  class: QueuedRunCoordinator
  config: {{dequeue_interval_seconds: 1}}
concurrency:
  runs: {{max_concurrent_runs: 2}}
run_monitoring:
  enabled: true
  start_timeout_seconds: 180
  cancel_timeout_seconds: 180
  max_runtime_seconds: {longest_run_s}
  poll_interval_seconds: 30
retention:
  schedule: {{purge_after_days: 30}}
  sensor: {{purge_after_days: {{skipped: 1, failure: 14, success: 30, started: 14}}}}
local_artifact_storage:
  module: dagster.core.storage.root
  class: LocalArtifactStorage
  config: {{base_dir: {artifacts}}}
compute_logs:
  module: dagster.core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config: {{base_dir: {logs}}}
"""
WORKSPACE_FILE = """\
# Written by Rejoinder on each start; changes are lost.
load_from:
  - grpc_server: {{host: {host}, port: {port}, location_name: {location}}}
"""


def dagster_home(settings: Settings) -> Path:
    """The folder that DAGSTER_HOME names."""
    return settings.home_dir / "dagster"


def storage_url(url: str) -> str:
    """The URL for Dagster: with psycopg2, since SQLAlchemy's default driver breaks Dagster's web server.

    >>> storage_url("postgresql://me@/db?host=/run")
    'postgresql+psycopg2://me@/db?host=%2Frun'
    """
    return make_url(url).set(drivername="postgresql+psycopg2").render_as_string(hide_password=False)


def write_instance_file(settings: Settings) -> Path:
    """Write ``<home>/dagster/dagster.yaml`` if it is not as it should be; its path."""
    folder = dagster_home(settings)
    # JSON strings are YAML too, whatever characters a path has
    text = INSTANCE_FILE.format(
        variable=STORAGE_VARIABLE,
        longest_run_s=LONGEST_RUN_S,
        artifacts=json.dumps(str(folder)),
        logs=json.dumps(str(folder / "compute_logs")),
    )
    return _write_if_different(folder / "dagster.yaml", text)


def write_workspace_file(settings: Settings, code_port: int) -> Path:
    """Write the workspace that daemon and web server share: one code server on loopback; its path."""
    text = WORKSPACE_FILE.format(host=HOST, port=code_port, location=LOCATION_NAME)
    return _write_if_different(dagster_home(settings) / "workspace.yaml", text)


def dagster_environment(settings: Settings, addresses: Addresses) -> dict[str, str]:
    """The variables that make a process use this home's instance; one of them is secret."""
    return {
        "DAGSTER_HOME": str(dagster_home(settings)),
        STORAGE_VARIABLE: storage_url(addresses.dagster),
    }


def export_dagster_home(settings: Settings, addresses: Addresses) -> None:
    """Make this process and its children use this home's instance."""
    write_instance_file(settings)
    export_for_children(dagster_environment(settings, addresses))


def open_instance(settings: Settings, addresses: Addresses) -> DagsterInstance:
    """This home's Dagster instance; close it with ``with`` or ``dispose()``.

    The first use of a database makes Dagster's tables in it. Each of its three storages keeps a connection: a run
    writes hundreds of events, and connecting for each would take longer than writing it.
    """
    export_dagster_home(settings, addresses)
    from dagster import DagsterInstance

    instance = DagsterInstance.get()
    instance.optimize_for_webserver(
        statement_timeout=STATEMENT_TIMEOUT_MS, pool_recycle=RECYCLE_S, max_overflow=MAX_OVERFLOW
    )
    return instance


def _write_if_different(path: Path, text: str) -> Path:
    if not path.exists() or path.read_text("utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        partial.write_text(text, "utf-8")
        partial.replace(path)
    return path
