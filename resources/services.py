"""The processes that one installation runs, as values for the supervisor: arguments, ports, probes, order."""

import socket
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from resources.dagster_home import dagster_environment, write_instance_file, write_workspace_file
from resources.mlflow_address import server_command
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.store.channels import enabled_channels
from resources.supervisor.specs import ChildSpec, HttpProbe, PortClaim, TcpProbe

HOST = "127.0.0.1"
SANDBOX_PORT = 8600
ANSWER_TIMEOUT_S = 2.0
REPOSITORY = Path(__file__).resolve().parents[1]
# What the installed command runs, without relying on where it was installed.
COMMAND = (sys.executable, "-c", "from cli.app import main; main()")
RUNS_QUERY = "{runsOrError(limit:1){__typename}}"
DAEMON_QUERY = "{instance{daemonHealth{daemonStatus(daemonType:\"SENSOR\"){healthy}}}}"  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ports:
    """The loopback ports of one installation; sandbox 0 means that its channels name it, else 8600."""

    dagster: int = 3000
    review: int = 8501
    mlflow: int = 5000
    code: int = 4266
    sandbox: int = 0
    api: int = 8700


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person chose to run; code_root is the folder that holds jobs/ and review_app/."""

    ports: Ports = Ports()
    has_mlflow: bool = True
    has_sandbox: bool = False
    has_publisher: bool = False
    has_api: bool = True
    code_root: Path = REPOSITORY


def sandbox_port(db: Database) -> int | None:
    """The port at which an enabled sandbox channel expects the sandbox; None without such a channel."""
    with db.transaction() as tx:
        ports = [port_of(channel.base_url) for channel in enabled_channels(tx) if channel.is_sandbox]
    return next((port for port in ports if port), None)


def move_sandbox_channels(db: Database, port: int) -> int:
    """Make every sandbox channel expect the sandbox at this port; how many there are."""
    with db.transaction() as tx:
        return tx.execute("move_sandbox_channels", base_url=f"http://{HOST}:{port}")


def port_of(address: str | None) -> int | None:
    """The port that an address names, if any.

    >>> port_of("http://127.0.0.1:8600"), port_of(None)
    (8600, None)
    """
    return urlsplit(address or "").port


def answers(port: int) -> bool:
    """Whether something listens on the port of the loopback address."""
    try:
        socket.create_connection((HOST, port), timeout=ANSWER_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def sandbox_arguments(
    settings: Settings,
    port: int,
    *,
    state: Path | None = None,
    posts: Path | None = None,
    account: str | None = None,
) -> list[str]:
    """What the sandbox of a home is started with, whoever starts it; its state is in the home by default."""
    arguments = ["--state", str(state or settings.home_dir / "sandbox.sqlite"), "--port", str(port)]
    arguments += ["--posts", str(posts)] if posts else []
    return arguments + (["--account", account] if account else [])


def port_claims(choice: Choice) -> list[PortClaim]:
    """The ports that the chosen processes will listen on."""
    ports = choice.ports
    claims = [
        PortClaim(ports.dagster, "the Dagster web page", "--dagster-port"),
        PortClaim(ports.code, "Dagster's code server", "--code-port"),
        PortClaim(ports.review, "the review app", "--review-port"),
    ]
    if choice.has_mlflow:
        claims.append(
            PortClaim(ports.mlflow, "the MLflow server", "--mlflow-port (or leave it out: --no-mlflow)")
        )
    if choice.has_api:
        claims.append(PortClaim(ports.api, "the API", "--api-port (or leave it out: --no-api)"))
    if choice.has_sandbox:
        claims.append(PortClaim(ports.sandbox, "the sandbox", "--sandbox-port"))
    return claims


def build_services(settings: Settings, addresses: Addresses, choice: Choice) -> list[ChildSpec]:
    """The children to run, with the files they read written."""
    write_instance_file(settings)
    services = [*_dagster(settings, addresses, choice), _review(choice)]
    if choice.has_mlflow:
        services.append(_mlflow(settings, addresses, choice.ports.mlflow))
    if choice.has_api:
        services.append(_api(choice.ports.api))
    if choice.has_sandbox:
        services.append(_sandbox(settings, choice.ports.sandbox))
    if choice.has_publisher:
        needs = ("sandbox",) if choice.has_sandbox else ()
        services.append(ChildSpec("publisher", (*COMMAND, "publish", "--loop"), needs=needs))
    return services


def search_path(choice: Choice, already: str = "") -> str:
    """PYTHONPATH of the children: they run wherever the command was given, so that .env means the same file."""
    parts = [str(choice.code_root), str(REPOSITORY), *already.split(":")]
    return ":".join(dict.fromkeys(part for part in parts if part))


def _python(*arguments: str | int | Path) -> tuple[str, ...]:
    return (sys.executable, "-m", *map(str, arguments))


def _dagster(settings: Settings, addresses: Addresses, choice: Choice) -> list[ChildSpec]:
    env, ports, root = dagster_environment(settings, addresses), choice.ports, choice.code_root
    workspace = write_workspace_file(settings, ports.code)
    code = _python(
        "dagster", "code-server", "start", "-h", HOST, "-p", ports.code, "-m", "jobs.definitions", "-d", root,
        "--log-level", "warning",
    )  # fmt: skip
    page = _python("dagster_webserver", "-w", workspace, "-h", HOST, "-p", ports.dagster)
    needs = ("dagster-storage", "dagster-code")
    return [
        ChildSpec("dagster-storage", _python("resources.dagster_runs"), env=env, is_one_shot=True),
        ChildSpec("dagster-code", code, f"{HOST}:{ports.code}", env, TcpProbe(ports.code)),
        ChildSpec(
            "dagster-daemon",
            _python("dagster._daemon", "run", "-w", workspace),
            env=env,
            probe=_graphql(ports.dagster, DAEMON_QUERY, '"healthy":true'),
            needs=needs,
        ),
        ChildSpec(
            "dagster",
            page,
            f"http://{HOST}:{ports.dagster}",
            env,
            _graphql(ports.dagster, RUNS_QUERY, '"Runs"'),
            needs,
        ),
    ]


def _graphql(port: int, query: str, contains: str) -> HttpProbe:
    """A question that the web server can answer only out of its storage; its plain pages answer without."""
    return HttpProbe(port, f"/graphql?query={quote(query)}", contains)


def _review(choice: Choice) -> ChildSpec:
    port = choice.ports.review
    argv = _python(
        "streamlit", "run", choice.code_root / "review_app" / "app.py", "--server.port", port,
        "--server.address", HOST, "--server.headless", "true",
    )  # fmt: skip
    look = streamlit_environment(REPOSITORY / ".streamlit" / "config.toml")
    return ChildSpec("review", argv, f"http://{HOST}:{port}", look, HttpProbe(port, "/_stcore/health"))


def streamlit_environment(config: Path) -> dict[str, str]:
    """The options of a Streamlit file as variables: Streamlit looks for the file only where it was started."""
    if not config.exists():
        return {}
    return dict(_flatten("STREAMLIT", tomllib.loads(config.read_text("utf-8"))))


def _flatten(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key, value in table.items():
        name = f"{prefix}_{_snake(key)}"
        if isinstance(value, dict):
            found += _flatten(name, value)
        else:
            found.append((name, str(value).lower() if isinstance(value, bool) else str(value)))
    return found


def _snake(key: str) -> str:
    """CamelCase to upper snake case.

    >>> _snake("gatherUsageStats")
    'GATHER_USAGE_STATS'
    """
    return "".join(f"_{c}" if c.isupper() else c.upper() for c in key)


def _mlflow(settings: Settings, addresses: Addresses, port: int) -> ChildSpec:
    argv = tuple(server_command(addresses.mlflow, settings.home_dir, port=port, host=HOST))
    return ChildSpec("mlflow", argv, f"http://{HOST}:{port}", probe=HttpProbe(port, "/health"))


def _api(port: int) -> ChildSpec:
    argv = (*COMMAND, "api", "serve", "--host", HOST, "--port", str(port))
    return ChildSpec("api", argv, f"http://{HOST}:{port}", probe=HttpProbe(port, "/ready"))


def _sandbox(settings: Settings, port: int) -> ChildSpec:
    argv = _python("resources.sandbox", *sandbox_arguments(settings, port))
    return ChildSpec("sandbox", argv, f"http://{HOST}:{port}", probe=TcpProbe(port))
