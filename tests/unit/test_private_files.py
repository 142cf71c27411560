"""Passwords on disk: readable for their owner only from the first byte on, written once, by one process."""

import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.embedded import cluster
from resources.embedded.private_files import write_private
from resources.provision import LOGIN_FILE, _stored_logins

ROOT = Path(__file__).resolve().parents[2]
START = (
    "from pathlib import Path; from resources.provision import _stored_logins; import sys, json; "
    "print(json.dumps(_stored_logins(Path(sys.argv[1]), 'news')))"
)


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A process that makes files readable for everybody unless it is told otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


def modes_while(folder: Path, act) -> set[int]:
    """The modes of every file that was seen in the folder while something ran."""
    seen: set[int] = set()
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            for path in folder.iterdir():
                try:
                    if not path.name.endswith(".lock"):
                        seen.add(path.stat().st_mode & 0o777)
                except FileNotFoundError:
                    continue

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(200):
            act()
    finally:
        is_over.set()
        watcher.join()
    return seen


def test_nobody_else_may_read_it_at_any_time(tmp_path: Path, open_umask: None) -> None:
    assert modes_while(tmp_path, lambda: write_private(tmp_path / "secret", "x" * 4096)) == {0o600}


def test_what_a_killed_process_left_is_not_written_into(tmp_path: Path) -> None:
    left = tmp_path / "secret.partial"
    left.write_text("a longer half of something")
    left.chmod(0o644)
    write_private(tmp_path / "secret", "new")
    assert (tmp_path / "secret").read_text() == "new"
    assert (tmp_path / "secret").stat().st_mode & 0o777 == 0o600
    assert not left.exists()


def test_a_power_cut_takes_neither_text_nor_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, fsync = [], os.fsync

    def note(descriptor: int) -> None:
        kept.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), (tmp_path / "secret").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    write_private(tmp_path / "secret", "new")
    assert kept == [(False, False), (True, True)]


def test_the_two_files_of_passwords(tmp_path: Path, open_umask: None) -> None:
    _stored_logins(tmp_path, "news")
    cluster._passwords(tmp_path)
    for name in (LOGIN_FILE, cluster.PASSWORD_FILE):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_first_starts_at_once_agree(tmp_path: Path) -> None:
    starts = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    told = [json.loads(start.communicate(timeout=60)[0]) for start in starts]
    assert all(logins == told[0] for logins in told)
    assert json.loads((tmp_path / LOGIN_FILE).read_text()) == {"news": told[0]}


def test_a_second_database_keeps_the_logins_of_the_first(tmp_path: Path) -> None:
    first = _stored_logins(tmp_path, "news")
    assert _stored_logins(tmp_path, "other") != first
    assert _stored_logins(tmp_path, "news") == first
