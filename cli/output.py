"""What commands print: tables for people, one JSON object for programs, and errors with their exit codes.

Exit codes (docs/commands.md lists them all): 2 wrong input or configuration, 3 not allowed, 4 somebody decided in
between, 5 a service that this depends on cannot be reached.
"""

import dataclasses
import errno
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from rejoinder.errors import RejoinderError

UNUSABLE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EEXIST}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]
As = Annotated[
    str | None,
    typer.Option(
        "--as", metavar="NAME", help="Who acts; without it the only admin. The role of NAME is enforced."
    ),
]

Note = Annotated[str, typer.Option("--note", help="A remark that is kept with the decision.")]


class Trouble(NamedTuple):
    """How a kind of error ends the process, and what a person can do about it."""

    exit_code: int
    fix: str


TROUBLES: dict[str, Trouble] = {
    "ConfigInvalid": Trouble(2, "Correct the command or the setting that the message names."),
    "InputUnreadable": Trouble(2, "Correct the input that the message names."),
    "DecisionInvalid": Trouble(2, "Change the decision as the message says and give it again."),
    "NotAllowed": Trouble(
        3, "Act as somebody whose role allows it (--as NAME), or ask an admin for the role."
    ),
    "StaleView": Trouble(4, "Look again with `rejoinder review show`, then decide on what stands there now."),
    "IllegalMove": Trouble(
        4, "Look again with `rejoinder review show`: it is not where this decision applies."
    ),
    "LeaseLost": Trouble(4, "Look again: another process holds it now."),
    "ServiceUnavailable": Trouble(5, "Start what the message names, or wait, then run the command again."),
    "PassingTrouble": Trouble(5, "Wait, then run the command again."),
    "ModelTrouble": Trouble(
        5, "Wait, then run the command again; `rejoinder endpoints` shows how the models are."
    ),
    "BudgetSpent": Trouble(
        5, "Wait for the next UTC day, or raise the limit in rejoinder.toml under [budget]."
    ),
    "ModelRefusal": Trouble(2, "Change what the message names, or ask another model (docs/models.md)."),
    "ReplyInvalid": Trouble(
        1, "Ask a model that keeps to schemas (docs/models.md), or run the command again."
    ),
}


def print_json(value: object) -> None:
    """One JSON object on stdout; dataclasses become objects, times ISO 8601."""
    sys.stdout.write(json.dumps(value, default=plain, ensure_ascii=False) + "\n")


def answer(value: Mapping[str, object], as_json: bool, text: str) -> None:
    """What a command did: the object for programs, the text for people."""
    if as_json:
        print_json(value)
    else:
        say(text)


def plain(value: object) -> object:
    """The value in types that JSON knows.

    Raises:
        TypeError: there is no such form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def print_table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[object]], *, empty: str | None = None
) -> None:
    """A table for people; on a pipe plain, nothing is cut off in the middle of a word.

    Args:
        title: what the rows are.
        columns: their heads; times are shown in UTC to the minute.
        rows: the cells, in the order of the heads.
        empty: what is said instead where there are no rows.
    """
    rows = list(rows)
    if empty and not rows:
        say(empty)
        return
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(printable(cell_text(cell))) for cell in row))
    # Above the table and not its title, which would be broken at the width of the columns.
    console().print(Text(title, style="italic"), soft_wrap=True)
    console().print(table)


def cell_text(value: object) -> str:
    """A value as a person reads it in a table.

    >>> cell_text(None), cell_text(True), cell_text(datetime(2026, 3, 4, 9, 5, 59, tzinfo=UTC)), cell_text(1.5)
    ('', 'yes', '2026-03-04 09:05', '1.5')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
    return str(value)


def say(text: str = "") -> None:
    """A line for people, as it is: post texts may hold what looks like markup."""
    console().print(text, markup=False, highlight=False, soft_wrap=True)


def console() -> "Console":
    """Standard output of this very moment."""
    from rich.console import Console

    return Console(file=sys.stdout)


def printable(text: str) -> str:
    r"""The text without control characters, which could rewrite the terminal.

    >>> printable("a\x1b[2Jb")
    'a[2Jb'
    """
    return "".join(c for c in text if c.isprintable() or c == "\n")


@contextmanager
def reporting(as_json: bool) -> Iterator[None]:
    """Turn the project's own errors into a message and an exit code; others stay tracebacks."""
    from rejoinder.errors import RejoinderError

    try:
        yield
    except RejoinderError as error:
        fail(error, as_json)
    except OSError as error:
        known = _known_trouble(error)
        if known is None:
            raise
        fail(known, as_json)


def _known_trouble(error: OSError) -> "RejoinderError | None":
    """What to tell a person about a full disk, or a home that cannot be used; None for anything else."""
    from rejoinder.errors import ConfigInvalid, RejoinderError, ServiceUnavailable
    from resources.settings import OTHER_HOME, load_settings

    if error.errno == errno.ENOSPC:
        return ServiceUnavailable(
            f"The disk is full: {error.filename or error.strerror}.",
            fix="Free some space, then run the command again.",
        )
    try:
        home = load_settings().home_dir
    except RejoinderError as wrong_settings:
        return wrong_settings
    named = str(error.filename or "")
    if error.errno not in UNUSABLE or not named or not Path(named).absolute().is_relative_to(home):
        return None
    message = f"The home {home} (REJOINDER_HOME or --home) cannot be used: {named}: {error.strerror}."
    return ConfigInvalid(message, fix=OTHER_HOME)


def fail(error: Exception, as_json: bool, *, beside: Mapping[str, object] | None = None) -> NoReturn:
    """Say what went wrong and what helps, then end the process with the code of this kind of error.

    Args:
        error: what went wrong.
        as_json: as one object on stdout, else as two lines on stderr.
        beside: what the object has besides, of a command that did its work and then met the error.
    """
    trouble = TROUBLES.get(type(error).__name__, Trouble(1, "See the message."))
    fix = getattr(error, "fix", None) or trouble.fix
    if as_json:
        print_json({**(beside or {}), "error": str(error), "fix": fix})
    else:
        typer.echo(f"error: {error}\nfix: {fix}", err=True)
    raise typer.Exit(trouble.exit_code)


def shortened(text: str, width: int = 60) -> str:
    r"""The text on one line, cut after width characters.

    >>> shortened("one\ntwo three", 8)
    'one two…'
    """
    line = " ".join(text.split())
    return line if len(line) <= width else line[: width - 1].rstrip() + "…"


def clock(seconds: float | None) -> str:
    """A second in an episode as hours, minutes and seconds; empty where there is none.

    >>> clock(3724.9), clock(64), clock(None)
    ('1:02:04', '1:04', '')
    """
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
