"""`rejoinder notifications`: what people are told, where it is sent, and what did not arrive."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import acting, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.commands.actors import Actor
    from resources.notifications.delivering import DeliveryReport, Ground
    from resources.postgres import Database

NOTICES = ("id", "severity", "kind", "about", "message", "told", "over")
SINKS = ("sink", "kind", "pending", "sent", "dead", "dropped", "last sent", "removed", "trouble")
COUNTS = ("pending", "sent", "dead", "dropped")
NO_SINK = "Nothing is sent anywhere: docs/notifications.md shows how to add a sink to rejoinder.toml."


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="What people are told of, and where it is sent.", no_args_is_help=True)
    group.command("list")(list_notices)
    for command in (sinks, deliver, test, retry, read):
        group.command()(command)
    app.add_typer(group, name="notifications")


def list_notices(
    everything: Annotated[bool, typer.Option("--all", help="Those that were read, too.")] = False,
    top: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what people are told, the latest first."""
    from resources.notices import list_notices as found_in

    with reporting(as_json), open_database() as database:
        found = found_in(database, with_read=everything, top=top)
    if as_json:
        print_json({"notices": found})
        return
    rows = [
        (n["id"], n["severity"], n["kind"], n["about"], n["message"], n["created_at"], n["ended_at"])
        for n in found
    ]
    print_table("Notices", NOTICES, rows, empty="There is nothing that nobody has read.")


def sinks(as_json: AsJson = False) -> None:
    """Show where notices are sent, what did not arrive, and sinks that are no longer configured."""
    with reporting(as_json), _ground() as ground:
        found = _sink_states(ground)
    if as_json:
        print_json({"sinks": found})
        return
    rows = [
        (s["name"], s["kind"], *(s[n] for n in COUNTS), s["last_sent_at"], s["removed_at"], s["last_error"])
        for s in found
    ]
    print_table("Sinks", SINKS, rows, empty=NO_SINK)


def deliver(
    loop: Annotated[bool, typer.Option("--loop", help="Deliver whatever comes up until stopped.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell what time brought, and send what sinks have not been told; several may run side by side.

    A message that a sink does not take is tried again, ever later; after its attempts it is dead and stands under
    Trouble. One that was taken without our seeing it is sent again under the same id.
    """
    from resources.notifications.delivering import deliver_due, deliver_loop
    from resources.work.stopping import PROCESS_STOP, stop_on_signals

    with reporting(as_json), _ground() as ground, stop_on_signals(PROCESS_STOP) as stop:
        if loop:
            report = deliver_loop(ground, stop, on_pass=None if as_json else _say_pass)
        else:
            report = deliver_due(ground, stop=stop)
    if as_json:
        print_json(report)
    else:
        say(_summary(report) + ".")
    raise typer.Exit(5 if report.errors else 0)


def test(
    sink: Annotated[str, typer.Argument(help="Name of the sink in rejoinder.toml.")], as_json: AsJson = False
) -> None:
    """Send a test to one sink, and say whether it took it."""
    from rejoinder.errors import ServiceUnavailable
    from resources.notifications.delivering import send_test
    from resources.notifications.message import NotTaken
    from resources.notifications.sinks import sink_named

    with reporting(as_json):
        with _ground() as ground:
            try:
                send_test(ground, sink_named(ground.tuning, sink))
            except NotTaken as error:
                raise ServiceUnavailable(f"The sink {sink} did not take it: {error}.") from None
        answer({"sink": sink, "taken": True}, as_json, f"The sink {sink} took the test.")


def retry(
    sink: Annotated[str | None, typer.Argument(help="Only this sink.")] = None,
    as_json: AsJson = False,
    who: As = None,
) -> None:
    """Make dead messages due at once."""
    from resources.commands.notices import retry_messages

    with reporting(as_json), open_database() as database:
        count = retry_messages(database, _actor(database, who), sink)
        answer(
            {"due": count}, as_json, f"{count} {'message is' if count == 1 else 'messages are'} due again."
        )


def read(
    ids: Annotated[list[int] | None, typer.Argument(help="Numbers of notices.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that nobody has read.")] = False,
    kind: Annotated[str | None, typer.Option(help="All of this kind.")] = None,
    as_json: AsJson = False,
    who: As = None,
) -> None:
    """Mark notices as read; what is no lasting state counts as over then."""
    from rejoinder.errors import ConfigInvalid
    from resources.commands.notices import mark_all_read, mark_some_read

    with reporting(as_json), open_database() as database:
        actor = _actor(database, who)
        if not (ids or everything or kind):
            raise ConfigInvalid("Say which: numbers of notices, --kind KIND or --all.")
        count = mark_some_read(database, actor, ids) if ids else mark_all_read(database, actor, kind)
        answer({"read": count}, as_json, f"{count} marked as read.")


@contextmanager
def _ground() -> "Iterator[Ground]":
    """What delivering stands on: the database and the sinks of rejoinder.toml."""
    from resources.notifications.delivering import Ground
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    tuning = load_tuning(load_settings()).notifications
    with open_database() as database:
        yield Ground(database, tuning)


def _actor(database: "Database", who: str | None) -> "Actor":
    from resources.commands.actors import machine_owner

    return acting(database, who) if who else machine_owner()


def _sink_states(ground: "Ground") -> list[dict[str, Any]]:
    with ground.db.transaction() as tx:
        states = {row["name"]: row for row in tx.rows("sink_states")}
    empty = {**dict.fromkeys(COUNTS, 0), "last_sent_at": None, "last_error": None, "removed_at": None}
    kinds = {sink.name: getattr(sink, "kind", "") for sink in ground.tuning.sinks}
    return [
        {**empty, **states.get(name, {}), "name": name, "kind": kinds.get(name, "not configured")}
        for name in [*kinds, *sorted(set(states) - set(kinds))]
    ]


def _say_pass(report: "DeliveryReport") -> None:
    if report.sent or report.failed or report.dead or report.dropped or report.overdue:
        say(f"{datetime.now(UTC):%H:%M:%S} {_summary(report)}")


def _summary(report: "DeliveryReport") -> str:
    counts = {
        "outcomes overdue": report.overdue,
        "over": report.ended,
        "messages sent": report.sent,
        "to be tried again": report.failed,
        "dead": report.dead,
        "dropped": report.dropped,
    }
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing was due"
    return "; ".join([said, *(f"{sink}: {why}" for sink, why in report.errors.items())])
