"""PostgreSQL killed in mid-run, and a full disk: a clear message, nothing lost, the next run does the rest."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.embedded.cluster import stop_cluster
from resources.embedded.places import find_places
from resources.settings import Settings

SAMPLES = Path(__file__).resolve().parents[2] / "resources" / "samples"


def copy_episodes(home: Path) -> None:
    inbox = home / "inbox"
    inbox.mkdir(parents=True, exist_ok=True)
    for episode in (SAMPLES / "episodes").iterdir():
        (inbox / episode.name).write_bytes(episode.read_bytes())


def kill_postgres(home: Path) -> None:
    data = find_places(home, Settings().system_data).data
    os.kill(int((data / "postmaster.pid").read_text().splitlines()[0]), signal.SIGKILL)


@pytest.mark.slow
def test_postgres_killed_in_mid_run(installation: Any, until_it_works: Callable[..., None]) -> None:
    copy_episodes(installation.home)
    installation.run("init")
    process = installation.start("run", "corpus")
    until_it_works(process, installation.home)
    assert process.poll() is None
    kill_postgres(installation.home)
    _, errors = process.communicate(timeout=600)
    assert process.returncode == 5, errors
    assert "PostgreSQL" in errors and "Traceback" not in errors
    installation.run("run", "corpus")
    counts = installation.json("status")["counts"]
    assert (counts["sources_ready"], counts["chunks"], counts["chunk_embeddings"]) == (3, 34, 34)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 200 MiB, where this machine lets us make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    yield place
    stop_cluster(place / "home", Settings().system_data)
    subprocess.run(["umount", "-l", str(place)], check=False)


@pytest.mark.slow
def test_a_full_disk(installation: Any, small_disk: Path, home_factory: Callable[[], Path]) -> None:
    crowded = type(installation)(small_disk / "home")
    crowded.run("init")
    copy_episodes(crowded.home)
    filler = small_disk / "filler"
    fill(filler)
    process = crowded.start("run", "corpus")
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 5, (output, errors)
    assert "Traceback" not in errors
    filler.unlink()
    crowded.run("run", "corpus")
    assert crowded.json("status")["counts"]["sources_ready"] == 3


def fill(path: Path) -> None:
    with path.open("wb") as file:
        try:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        except OSError:
            pass


def test_a_port_in_use_is_named(installation: Any) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = installation.start("up", "--dagster-port", str(port))
        _, errors = process.communicate(timeout=600)
    assert process.returncode != 0
    assert str(port) in errors and "--dagster-port" in errors and "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("after_s", [0.0, 0.5, 1.5])
def test_a_stop_is_no_crash(installation: Any, after_s: float, until_it_works: Callable[..., None]) -> None:
    copy_episodes(installation.home)
    installation.run("init")
    process = installation.start("run", "corpus")
    until_it_works(process, installation.home)
    time.sleep(after_s)
    process.terminate()
    _, errors = process.communicate(timeout=600)
    # Between two steps, with nothing in hand, the signal may still end the process by itself.
    assert process.returncode in (130, -signal.SIGTERM), errors
    assert "Traceback" not in errors
    installation.run("run", "corpus")
    assert installation.json("status")["counts"]["sources_ready"] == 3
