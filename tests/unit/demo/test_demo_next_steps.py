"""What the demo tells a person to type next can be typed as it stands."""

import sys
from pathlib import Path

import pytest

from cli.demo_table import command_as_called, program_as_called
from resources.settings import use_home


def test_the_command_is_the_one_that_was_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [".venv/bin/rejoinder", "demo"])
    monkeypatch.setenv("PATH", "/usr/bin")
    use_home(tmp_path / ".rejoinder")
    assert command_as_called() == ".venv/bin/rejoinder"
    use_home(tmp_path / "my home")
    assert command_as_called() == "REJOINDER_HOME='./my home' .venv/bin/rejoinder"


def test_a_program_on_the_path_is_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "bin" / "rejoinder"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert program_as_called(str(program), tmp_path) == "bin/rejoinder"
    monkeypatch.setenv("PATH", str(program.parent))
    assert program_as_called(str(program), Path("/")) == "rejoinder"
