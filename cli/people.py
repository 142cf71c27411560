"""`rejoinder user`: the accounts of those who may sign in."""

import sys
from typing import Annotated

import typer

from cli.context import open_database
from cli.output import AsJson, answer, print_json, print_table, reporting, say
from rejoinder.review.roles import ROLES, Role

user = typer.Typer(no_args_is_help=True, help="Make, list and change the accounts that may sign in.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name to sign in with.")]
PasswordFromStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking.")
]


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    app.add_typer(user, name="user")


def _password(from_stdin: bool) -> str:
    """The password, asked for twice or read from standard input; never an argument, which others could see."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


@user.command()
def add(
    name: Name,
    role: Annotated[
        Role | None,
        typer.Option(help="What the person may do; default: admin for the first account, then approver."),
    ] = None,
    display_name: Annotated[str, typer.Option(help="How others see the person; default: the name.")] = "",
    password_stdin: PasswordFromStdin = False,
    as_json: AsJson = False,
) -> None:
    """Make an account; the first one is an admin."""
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.people import add_person, check_account

        given = check_account(database, name, role)
        password = _password(password_stdin)
        person_id = add_person(database, machine_owner(), name, display_name, given, password)
    if as_json:
        print_json({"id": person_id, "name": name.strip().lower(), "role": given})
        return
    reason = ", as the first account is" if given == "admin" and role is None else ""
    say(f"Account {name.strip().lower()} is made, with the role {given}{reason}.")


@user.command("list")
def list_accounts(as_json: AsJson = False) -> None:
    """List the accounts."""
    with reporting(as_json), open_database() as database:
        from resources.commands.people import list_people

        people = list_people(database)
    if as_json:
        print_json({"people": people})
        return
    rows = (
        (p.name, p.display_name, p.role, _standing(p.is_active, p.is_simulated), f"{p.created_at:%Y-%m-%d}")
        for p in people
    )
    print_table("Accounts", ("name", "shown as", "role", "standing", "since"), rows)


def _standing(is_active: bool, is_simulated: bool) -> str:
    kind = "simulated" if is_simulated else "active"
    return kind if is_active else "shut"


@user.command("role")
def set_role(
    name: Name,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help=", ".join(ROLES))],
    as_json: AsJson = False,
) -> None:
    """Give an account another role."""
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.people import change_role

        change_role(database, machine_owner(), name, role)
    answer({"name": name.strip().lower()}, as_json, f"{name} has the role {role} now.")


@user.command()
def password(name: Name, password_stdin: PasswordFromStdin = False, as_json: AsJson = False) -> None:
    """Give an account another password, and unlock it."""
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.people import change_password

        change_password(database, machine_owner(), name, _password(password_stdin))
    answer({"name": name.strip().lower()}, as_json, f"{name} has another password now.")


@user.command()
def deactivate(name: Name, as_json: AsJson = False) -> None:
    """Shut an account; what the person decided stays."""
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.people import deactivate as deactivate_person

        deactivate_person(database, machine_owner(), name)
    answer({"name": name.strip().lower()}, as_json, f"{name} can no longer sign in.")
