"""`rejoinder channel`: the accounts that are listened to and spoken as."""

import json
import sys
from typing import Annotated

import typer

from cli.context import acting, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting

channel = typer.Typer(no_args_is_help=True, help="Connect, list and disable accounts on platforms.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What the channel is called here.")]


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(channel, name="channel")


@channel.command()
def add(
    name: Name,
    platform: Annotated[
        str, typer.Option(help="Where the account is: x, reddit, or the name of an installed adapter.")
    ],
    account: Annotated[str, typer.Option(help="Its handle, without @ or u/.")],
    policy: Annotated[str, typer.Option(help="x/self_serve, x/enterprise or reddit/approved_app.")],
    community: Annotated[list[str] | None, typer.Option(help="A subreddit to listen to; repeat it.")] = None,
    operator: Annotated[
        str | None, typer.Option(help="Who answers for the account; X wants a name before it replies by API.")
    ] = None,
    credentials_stdin: Annotated[
        bool, typer.Option("--credentials-stdin", help="Read the credentials, a JSON object, from stdin.")
    ] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Connect an account of your own; with the name of one that is there, give it other credentials.

    X: bearer_token, consumer_key, consumer_secret, access_token, access_token_secret; Reddit: client_id,
    client_secret, username, and password or refresh_token. They are kept apart: what reads cannot write. Keys of the
    account for reading alone may be added: on X those of a second app with the permission Read, read_consumer_key,
    read_consumer_secret, read_access_token and read_access_token_secret; on Reddit read_refresh_token.
    """
    from resources.rounds import open_bench

    with reporting(as_json), open_bench() as bench:
        from resources.commands.channels import NewChannel, add_channel

        new = NewChannel(name, platform, account, policy, tuple(community or ()), operator)
        credentials = _credentials(credentials_stdin)
        channel_id = add_channel(bench.db, acting(bench.db, who), bench.project_id, new, credentials)
    answer({"id": channel_id, "name": name}, as_json, f"Channel {name} is enabled.")


def _credentials(from_stdin: bool) -> dict[str, str]:
    """What stands on standard input; never an argument, which others on the machine could see."""
    from rejoinder.errors import ConfigInvalid

    if not from_stdin:
        raise ConfigInvalid("Give the credentials as a JSON object on standard input: --credentials-stdin.")
    try:
        given = json.loads(sys.stdin.read())
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ConfigInvalid("The credentials on standard input are no JSON object of strings.")
    return given


@channel.command("set-credential")
def set_one(
    name: Name,
    credentials_stdin: Annotated[
        bool, typer.Option("--credentials-stdin", help="Read the credentials, a JSON object, from stdin.")
    ] = False,
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Replace a channel's credentials, as `channel add` takes them; nothing else of it changes."""
    with reporting(as_json), open_database() as database:
        from resources.commands.credentials import set_credential

        set_credential(database, acting(database, who), name, _credentials(credentials_stdin))
    answer({"name": name}, as_json, f"Channel {name} has other credentials.")


@channel.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List the channels, the disabled ones too; no secret is shown."""
    with reporting(as_json), open_database() as database:
        from resources.commands.channels import list_channels

        channels = list_channels(database)
    if as_json:
        print_json({"channels": channels})
        return
    columns = ("name", "platform", "account", "is_sandbox", "is_enabled", "policy")
    print_table("Channels", columns, ([row[column] for column in columns] for row in channels))


@channel.command()
def disable(name: Name, who: As = None, as_json: AsJson = False) -> None:
    """Stop listening and publishing on a channel; what was heard stays."""
    with reporting(as_json), open_database() as database:
        from resources.commands.channels import disable_channel

        disable_channel(database, acting(database, who), name)
    answer({"name": name}, as_json, f"Channel {name} is disabled.")
