"""Progress of long work: a bar on a terminal, plain lines otherwise, nothing when asked to be quiet."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 5.0


@contextmanager
def progress_bar(
    label: str, *, total: int | None = None, quiet: bool = False
) -> Iterator[Callable[[int], None]]:
    """A counter to call with the number of items just done; always on stderr."""
    if quiet:
        yield lambda _n: None
    elif sys.stderr.isatty():
        with _bar(label, total) as advance:
            yield advance
    else:
        with _lines(label, total) as advance:
            yield advance


@contextmanager
def _bar(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(label, total=total)
        yield lambda n: progress.advance(task, n)


@contextmanager
def _lines(label: str, total: int | None) -> Iterator[Callable[[int], None]]:
    done, said_at = 0, time.monotonic()
    of = f" of {total}" if total else ""

    def advance(n: int) -> None:
        nonlocal done, said_at
        done += n
        if time.monotonic() - said_at >= LINE_EVERY_S:
            said_at = time.monotonic()
            print(f"{label}: {done}{of}", file=sys.stderr, flush=True)

    yield advance
