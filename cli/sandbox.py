"""`rejoinder sandbox`: the local X, Reddit and models, to rehearse on."""

from pathlib import Path
from typing import Annotated

import typer

from cli.context import open_database
from cli.output import reporting


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(sandbox)


def sandbox(
    posts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSONL file of posts to load; loaded once each."),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            show_default="the one that this home's channels name, else 8600",
            help="0 takes a free port.",
        ),
    ] = None,
    state: Annotated[
        Path | None,
        typer.Option(help="SQLite file that keeps everything; default sandbox.sqlite in the home."),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="JSON file of models, answers and faults; replaces those in the state.",
        ),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Handle of the account that replies.")] = None,
    scenario: Annotated[
        str | None,
        typer.Option(help="Scenario to play: a name of --list-scenarios, or a YAML file."),
    ] = None,
    list_scenarios: Annotated[
        bool, typer.Option("--list-scenarios", help="Tell the scenarios that come with it, and end.")
    ] = False,
) -> None:
    """Run a local stand-in for the X, Reddit and OpenAI APIs.

    It runs until Ctrl-C; nothing leaves this machine.
    It prints one JSON line with its address (url) and the base URL of its models (openai_base_url: chat
    completions and embeddings with rehearsed answers). Its page shows the scenario's next events, posts,
    replies, refusals, faults and limits as they come; GET /sandbox/credentials shows its keys. A scenario
    that the state file holds goes on where it was; another one ends it.
    """
    import sys

    from resources.sandbox.__main__ import main
    from resources.services import sandbox_arguments
    from resources.settings import load_settings

    if list_scenarios:
        sys.exit(main(["--list-scenarios"]))
    with reporting(as_json=False):
        settings = load_settings()
        chosen = _port_of_channels() if port is None else port
    (state.parent if state else settings.home_dir).mkdir(parents=True, exist_ok=True)
    arguments = sandbox_arguments(settings, chosen, state=state, posts=posts, account=account)
    arguments += ["--script", str(script)] if script else []
    sys.exit(main([*arguments, *(["--scenario", scenario] if scenario else [])]))


def _port_of_channels() -> int:
    """The port at which the home's channels expect the sandbox; a home without tables is left as it is."""
    from resources.installation import has_database
    from resources.services import SANDBOX_PORT, sandbox_port
    from resources.settings import load_settings

    if not has_database(load_settings()):
        return SANDBOX_PORT
    with open_database() as database:
        return sandbox_port(database) or SANDBOX_PORT
