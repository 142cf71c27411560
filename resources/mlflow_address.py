"""Where MLflow keeps its rows and files, and the command of its server.

What belongs here: addresses that never hold a password. MLflow prints its tracking URI in logs and errors and
the server takes it on its command line, which any local user can read; so the password goes into a file that
only its owner may read and the URI names that file (libpq's ``passfile``).
"""

import os
import sys
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url

from rejoinder.errors import ServiceUnavailable
from resources.provision import connect_admin

CONNECT_TIMEOUT_S = 10
STATEMENT_TIMEOUT_S = 120
PASSWORD_FILE = "pgpass"  # noqa: S105


def tracking_uri(url: str, home: Path) -> str:
    """MLflow's tracking URI: psycopg 3, time-outs, the password in a file under the home."""
    full = make_url(url)
    # No space in options: libpq and SQLAlchemy do not agree on how a URL writes one.
    query = {
        "connect_timeout": str(CONNECT_TIMEOUT_S),
        "options": f"-cstatement_timeout={STATEMENT_TIMEOUT_S}s",
    }
    if full.password:
        query["passfile"] = str(_write_password(full, home))
    bare = full.set(drivername="postgresql+psycopg")._replace(password=None)
    return bare.set(query={**query, **full.query}).render_as_string(hide_password=False)


def artifact_folder(home: Path) -> Path:
    """The folder of models and other files; made if it is not there."""
    folder = home.expanduser().resolve() / "mlflow" / "artifacts"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check_reachable(url: str) -> None:
    """Try the database once, so that MLflow's ten retries with doubling waits never start.

    Raises:
        ServiceUnavailable: it cannot be reached within ten seconds.
    """
    connect_plainly(url).close()


def connect_plainly(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """An autocommit connection to MLflow's database, past MLflow.

    Raises:
        ServiceUnavailable: it cannot be reached within ten seconds.
    """
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        return connect_admin(plain)
    except ServiceUnavailable as error:
        raise ServiceUnavailable(f"MLflow's database: {error}") from None


def server_command(url: str, home: Path, *, port: int, host: str = "127.0.0.1") -> list[str]:
    """The command line of MLflow's server, the window on what is tracked; no password is in it.

    Start it with `resources.settings.child_environment`, without which it starts job runners that stay behind.
    """
    arguments = {
        "--backend-store-uri": tracking_uri(url, home),
        "--artifacts-destination": artifact_folder(home).as_uri(),
        "--default-artifact-root": artifact_folder(home).as_uri(),
        "--host": host,
        "--port": str(port),
        "--workers": "1",
    }
    flags = [part for pair in arguments.items() for part in pair]
    return [sys.executable, "-m", "mlflow", "server", *flags, "--serve-artifacts"]


def _write_password(url: URL, home: Path) -> Path:
    path = home.expanduser().resolve() / "mlflow" / PASSWORD_FILE
    fields = ["*", "*", url.database or "*", url.username or "*", str(url.password)]
    line = ":".join(f.replace("\\", "\\\\").replace(":", "\\:") for f in fields) + "\n"
    if not path.exists() or path.read_text("utf-8") != line:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{PASSWORD_FILE}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(line, "utf-8")
        draft.replace(path)
    return path
