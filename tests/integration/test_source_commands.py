"""`rejoinder source`, `ingest` and `status` as their user meets them: empty lists, wrong names, steps done again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from cli.app import build_app

Command = Callable[..., Result]


@pytest.fixture
def command(environment: None) -> Command:
    """Runs a command of ours on this test's own database."""
    app, runner = build_app(), CliRunner()
    return lambda *arguments: runner.invoke(app, list(arguments))


def test_empty_lists_say_what_to_do(command: Command) -> None:
    for arguments in (("source", "list"), ("source", "feeds"), ("status",)):
        shown = command(*arguments)
        assert shown.exit_code == 0 and "rejoinder ingest" in shown.stdout, shown.output
    narrowed = command("source", "list", "--show", "trouble")
    assert narrowed.stdout.strip() == "No source matches."
    assert json.loads(command("source", "list", "--json").stdout) == {"sources": [], "total": 0}


def test_what_cannot_be_done_names_what_can(command: Command, tmp_path: Path) -> None:
    episode = tmp_path / "on-salt.srt"
    episode.write_text("1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n")
    assert command("ingest", str(episode), "--only-read", "--json").exit_code == 0
    for arguments, fix in (
        (("source", "show", "salt"), "on-salt.srt"),
        (("source", "show", "pepper"), "rejoinder source list"),
        (("source", "list", "--show", "x"), "'under way'"),
        (("ingest", "--step", "chunk"), "--again NAME"),
        (("ingest", "--again", "pepper"), "rejoinder source list"),
        (("ingest", "--again", "on-salt.srt", "--step", "bake"), "keywords"),
        (("ingest", "--again", "on-salt.srt", "--step", "fetch"), "--step extract"),
        (("ingest", "ftp://pod.example/a.vtt"), "http"),
        (("ingest", str(tmp_path / "missing")), "a folder"),
    ):
        wrong = command(*arguments)
        assert wrong.exit_code == 2 and fix in wrong.stderr.split("fix:")[1], (arguments, wrong.output)


def test_a_step_done_again_is_said(command: Command, tmp_path: Path) -> None:
    episode = tmp_path / "on-salt.srt"
    episode.write_text("1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n")
    command("ingest", str(episode), "--only-read")
    again = command("ingest", "--again", "on-salt.srt", "--only-read")
    assert again.exit_code == 0 and "Done again from extract on: on-salt.srt" in again.stdout


def test_quarantine_says_how_to_get_out(command: Command, tmp_path: Path) -> None:
    (tmp_path / "empty.vtt").write_bytes(b"")
    command("ingest", str(tmp_path), "--only-read")
    shown = command("status").stdout
    assert "--again NAME" in shown and "the file is empty" in " ".join(shown.split())
    assert "+00:00" not in shown


def test_the_exit_code_says_whether_anything_was_taken_in(command: Command, tmp_path: Path) -> None:
    bad, good = tmp_path / "bad.vtt", tmp_path / "good.srt"
    bad.write_bytes(bytes(range(256)) * 40)
    good.write_text("1\n00:00:01,000 --> 00:00:04,000\nWe rub each wheel with salt.\n")
    in_vain = command("ingest", str(bad), "--only-read")
    assert in_vain.exit_code == 1 and "bad.vtt" in in_vain.stdout
    assert command("ingest", str(bad), "--only-read", "--json").exit_code == 1
    some = command("ingest", str(bad), str(good), "--only-read")
    assert some.exit_code == 0 and "The rest was taken in." in some.stdout, some.output
    assert command("ingest", str(good), "--only-read").exit_code == 0, "what is known is in"
    assert command("ingest", "--only-read").exit_code == 0, "an empty inbox is no failure"


def test_an_address_that_cannot_be_fetched_is_named_without_its_keys(command: Command) -> None:
    shown = command("ingest", "ftp://ann:s3cret@pod.example/a.vtt?token=s3cret")
    assert shown.exit_code == 2 and "ftp://pod.example/a.vtt" in shown.output
    assert "s3cret" not in shown.output
