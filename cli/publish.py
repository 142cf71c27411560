"""`rejoinder publish`: send what was approved, once or for as long as it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.postgres import Database
    from resources.publishing.report import PublishReport
    from resources.tuning import Tuning
    from resources.work.stopping import StopSignal


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(publish)


def publish(
    once: Annotated[
        bool, typer.Option("--once", help="Send what is due now, then end (the default).")
    ] = False,
    loop: Annotated[bool, typer.Option("--loop", help="Send whatever becomes due until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Send approved replies, each at most once, and find out about those whose answer was not seen.

    What a person approved is sent word for word. Where the outcome of a request was not seen, the account's
    own timeline is read back; nothing is ever sent again blindly. Several publishers may run side by side.
    Ctrl-C finishes the reply in hand.
    """
    with reporting(as_json):
        from rejoinder.errors import ConfigInvalid
        from resources.work.stopping import stop_on_signals

        if once and loop:
            raise ConfigInvalid("--once and --loop exclude each other: give one of them.")
        with open_publisher_database() as (database, tuning), stop_on_signals() as stop:
            report = _publish(database, tuning, stop, loop=loop, quiet=as_json)
    if as_json:
        print_json(report.as_dict())
    else:
        show(report)


def _publish(
    database: "Database", tuning: "Tuning", stop: "StopSignal", *, loop: bool, quiet: bool
) -> "PublishReport":
    from cli.progress import progress_bar
    from resources.clients import open_client
    from resources.publishing.run import count_due, publish_due, publish_loop

    if loop:
        return publish_loop(
            database, open_client=open_client, tuning=tuning, stop=stop, on_pass=None if quiet else _say_pass
        )
    with progress_bar("replies", total=count_due(database), quiet=quiet) as advance:
        return publish_due(database, open_client=open_client, tuning=tuning, stop=stop, progress=advance)


@contextmanager
def open_publisher_database() -> Iterator[tuple["Database", "Tuning"]]:
    """The domain database as the publisher, who alone may read write credentials, and the tuning.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached.
        ConfigInvalid: the settings are wrong.
    """
    from resources.postgres import Database
    from resources.provision import prepare
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    settings = load_settings()
    database = Database(prepare(settings).publisher, max_size=2).open()
    try:
        yield database, load_tuning(settings)
    finally:
        database.close()


def _say_pass(report: "PublishReport") -> None:
    if report.items or report.deferred or report.cancelled:
        say(summary(report))


def summary(report: "PublishReport") -> str:
    """One line about a pass."""
    counts = {
        "sent": report.sent,
        "found by read-back": report.found,
        "refused": report.refused,
        "to be tried again": report.requeued,
        "waiting for a limit": report.deferred,
        "of unknown outcome": report.unknown + report.still_unknown + report.absent,
        "cancelled": report.cancelled,
    }
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing was due"


def show(report: "PublishReport") -> None:
    """What was done, for people."""
    say(summary(report) + ".")
    if report.errors:
        print_table("What stood in the way", ("times", "message"), ((n, m) for m, n in report.errors.items()))
