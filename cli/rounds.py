"""What `listen`, `publish` and `measure` share with `status`: a channel that is missing or does not answer."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from resources.postgres import Database
    from resources.store.channels import Channel

NO_CHANNEL = (
    "No channel is enabled. `rejoinder demo` makes two, on a sandbox of this machine; "
    "`rejoinder channel add` connects an account of your own."
)
NO_ANSWER = 5


def channel_advice(
    database: "Database", errors: Iterable[str] | None = None, *, has_success: bool = False
) -> tuple[str, int]:
    """What a person should do about channels, and the exit code; an empty text where all is well.

    Args:
        database: as the application's login.
        errors: messages of a round; None before a round, where a silent sandbox is named but fails nothing.
        has_success: whether the round got an answer from a platform.
    """
    from resources.store.channels import enabled_channels

    with database.transaction() as tx:
        channels = enabled_channels(tx)
    if not channels:
        return NO_CHANNEL, 0
    messages = None if errors is None else list(errors)
    if messages == []:
        return "", 0
    silent = [channel for channel in channels if _is_silent_sandbox(channel)]
    has_failed = bool(messages) and not has_success and _nobody_answered(channels, silent, messages or [])
    return sandbox_fix(silent), NO_ANSWER if has_failed else 0


def _nobody_answered(channels: "list[Channel]", silent: "list[Channel]", messages: list[str]) -> bool:
    """Messages of a publisher begin with the kind of failure, those of others with the channel."""
    if all(message.startswith("unreachable: ") for message in messages):
        return True
    unreachable = [
        c for c in channels if any(m.startswith(f"channel {c.name}: unreachable") for m in messages)
    ]
    return {c.name for c in channels} == {c.name for c in (*silent, *unreachable)}


def _is_silent_sandbox(channel: "Channel") -> bool:
    from resources.services import answers, port_of

    port = port_of(channel.base_url)
    return channel.is_sandbox and port is not None and not answers(port)


def sandbox_fix(silent: "list[Channel]") -> str:
    """How to get an answer out of the sandbox that these channels expect; empty without any."""
    from resources.services import port_of

    if not silent:
        return ""
    names = ", ".join(channel.name for channel in silent)
    ports = " and ".join(sorted({str(port_of(channel.base_url)) for channel in silent}))
    return (
        f"The sandbox of {names} does not run on port {ports}: start it in another terminal with "
        f"`rejoinder sandbox`, or everything with `rejoinder up`."
    )


def warn(advice: str) -> None:
    """The advice on stderr, where it disturbs no answer."""
    if advice:
        typer.echo(f"fix: {advice}" if advice != NO_CHANNEL else advice, err=True)
