"""How tests are found, and how they are spread when several processes run them (`pytest -n auto`)."""

import os
from pathlib import Path
from typing import Any

import pytest

from resources.embedded.memory import usable_memory_bytes

ROOT = Path(__file__).resolve().parent
# What takes longest comes first, so that no process is left with it when the others are done.
LONGEST_FIRST = ("tests/end_to_end/", "tests/integration/", "tests/contract/")
# Tests of a file share what they set up, and so do these files: a home in which the demo walked the whole loop.
SAME_HOME = ("tests/end_to_end/test_asset_checks.py", "tests/end_to_end/test_demo.py")
# A PostgreSQL of its own, models, and now and then Dagster's processes.
MEMORY_OF_A_WORKER = 2 << 30
MOST_WORKERS = 8


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out modules without an example: importing the whole program would take longer than its examples."""
    is_module = collection_path.suffix == ".py" and not collection_path.name.startswith("test_")
    if is_module and ">>>" not in collection_path.read_text("utf-8"):
        return True
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the slow folders first where processes share the work; one process begins with what is quick."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _rank(item.nodeid))


def _rank(name: str) -> int:
    return next((n for n, folder in enumerate(LONGEST_FIRST) if name.startswith(folder)), len(LONGEST_FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process per core that we may use, as far as memory goes."""
    can_say = hasattr(os, "sched_getaffinity")  # Linux
    cores = len(os.sched_getaffinity(0)) if can_say else os.cpu_count() or 1
    by_memory = usable_memory_bytes() // MEMORY_OF_A_WORKER
    return max(1, min(cores, by_memory, MOST_WORKERS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Make PostgreSQL's system user before the processes start: two that find none would both try to."""
    from resources.embedded.places import find_places
    from resources.settings import Settings

    find_places(ROOT, Settings().system_data)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep the tests of a file together and files in their order, unless another way is asked for with --dist."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FilesInOrder(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = super()._split_scope(nodeid)
            return SAME_HOME[0] if file in SAME_HOME else file

    config.option.loadscopereorder = False
    return FilesInOrder(config, log)
