"""What a person types wrongly about publishing: a message that names the fix, and the exit code of its kind."""

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.settings import load_settings

Ran = Callable[..., tuple[int, str]]


@pytest.fixture
def ran(addresses, monkeypatch, tmp_path) -> Ran:
    """Runs a command on this test's database; its exit code and all that it said."""
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path))
    names = {"": addresses.owner, "APP_": addresses.app, "PUBLISHER_": addresses.publisher}
    names |= {"DAGSTER_": addresses.dagster, "MLFLOW_": addresses.mlflow}
    for name, url in names.items():
        monkeypatch.setenv(f"REJOINDER_{name}DATABASE_URL", url)
    load_settings.cache_clear()

    def run(*arguments: str) -> tuple[int, str]:
        done = CliRunner().invoke(build_app(), arguments)
        return done.exit_code, done.output

    return run


@pytest.mark.parametrize(
    ("arguments", "said", "fix"),
    [
        (("pause", "nowhere"), "There is no channel named nowhere.", "rejoinder channel list"),
        (("pause",), "Name a channel, or give --all.", "rejoinder channel list"),
        (("resume", "nowhere"), "There is no channel named nowhere.", "rejoinder channel list"),
        (("limits", "--channel", "nowhere"), "There is no enabled channel named nowhere.", "channel list"),
        (("schedule", "list", "--channel", "nowhere"), "There is no channel named nowhere.", "channel list"),
        (("schedule", "move", "99", "--now"), "there is no reply 99", "rejoinder schedule list"),
        (("schedule", "move", "1"), "Say when: --at TIME", "Correct the command"),
        (("publish", "--once", "--loop"), "exclude each other", "Correct the command"),
        (("answers", "take-up", "99"), "post 99 is no remark", "give it again"),
    ],
)
def test_what_is_not_there_is_named_with_the_fix(newsroom, actors, ran: Ran, arguments, said, fix) -> None:
    code, output = ran(*arguments, *(["--as", "some-admin"] if arguments[0] in ("resume", "answers") else []))
    assert code == 2 and said in output and "fix: " in output and fix in output


def test_times_and_zones_that_cannot_be(newsroom, actors, ran: Ran) -> None:
    from resources.commands.review import approve

    post = newsroom.post()
    number = str(approve(newsroom.db, actors["approver"], post, version=0, text="At 12:04.").publication_id)
    for given, said in (
        (("--at", "2020-01-01 09:00"), "name a time ahead"),
        (("--at", "soon"), "is no time"),
        (("--at", "2026-12-01 09:00", "--zone", "Europe/Nowhere"), "Europe/Nowhere"),
        (("--zone", "Europe/Berlin", "--now"), "--zone goes with --at"),
    ):
        code, output = ran("schedule", "move", number, *given, "--as", "some-admin")
        assert code == 2 and said in output and "fix: " in output, (given, output)
    assert newsroom.value("select schedule from publication") == "now"


def test_pausing_what_is_paused_says_who_did_it_and_why(newsroom, ran: Ran) -> None:
    assert ran("pause", "rehearsal", "--reason", "a complaint")[0] == 0
    code, output = ran("pause", "rehearsal")
    assert code == 0
    assert (
        "It was paused already: channel rehearsal is paused by the owner of the machine: a complaint"
        in output
    )
    assert newsroom.value("select count(*) from pause") == 1


def test_without_a_database_the_message_says_what_to_start(ran: Ran, monkeypatch) -> None:
    monkeypatch.setenv(
        "REJOINDER_DATABASE_URL", "postgresql://nobody:x@127.0.0.1:9/none"
    )  # pragma: allowlist secret
    load_settings.cache_clear()
    for command in (("pause", "--all"), ("limits",), ("schedule", "list"), ("publish",)):
        code, output = ran(*command)
        assert code == 5 and "PostgreSQL" in output and "fix: " in output, output
        assert "nobody:x" not in output
