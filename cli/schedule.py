"""`rejoinder schedule`: what is planned, and when; and the options by which a person says when."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting, shortened

if TYPE_CHECKING:
    from rejoinder.posting.schedule import Schedule
    from resources.store.schedules import Planned

At = Annotated[
    str | None,
    typer.Option(
        "--at", metavar="TIME", help="When it goes out: 2026-12-01 09:00, or 09:00 for the next time."
    ),
]
Zone = Annotated[
    str | None, typer.Option("--zone", help="Whose clock, such as Europe/Berlin; else the channel's zone.")
]
InSlot = Annotated[bool, typer.Option("--slot", help="In the next free slot of the channel's calendar.")]
InBestHour = Annotated[
    bool,
    typer.Option("--best-hour", help="In the hour of the day that earned most; at once while none is known."),
]
Number = Annotated[
    int, typer.Argument(metavar="PUBLICATION", help="As `rejoinder schedule list` numbers it.")
]


def wanted_schedule(
    channel_zone: str, at: str | None, zone: str | None, *, slot: bool, best_hour: bool, now: bool = False
) -> "Schedule":
    """What a person chose by options; now where nothing is chosen.

    Raises:
        ConfigInvalid: more than one way is chosen, or no such zone.
        DecisionInvalid: the time cannot be read or is over.
    """
    from datetime import UTC, datetime

    from rejoinder.errors import ConfigInvalid
    from rejoinder.posting.schedule import BEST_HOUR, NEXT_SLOT, NOW, read_time

    if sum((at is not None, slot, best_hour, now)) > 1:
        raise ConfigInvalid("Choose one way only: a time, a slot, the best hour, or now.")
    if at is not None:
        return read_time(at, zone=zone or channel_zone, now=datetime.now(UTC))
    if zone is not None:
        raise ConfigInvalid("--zone goes with --at: say the time, too.")
    return NEXT_SLOT if slot else BEST_HOUR if best_hour else NOW


def told(schedule: "Schedule") -> str:
    """When a reply goes out, for people.

    >>> from rejoinder.posting.schedule import NOW
    >>> told(NOW)
    'It goes out as soon as its account may send.'
    """
    if schedule.kind == "now":
        return "It goes out as soon as its account may send."
    note = f" ({schedule.note})" if schedule.note else ""
    return f"It goes out {schedule}{note}."


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="When approved replies go out.", no_args_is_help=True)
    for command in (list_, move, cancel):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="schedule")


def list_(
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None,
    top: Annotated[int, typer.Option(min=1, max=100_000, help="How many at most.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List approved replies that wait to be sent, the next one first."""
    with reporting(as_json), open_database() as database:
        from rejoinder.errors import ConfigInvalid
        from resources.store.channels import channels_of
        from resources.store.schedules import list_planned

        with database.transaction() as tx:
            if channel and not channels_of(tx, channel):
                fix = "`rejoinder channel list` shows the channels."
                raise ConfigInvalid(f"There is no channel named {channel}.", fix=fix)
            found = list_planned(tx, channel, top)
        if as_json:
            print_json({"planned": [_as_json(one) for one in found]})
            return
        rows = ((p.id, p.channel, _when(p), p.detail or "", p.approved_by, shortened(p.text)) for p in found)
        columns = ("publication", "channel", "goes out", "waits because", "approved by", "words")
        print_table("Planned", columns, rows, empty="Nothing waits to be sent.")


def _when(planned: "Planned") -> str:
    from rejoinder.posting.schedule import shown_time

    wished = str(planned.schedule)
    if planned.schedule.at == planned.due_at or (planned.schedule.at is None and not planned.detail):
        return wished
    return f"{wished}; not before {shown_time(planned.due_at, planned.schedule.zone)}"


def _as_json(planned: "Planned") -> dict[str, Any]:
    return asdict(planned)


def move(
    publication: Number,
    at: At = None,
    zone: Zone = None,
    slot: InSlot = False,
    best_hour: InBestHour = False,
    now: Annotated[bool, typer.Option("--now", help="As soon as its account may send.")] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Let an approved reply go out at another time; its words stay as they were approved."""
    with deciding(who, as_json) as (database, actor):
        from rejoinder.errors import ConfigInvalid
        from resources.commands.schedules import channel_zone, move_schedule

        if not (at is not None or slot or best_hour or now):
            raise ConfigInvalid("Say when: --at TIME, --slot, --best-hour or --now.")
        zone_there = channel_zone(database, publication)
        wanted = wanted_schedule(zone_there, at, zone, slot=slot, best_hour=best_hour, now=now)
        settled = move_schedule(database, actor, publication, wanted)
    answer({"publication": publication, **asdict(settled)}, as_json, told(settled))


def cancel(publication: Number, who: As = None, as_json: AsJson = False) -> None:
    """Take an approval back before it goes out; the post waits for review again."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.publications import take_back

        take_back(database, actor, publication)
    answer(
        {"publication": publication, "state": "cancelled"},
        as_json,
        "Taken back; the post waits for review again.",
    )
