"""`rejoinder limits`: what binds each channel now, and when it may send next."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import open_database
from cli.output import AsJson, print_json, print_table, reporting

if TYPE_CHECKING:
    from resources.publishing.outlook import Outlook

CHANNELS = ("channel", "account", "may send", "because", "due", "planned", "in hand")
WINDOWS = ("account", "window", "used", "of", "free again (UTC)", "binds")


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(limits)


def limits(
    channel: Annotated[str | None, typer.Option(help="Only this channel.")] = None, as_json: AsJson = False
) -> None:
    """Show limits, their use, and when channels may send next.

    15min, 3h and 24h are our own limits, which hold for every stretch of that length; the others are what the
    platform last reported. `rejoinder policy set CHANNEL min_interval_s=...` sets the pause between two replies.
    """
    with reporting(as_json), open_database() as database:
        found = _of_channel(read(database), channel)
        if as_json:
            print_json({"limits": [as_dict(one) for one in found]})
            return
        rows = (outlook_row(one) for one in found)
        print_table("Channels", CHANNELS, rows, empty="There is no channel yet: `rejoinder channel add`.")
        accounts = {one.channel.account_key: one for one in found}
        windows = [
            (
                key,
                w.name,
                w.used,
                w.limit,
                f"{w.reset_at:%Y-%m-%d %H:%M:%S}" if w.used else "",
                "yes" if w.is_binding else "",
            )
            for key, one in accounts.items()
            for w in one.windows
        ]
        print_table("Windows", WINDOWS, windows, empty="Nothing was sent yet.")


def _of_channel(every: "list[Outlook]", name: str | None) -> "list[Outlook]":
    from rejoinder.errors import ConfigInvalid

    found = [one for one in every if name in (None, one.channel.name)]
    if name and not found:
        fix = "`rejoinder channel list` shows the channels; a disabled one sends nothing."
        raise ConfigInvalid(f"There is no enabled channel named {name}.", fix=fix)
    return found


def read(database: Any) -> "list[Outlook]":
    """How every enabled channel stands now."""
    from resources.publishing.outlook import outlook_now

    with database.transaction() as tx:
        return outlook_now(tx)


def outlook_row(one: "Outlook") -> tuple[object, ...]:
    """One line about a channel, under `CHANNELS`."""
    row = as_dict(one)
    return tuple(
        row[key] for key in ("channel", "account", "may_send", "because", "due", "planned", "in_hand")
    )


def as_dict(one: "Outlook") -> dict[str, Any]:
    """One channel as JSON knows it."""
    from resources.publishing.outlook import said

    may_send, because = said(one)
    return {
        "channel": one.channel.name,
        "account": one.channel.account_key,
        "may_send": may_send,
        "because": because,
        "allowed_from": one.allowed_from,
        "reason": one.reason or None,
        "pause": one.pause,
        "planned": one.queued,
        "due": one.due,
        "waiting": one.waiting,
        "in_hand": one.in_hand,
        "to_read_back": one.to_read_back,
        "next_at": one.next_at,
        "windows": one.windows,
    }
