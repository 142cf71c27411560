"""`rejoinder ask`: a question to the corpus, answered with citations to the second, or not at all."""

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import AsJson, clock, print_json, reporting, say

if TYPE_CHECKING:
    from resources.asking import Cited, Reply, Said


def register(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command()(ask)


def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    source: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="WORDS", help="Only sources whose name or title has these words; repeatable."
        ),
    ] = None,
    speaker: Annotated[
        list[str] | None,
        typer.Option("--speaker", metavar="NAME", help="Only where NAME speaks; repeatable."),
    ] = None,
    language: Annotated[
        str | None,
        typer.Option("--language", metavar="CODE", help="Only in this language, such as en or de."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="Only what was published on DATE or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="DATE", help="Only what was published on DATE or before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question from the corpus, with source and second.

    Where the corpus has no answer it says so.
    Answers are sentences of the sources themselves, word for word; a model that is configured for the task synthesis
    says first what they say together. Dates are like 2026-11-05, in UTC; sources
    without a date are left out once one is given.
    """
    with reporting(as_json):
        from resources.asking import Question
        from resources.rounds import open_bench
        from resources.wiring import asking

        asked = Question(
            question,
            tuple(source or ()),
            tuple(speaker or ()),
            language.lower() if language else None,
            _day(since),
            _day(until, days=1),
        )
        with open_bench() as bench:
            reply = asking(bench).ask(asked)
        if as_json:
            print_json({"is_answered": reply.is_answered, **_fields(reply)})
        else:
            _show(reply)


def _day(text: str | None, *, days: int = 0) -> datetime | None:
    """Midnight UTC of a date, so many days later.

    Raises:
        ConfigInvalid: the text is no date.
    """
    from rejoinder.errors import ConfigInvalid

    if text is None:
        return None
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise ConfigInvalid(f"{text!r} is no date.", fix="Write it like 2026-11-05.") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _fields(reply: "Reply") -> dict[str, object]:
    from dataclasses import asdict

    return asdict(reply)


def _show(reply: "Reply") -> None:
    if reply.is_answered:
        _show_answer(reply)
    else:
        say(f"Not in the corpus. {reply.reason}")
        if reply.nearest:
            say("What came closest:")
        for near in reply.nearest:
            _show_place(near)
    for note in reply.notes:
        say(f"note: {note}")
    searched = reply.searched
    waiting = f", {searched.waiting} more wait to be made searchable" if searched.waiting else ""
    say(f"\n{searched.sources} sources searched{waiting}; {searched.tokens.total} tokens of context.")


def _show_answer(reply: "Reply") -> None:
    if reply.written is not None:
        _show_said(reply.written.statements)
        say(f"\nWritten by {reply.written.model}. What the sources say, word for word:")
    _show_said(reply.statements)
    written = reply.written.statements if reply.written else ()
    cited = {f"{c.id}{c.start_s}": c for said in (*written, *reply.statements) for c in said.citations}
    say()
    for one in cited.values():
        _show_place(one, _mark(one))


def _show_said(statements: "tuple[Said, ...]") -> None:
    for said in statements:
        say(f"{said.text} {' '.join(map(_mark, said.citations))}")


def _mark(cited: "Cited") -> str:
    return f"[{cited.id}]" if cited.start_s is None else f"[{cited.id} {clock(cited.start_s)}]"


def _show_place(cited: "Cited", mark: str = "-") -> None:
    say(f"  {mark} {cited.label}")
    if cited.url:
        say(f"    {cited.url}")
