"""`up` for real: Dagster answers GraphQL out of PostgreSQL, the review page is served, `down` ends it all."""

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from resources.embedded.cluster import Cluster, is_running, open_cluster
from resources.installation import stop_installation
from resources.provision import connect_admin, prepare
from resources.settings import child_environment, load_settings, use_home
from resources.supervisor.record import read_record, stop_running

DEFINITIONS = """
import dagster as dg

@dg.asset
def posts() -> None:
    pass

defs = dg.Definitions(assets=[posts], executor=dg.in_process_executor)
"""
PAGE = "import streamlit as st\nst.title('Rejoinder')\n"
UP = """
import sys
from pathlib import Path
from cli.output import reporting
from cli.up import bring_up
from resources.services import Choice, Ports
dagster, review, mlflow, code, api = map(int, sys.argv[2:])
with reporting(as_json=True):
    choice = Choice(Ports(dagster, review, mlflow, code, api=api), has_mlflow=False, code_root=Path(sys.argv[1]))
    bring_up(choice, wants_sandbox=False, as_json=True)
"""
ASSETS = "{repositoriesOrError{... on RepositoryConnection{nodes{assetNodes{assetKey{path}}}}}}"


def free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


@pytest.fixture
def code_root(tmp_path: Path) -> Path:
    """A folder with the same entry points as the repository, and little in them."""
    for name, text in {
        "jobs/__init__.py": "",
        "jobs/definitions.py": DEFINITIONS,
        "review_app/app.py": PAGE,
    }.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "code"


@pytest.fixture
def own_cluster(home_factory: Callable[[], Path]) -> Cluster:
    """A PostgreSQL for this test alone: it is stopped."""
    settings = use_home(home_factory())
    prepare(settings)
    return open_cluster(settings.home_dir, settings.system_data)


@pytest.fixture
def up(own_cluster: Cluster, code_root: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """`up` on free ports, in a folder that is not the repository."""
    use_home(own_cluster.home)
    arguments = [str(code_root), *map(str, free_ports(5))]
    env = {**child_environment(), "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-c", UP, *arguments],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield process
        stop_running(own_cluster.home)
        process.kill()


def get(address: str, path: str) -> str:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", path)
    body = connection.getresponse().read().decode()
    connection.close()
    return body


@pytest.mark.slow
def test_up_serves_dagster_and_the_review_page_until_down(
    up: "subprocess.Popen[str]", own_cluster: Cluster
) -> None:
    assert up.stdout
    assert up.stderr
    line = up.stdout.readline()
    assert line, up.stderr.read()
    told = json.loads(line)
    assert told["ok"], told
    assert told["pid"] == up.pid
    query = ASSETS.replace(" ", "%20")
    assert '"path":["posts"]' in get(told["addresses"]["dagster"], f"/graphql?query={query}").replace(" ", "")
    assert "<title>" in get(told["addresses"]["review"], "/")
    assert json.loads(get(told["addresses"]["api"], "/ready"))["status"] == "ok"
    processes = psutil.Process(up.pid).children(recursive=True)
    shown = [" ".join(process.cmdline()) for process in processes]
    assert any("code-server" in arguments for arguments in shown)
    assert not any(
        password in arguments for arguments in shown for password in own_cluster.passwords.values()
    )
    assert read_record(own_cluster.home) is not None
    with connect_admin(own_cluster.url("owner", "rejoinder_owner", "rejoinder")) as other_command:
        assert stop_running(own_cluster.home) is True
        assert other_command.execute("select 1").fetchone() == (1,)  # not taken from under its feet
    assert up.wait(timeout=120) == 0
    assert psutil.wait_procs(processes, timeout=60)[1] == []
    stopped = stop_installation(load_settings())
    assert (stopped.had_processes, stopped.had_postgres) == (False, True)
    assert not is_running(own_cluster.places)


def test_a_taken_port_stops_it_before_anything_starts(tmp_path: Path) -> None:
    home = tmp_path / "home"
    use_home(home)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "cli.app", "up", "--dagster-port", str(port)],
            cwd=Path(__file__).parents[2], env=child_environment(), capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert done.returncode == 2
    assert f"Port {port}" in done.stderr
    assert "--dagster-port" in done.stderr
    assert not (home / "postgres").exists()
    assert not (home / "logs").exists()
