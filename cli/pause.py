"""`rejoinder pause` and `rejoinder resume`: the kill switch."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from cli.context import acting, deciding, open_database
from cli.output import As, AsJson, answer, reporting

if TYPE_CHECKING:
    from resources.commands.pauses import Paused

Name = Annotated[str | None, typer.Argument(metavar="CHANNEL", help="As `rejoinder channel list` names it.")]
All = Annotated[bool, typer.Option("--all", help="Everything, channels of later too.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command()(pause)
    app.command()(resume)


def pause(
    channel: Name = None,
    everything: All = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, for who wonders.")] = "no reason given",
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Stop publishing: when this returns, nothing new can leave.

    Replies whose request has left come to their outcome. What was not seen is still read back. Whoever may run
    commands on this machine may pause without --as; to resume takes an approver.
    """
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.pauses import pause as pause_publishing

        _need_one(channel, everything)
        actor = acting(database, who) if who else machine_owner()
        done = pause_publishing(database, actor, channel, reason=reason)
    answer(asdict(done), as_json, _paused(done))


def resume(channel: Name = None, everything: All = False, who: As = None, as_json: AsJson = False) -> None:
    """Let publishing go on.

    A channel that was paused by itself stays so until it is resumed by its name.
    """
    with deciding(who, as_json) as (database, actor):
        from resources.commands.pauses import resume as resume_publishing

        _need_one(channel, everything)
        done = resume_publishing(database, actor, channel)
    answer(asdict(done), as_json, _resumed(done))


def _need_one(channel: str | None, everything: bool) -> None:
    from rejoinder.errors import ConfigInvalid

    if (channel is None) != everything:
        raise ConfigInvalid(
            "Name a channel, or give --all.", fix="`rejoinder channel list` shows the channels."
        )


def _paused(done: "Paused") -> str:
    what = f"channel {done.channel}" if done.channel else "everything"
    began = f"Paused: {what}." if done.changed else f"It was paused already: {_in_force(done)}."
    under_way = (
        f" {done.in_hand} {'reply is' if done.in_hand == 1 else 'replies are'} in hand: their requests may have left,"
        " and their outcome will be written down."
        if done.in_hand
        else " No request is under way."
    )
    return began + under_way


def _in_force(done: "Paused") -> str:
    """The pause that was asked for again: who began it, when and why."""
    own = next(pause for pause in done.in_force if pause.channel == done.channel)
    return f"{own} (since {own.paused_at:%Y-%m-%d %H:%M} UTC)"


def _resumed(done: "Paused") -> str:
    what = f"channel {done.channel}" if done.channel else "everything"
    ended = f"Resumed: {what}." if done.changed else f"It was not paused: {what}."
    left = "".join(f"\nStill: {each}." for each in done.in_force)
    return ended + left
