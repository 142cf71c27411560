"""The memory that the embedded server and the test workers reckon with."""

from pathlib import Path

import psutil
import pytest

from resources.embedded.memory import usable_memory_bytes


@pytest.mark.parametrize(
    ("limit", "expected"),
    [("1073741824\n", 1 << 30), ("max\n", None), ("9223372036854771712\n", None), ("", None)],
)
def test_a_container_s_limit_counts_where_it_is_smaller(
    tmp_path: Path, limit: str, expected: int | None
) -> None:
    named = tmp_path / "memory.max"
    named.write_text(limit)
    found = usable_memory_bytes((named, tmp_path / "absent"))
    assert found == (expected or psutil.virtual_memory().total)
