"""Examples below the help of commands are what the commands take."""

import shlex
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli.app import build_app
from cli.examples import EXAMPLES

LINES = sorted({line for lines in EXAMPLES.values() for line in lines})


@pytest.fixture(scope="module")
def root() -> Any:
    return typer.main.get_command(build_app())


@pytest.mark.parametrize("line", LINES)
def test_an_example_is_what_its_command_takes(root: Any, line: str) -> None:
    name, *given = shlex.split(line)
    assert name == "rejoinder"
    command = root
    while hasattr(command, "commands"):
        command = command.commands[given.pop(0)]
    command.make_context(command.name, given).close()


@pytest.mark.parametrize("path", EXAMPLES)
def test_help_shows_its_examples_line_by_line(path: str) -> None:
    shown = CliRunner().invoke(build_app(), [*path.split(), "--help"]).stdout.splitlines()
    assert [f"    {line}" for line in EXAMPLES[path]] == shown[shown.index("  Examples:") + 1 :]


def test_what_each_command_does_fits_on_its_line_of_the_root_help() -> None:
    shown = CliRunner().invoke(build_app(), ["--help"], terminal_width=80).stdout
    listed = shown.partition("Commands:")[2].partition("Exit codes")[0].strip().splitlines()
    assert len(listed) > 30 and [line for line in listed if line.endswith("...")] == []


def test_the_root_tells_the_exit_codes() -> None:
    shown = CliRunner().invoke(build_app(), ["--help"]).stdout
    assert "  2  wrong arguments, input or settings\n" in shown and "  5  PostgreSQL" in shown
