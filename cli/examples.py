"""What a new user would type: examples that stand below the help of commands, and what exit codes mean.

A test reads every example with the options of its command, so that none of them is out of date.
"""

import typer

EXAMPLES: dict[str, tuple[str, ...]] = {
    "publish": ("rejoinder publish", "rejoinder publish --loop"),
    "pause": (
        "rejoinder pause my-x --reason 'looking at a complaint'",
        "rejoinder pause --all",
    ),
    "resume": ("rejoinder resume my-x", "rejoinder resume --all"),
    "limits": ("rejoinder limits", "rejoinder limits --channel my-x --json"),
    "schedule": (
        "rejoinder schedule list",
        "rejoinder schedule move 12 --at '2026-12-01 09:00' --zone Europe/Berlin",
        "rejoinder schedule cancel 12",
    ),
    "schedule list": ("rejoinder schedule list --channel my-x",),
    "schedule move": (
        "rejoinder schedule move 12 --at '2026-12-01 09:00' --zone Europe/Berlin",
        "rejoinder schedule move 12 --now",
    ),
    "schedule cancel": ("rejoinder schedule cancel 12",),
    "answers": ("rejoinder answers list --kind question", "rejoinder answers take-up 31"),
    "answers list": ("rejoinder answers list --kind question",),
    "answers take-up": ("rejoinder answers take-up 31",),
    "links": ("rejoinder links --limit 10",),
    "rewards": ("rejoinder rewards show", "rejoinder rewards set engagement=0.6 conversion=0.2"),
    "rewards set": ("rejoinder rewards set engagement=0.6 conversion=0.2 --reason 'sales count less'",),
    "credentials": ("rejoinder credentials list", "rejoinder credentials check"),
    "credentials rotate": ("rejoinder credentials rotate --as ana",),
    "notifications": ("rejoinder notifications list", "rejoinder notifications test SINK"),
    "notifications test": ("rejoinder notifications test SINK",),
    "notifications read": ("rejoinder notifications read 4",),
    "marts": ("rejoinder marts refresh", "rejoinder marts show funnel"),
    "marts show": ("rejoinder marts show funnel --top 10",),
    "review handoff-done": (
        "rejoinder review handoff-done 12 https://x.com/NAME/status/123",
        "rejoinder review handoff-done 12 https://x.com/NAME/status/123 https://x.com/NAME/status/124",
    ),
}

EXIT_CODES = """\b
Exit codes:
  0  done
  1  it ran and something is wrong
  2  wrong arguments, input or settings
  3  the role of who acts is not enough
  4  somebody decided in between, or it is not where this applies
  5  PostgreSQL, a platform, a model, a budget or the disk is not there for it
"""


def add_examples(app: typer.Typer, path: tuple[str, ...] = ()) -> None:
    """Put the examples of every command and group of this app below its help."""
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        command.epilog = _epilog((*path, name.replace("_", "-"))) or command.epilog
    for group in app.registered_groups:
        if group.typer_instance and isinstance(group.name, str):
            group.epilog = _epilog((*path, group.name)) or group.epilog
            add_examples(group.typer_instance, (*path, group.name))


def _epilog(path: tuple[str, ...]) -> str | None:
    found = EXAMPLES.get(" ".join(path))
    # \b keeps the lines below it as they are.
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in found) if found else None
