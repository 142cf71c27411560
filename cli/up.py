"""`rejoinder up` and `rejoinder down`: start everything on loopback, stop it again."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, print_json, reporting

if TYPE_CHECKING:
    from pathlib import Path

    from resources.services import Choice
    from resources.supervisor.supervisor import Outcome


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the root command."""
    app.command()(up)
    app.command()(down)


def up(
    dagster_port: Annotated[int, typer.Option(min=1, max=65535, help="Dagster's web page.")] = 3000,
    review_port: Annotated[int, typer.Option(min=1, max=65535, help="The review app.")] = 8501,
    mlflow_port: Annotated[int, typer.Option(min=1, max=65535, help="The MLflow server.")] = 5000,
    code_port: Annotated[int, typer.Option(min=1, max=65535, help="Dagster's code server.")] = 4266,
    sandbox_port: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=65535,
            show_default="the one its channels name, else 8600",
            help="The sandbox; its channels follow.",
        ),
    ] = None,
    api_port: Annotated[int, typer.Option(min=1, max=65535, help="The API for other services.")] = 8700,
    mlflow: Annotated[bool, typer.Option(help="Run the MLflow server.")] = True,
    api: Annotated[bool, typer.Option(help="Run the API for other services.")] = True,
    sandbox: Annotated[
        bool | None, typer.Option(help="Run the sandbox; by default if an enabled channel uses it.")
    ] = None,
    publisher: Annotated[
        bool, typer.Option("--publisher", help="Send approved replies within seconds, not at Dagster's pace.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with the addresses once all run.")
    ] = False,
) -> None:
    """Start everything on this machine and keep it running.

    Ctrl-C stops it all, a second one kills it.
    Nothing can be reached from other machines. What each process says is in logs/ in the home.
    """
    from resources.services import Choice, Ports

    ports = Ports(dagster_port, review_port, mlflow_port, code_port, sandbox_port or 0, api_port)
    choice = Choice(ports, has_mlflow=mlflow, has_publisher=publisher, has_api=api)
    with reporting(as_json):
        bring_up(choice, wants_sandbox=sandbox, as_json=as_json)


def down(as_json: AsJson = False) -> None:
    """Stop what `up` started, and the embedded PostgreSQL.

    Whichever terminal that runs in.
    """
    from resources.installation import stop_installation
    from resources.settings import load_settings

    with reporting(as_json):
        stopped = stop_installation(load_settings())
    if as_json:
        print_json({"processes": stopped.had_processes, "postgres": stopped.had_postgres})
        return
    print(
        "Stopped what `rejoinder up` had started."
        if stopped.had_processes
        else "Nothing of `up` was running."
    )
    print("PostgreSQL stopped." if stopped.had_postgres else "No embedded PostgreSQL was running.")


def bring_up(choice: Choice, *, wants_sandbox: bool | None, as_json: bool) -> None:
    """Run the chosen services until a stop is asked for; tells on stdout, or on stderr beside JSON.

    Raises:
        RejoinderError: it cannot start; the message names the fix.
    """
    from resources.installation import run_installation
    from resources.settings import load_settings

    settings = load_settings()
    stream = sys.stderr if as_json else sys.stdout

    def say(line: str) -> None:
        print(line, file=stream, flush=True)

    def when_settled(outcome: Outcome) -> None:
        print(_as_json(outcome, settings.home_dir) if as_json else _as_text(outcome), flush=True)

    run_installation(settings, choice, wants_sandbox=wants_sandbox, say=say, when_settled=when_settled)


def _as_json(outcome: Outcome, home: Path) -> str:
    return json.dumps(
        {
            "ok": not outcome.gave_up,
            "home": str(home),
            "pid": os.getpid(),
            "addresses": dict(outcome.addresses),
            "healthy_after_s": dict(outcome.healthy_after_s),
            "gave_up": list(outcome.gave_up),
        }
    )


def _as_text(outcome: Outcome) -> str:
    if outcome.gave_up:
        return f"Not running: {', '.join(outcome.gave_up)}. The rest goes on; Ctrl-C stops it."
    return "Everything runs. Ctrl-C stops it."
