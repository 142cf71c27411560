"""Platforms of other packages are found by entry point; nothing heavy is imported before it is asked for."""

import subprocess
import sys
from pathlib import Path

import pytest

from resources.platforms.adapters import open_platform

ROOT = Path(__file__).resolve().parents[3]


def test_another_package_can_add_a_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "platform_of_another_package-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-platform\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[rejoinder.platforms]\nsample = platform_of_another_package:open_sample\n"
    )
    (tmp_path / "platform_of_another_package.py").write_text(
        "def open_sample(credentials, *, base_url, clock, meter):\n    return (dict(credentials), base_url)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert open_platform("sample", "http://here/", {"key": "1"}) == ({"key": "1"}, "http://here")


def test_libraries_are_imported_when_a_client_is_opened() -> None:
    program = (
        "import sys, resources.platforms.adapters;"
        "print(sorted({'tweepy', 'praw', 'prawcore'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[]"
