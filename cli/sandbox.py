"""`rejoinder sandbox`: the local X and Reddit, to rehearse on."""

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(sandbox)


def sandbox(
    posts: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="JSONL file of posts to load; loaded once each."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free port.")] = 8600,
    state: Annotated[
        Path | None,
        typer.Option(help="SQLite file that keeps everything; default sandbox.sqlite in the home."),
    ] = None,
    account: Annotated[str | None, typer.Option(help="Handle of the account that replies.")] = None,
) -> None:
    """Run a local stand-in for the X and Reddit APIs until Ctrl-C; nothing leaves this machine.

    It prints one JSON line with its address. Its page shows posts, replies and engagement.
    """
    import sys

    from resources.sandbox.__main__ import main
    from resources.settings import load_settings

    file = state or load_settings().home_dir / "sandbox.sqlite"
    file.parent.mkdir(parents=True, exist_ok=True)
    arguments = ["--state", str(file), "--port", str(port)]
    arguments += ["--posts", str(posts)] if posts else []
    arguments += ["--account", account] if account else []
    sys.exit(main(arguments))
