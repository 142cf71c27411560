"""`rejoinder doctor`: what is not well on this machine, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.output import AsJson, print_json

if TYPE_CHECKING:
    from resources.health import Finding

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


def register(app: typer.Typer) -> None:
    """Add the command of this module to the root command."""
    app.command()(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Check this machine and this home.

    Settings, disk, ports, models, PostgreSQL and its roles are looked at.
    Exit code 1 if a check fails; a warning does not count. Nothing is changed.
    """
    from resources.health import examine

    findings = examine()
    is_well = all(finding.verdict != "fail" for finding in findings)
    if as_json:
        print_json({"ok": is_well, "checks": findings})
    else:
        _print_table(findings)
    raise typer.Exit(0 if is_well else 1)


def _print_table(findings: list[Finding]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for heading in ("check", "", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        verdict = Text(finding.verdict, style=COLOURS[finding.verdict])
        table.add_row(Text(finding.check), verdict, Text(finding.detail), Text(finding.fix))
    Console().print(table)
