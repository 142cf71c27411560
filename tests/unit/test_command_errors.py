"""How errors end a command: which code, which message, which fix."""

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

from cli.output import TROUBLES, reporting
from rejoinder import errors
from resources.settings import load_settings, use_home


def ending(act: Callable[[], object], capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, str]]:
    with pytest.raises(typer.Exit) as caught, reporting(True):
        act()
    return caught.value.exit_code, json.loads(capsys.readouterr().out)


def raising(error: Exception) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


def test_an_error_may_bring_its_own_fix(capsys: pytest.CaptureFixture[str]) -> None:
    own = errors.ConfigInvalid("There is no post 9.", fix="Look at the list.")
    assert ending(raising(own), capsys) == (2, {"error": "There is no post 9.", "fix": "Look at the list."})
    code, shown = ending(raising(errors.ConfigInvalid("wrong")), capsys)
    assert (code, shown["fix"]) == (2, TROUBLES["ConfigInvalid"].fix)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.ENOENT, errno.ENOTDIR])
def test_a_home_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int) -> None:
    use_home(tmp_path / "home")
    error = OSError(number, "no", str(tmp_path / "home" / "logs"))
    code, shown = ending(raising(error), capsys)
    assert code == 2 and str(tmp_path / "home") in shown["error"]
    assert "REJOINDER_HOME or --home" in shown["error"] and "REJOINDER_HOME" in shown["fix"]


def test_a_file_elsewhere_stays_a_traceback(tmp_path: Path) -> None:
    use_home(tmp_path / "home")
    for error in (FileNotFoundError(errno.ENOENT, "no", "/elsewhere"), OSError("odd")):
        with pytest.raises(OSError), reporting(True):
            raise error


def test_a_full_disk(capsys: pytest.CaptureFixture[str]) -> None:
    code, shown = ending(raising(OSError(errno.ENOSPC, "full", "/somewhere")), capsys)
    assert code == 5 and "disk is full" in shown["error"] and "space" in shown["fix"]


def test_every_exit_code_is_in_the_docs() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "commands.md").read_text("utf-8")
    codes = {0, 1, 130} | {trouble.exit_code for trouble in TROUBLES.values()}
    assert all(f"| {code} |" in page for code in codes)
    load_settings.cache_clear()


def test_an_error_that_is_its_own_cause_ends_the_command() -> None:
    """As Dagster hands on what an asset raised; a traceback that follows causes for ever never comes."""
    code = (
        "import sys; from cli.app import build_app; app = build_app()\n"
        "@app.command('break-off')\n"
        "def break_off():\n"
        "    error = KeyError('own cause')\n"
        "    raise error from error\n"
        "sys.argv = ['rejoinder', 'break-off']; app()"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1 and "KeyError: 'own cause'" in ended.stderr
