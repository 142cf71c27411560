"""Which modules of the program hold doctests: only these are imported to look for them."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out what has no example to run: importing every module of the program would take longer than the tests."""
    is_module = collection_path.suffix == ".py" and ROOT / "tests" not in collection_path.parents
    if is_module and ">>>" not in collection_path.read_text("utf-8"):
        return True
    return None
