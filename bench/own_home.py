"""A home of its own for a benchmark, removed afterwards."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from resources.workbench import Workbench


@contextmanager
def own_home() -> Iterator[Path]:
    """A home that is removed afterwards, its PostgreSQL stopped."""
    home = Path(tempfile.mkdtemp(prefix="rejoinder-bench-"))
    home.chmod(0o755)
    try:
        yield home
    finally:
        _remove(home)


@contextmanager
def own_workbench() -> Iterator["Workbench"]:
    """A workbench on a home of its own."""
    from resources.settings import use_home
    from resources.workbench import open_workbench

    with own_home() as home:
        yield open_workbench(use_home(home))


def _remove(home: Path) -> None:
    from resources.embedded.cluster import stop_cluster
    from resources.settings import load_settings

    stop_cluster(home, load_settings().system_data)
    shutil.rmtree(home, ignore_errors=True)
