"""The root of the command line: which commands there are. Heavy libraries are imported inside commands only."""

import importlib
import sys

import typer

from cli.examples import EXIT_CODES, add_examples

MODULES = (
    "start", "up", "sandbox", "ingest", "ask", "listen", "rules", "posts", "recheck", "run", "review",
    "publish", "pause", "schedule", "limits", "measure", "rewards", "status", "retry", "doctor", "people",
    "channels", "credentials", "optout", "policy", "spend", "sources", "models", "endpoints", "prompts",
    "notifications", "marts", "links", "api", "bench", "evaluate",
)  # fmt: skip

HELP = """Answer posts with what was said, to the second, once a person approved it word for word.

First steps: `rejoinder demo --auto-review` walks the whole loop on a local sandbox. Then `rejoinder user add`
makes an account, and `rejoinder up` starts the review app and Dagster.

Everything is kept under REJOINDER_HOME (default .rejoinder). Commands that report take --json.
"""


def build_app() -> typer.Typer:
    """The command line with every command registered."""
    # Python's own traceback for what nobody foresaw: rich's never ends where an exception is its own cause, as one that
    # Dagster hands on from an asset is.
    app = typer.Typer(
        help=HELP, epilog=EXIT_CODES, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    app.callback(help=HELP, epilog=EXIT_CODES)(_before_commands)
    for name in MODULES:
        importlib.import_module(f"cli.{name}").register(app)
    add_examples(app)
    return app


def _before_commands() -> None:
    """Set up logging; not for --help, which so need not read the settings."""
    from cli.logs import configure_logs

    configure_logs()


def main() -> None:
    """Run the command line."""
    try:
        build_app()()
    except BrokenPipeError:
        sys.exit(0)


if __name__ == "__main__":
    main()
