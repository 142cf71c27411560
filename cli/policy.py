"""`rejoinder policy`: what each channel may do, by which rules of its platform, and how to change it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.context import deciding, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting

if TYPE_CHECKING:
    from resources.commands.channel_policies import PolicyChange
    from resources.store.channels import Channel

Name = Annotated[str, typer.Argument(metavar="CHANNEL", help="As `rejoinder channel list` names it.")]
Reason = Annotated[str, typer.Option(help="Why; stands in the audit.")]


def register(app: typer.Typer) -> None:
    """Add the group of commands to the root."""
    group = typer.Typer(help="What a channel may do, and by which rules.", no_args_is_help=True)
    for command in (show, set_, reset):
        group.command(command.__name__.rstrip("_"))(command)
    app.add_typer(group, name="policy")


def show(
    name: Annotated[str | None, typer.Argument(metavar="CHANNEL", help="Without it all channels.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the policy of a channel: its rules, what differs from what is shipped, and the sources."""
    with reporting(as_json), open_database() as database:
        from resources.commands.channel_policies import read_policies

        channels = read_policies(database, name)
        if as_json:
            print_json({"policies": [_as_json(channel) for channel in channels]})
            return
        if not channels:
            print_table(
                "Policies", ("channel",), (), empty="There is no channel yet: `rejoinder channel add`."
            )
        for channel in channels:
            _print(channel)


def _as_json(channel: "Channel") -> dict[str, Any]:
    from rejoinder.listening.policy_changes import rows
    from resources.store.channels import write_policy

    policy = write_policy(channel.policy)
    differs = {row.key: row.shipped for row in rows(channel.policy) if row.shipped is not None}
    return {"channel": channel.name, **policy, "differs_from_shipped": differs}


def _print(channel: "Channel") -> None:
    from rejoinder.listening.policy_changes import rows

    found = rows(channel.policy)
    title = f"{channel.name}: {channel.policy.name}, as {channel.account}"
    columns = ("rule", "value", "shipped as")
    print_table(title, columns, ((row.key, row.value, row.shipped or "") for row in found))
    sources = ((s.rule, s.source, s.read_on.isoformat()) for s in channel.policy.sources)
    print_table("Where the rules stand", ("rule", "source", "read on"), sources)


def set_(
    name: Name,
    values: Annotated[list[str], typer.Argument(metavar="KEY=VALUE...", help="`none` for no value.")],
    reason: Reason = "",
    permission: Annotated[
        str,
        typer.Option(
            "--i-have-permission", metavar="WHY", help="The platform's permission, for what it forbids."
        ),
    ] = "",
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Change rules of a channel; what its platform forbids needs its permission."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.channel_policies import set_policy

        done = set_policy(database, actor, name, pairs_of(values), reason=reason, permission=permission)
    answer(asdict(done), as_json, _told(done))


def pairs_of(values: list[str]) -> dict[str, str]:
    """Values by key, out of KEY=VALUE.

    Raises:
        ConfigInvalid: one has no value.
    """
    from rejoinder.errors import ConfigInvalid

    pairs = [value.partition("=") for value in values]
    unclear = [key for key, sign, _ in pairs if not sign]
    if unclear:
        raise ConfigInvalid(f"Write it as KEY=VALUE: {unclear[0]!r} has no value.")
    return {key.strip(): value for key, _, value in pairs}


def _told(done: "PolicyChange") -> str:
    changes = "; ".join(f"{key}: {old} -> {new}" for key, (old, new) in done.changed.items())
    permitted = f" By the permission named: {'; '.join(done.permitted)}." if done.permitted else ""
    return f"{done.channel}: {changes or 'nothing changes'}.{permitted}"


def reset(name: Name, reason: Reason = "", who: As = None, as_json: AsJson = False) -> None:
    """Put a channel's rules back to what is shipped; the operator's name stays."""
    with deciding(who, as_json) as (database, actor):
        from resources.commands.channel_policies import reset_policy

        done = reset_policy(database, actor, name, reason=reason)
    answer(asdict(done), as_json, _told(done))
