"""What a command works with: the database as the application's login, and the person who acts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from cli.output import reporting

if TYPE_CHECKING:
    from resources.commands.actors import Actor
    from resources.commands.people import Person
    from resources.postgres import Database


@contextmanager
def open_database() -> Iterator["Database"]:
    """The domain database, started and migrated if need be, as the application.

    Raises:
        ServiceUnavailable: PostgreSQL cannot be reached.
        ConfigInvalid: the settings are wrong.
    """
    from psycopg import OperationalError

    from rejoinder.errors import ServiceUnavailable
    from resources.postgres import Database
    from resources.provision import prepare
    from resources.settings import load_settings

    database = Database(prepare(load_settings()).app, max_size=2).open()
    try:
        yield database
    except OperationalError as error:
        raise ServiceUnavailable(f"PostgreSQL went away: {str(error).splitlines()[0]}") from None
    finally:
        database.close()


@contextmanager
def deciding(name: str | None, as_json: bool) -> Iterator[tuple["Database", "Actor"]]:
    """The database and the person who acts, with errors reported as `cli.output.reporting` does."""
    with reporting(as_json), open_database() as database:
        yield database, acting(database, name)


def acting(database: "Database", name: str | None) -> "Actor":
    """The person a command acts as: the one named, else the only active admin.

    Whoever runs commands on the machine owns its data already, so no password is asked for; the role is
    enforced, and the audit names both the machine's account and the person.

    Raises:
        ConfigInvalid: there is no such person, or none was named and there is not exactly one admin.
    """
    from resources.commands.actors import Actor, operating_system_user

    person = _named(database, name) if name else _only_admin(database)
    return Actor(
        person.id, person.name, person.role, is_simulated=person.is_simulated, via=operating_system_user()
    )


def _named(database: "Database", name: str) -> "Person":
    from rejoinder.errors import ConfigInvalid
    from resources.commands.people import list_people

    found = [p for p in list_people(database) if p.name == name.strip().lower() and not p.is_simulated]
    if not found:
        fix = "Name one of those that `rejoinder user list` shows."
        raise ConfigInvalid(f"There is no account named {name}.", fix=fix)
    return found[0]


def _only_admin(database: "Database") -> "Person":
    from rejoinder.errors import ConfigInvalid
    from resources.commands.people import list_people

    people = [p for p in list_people(database) if p.is_active and not p.is_simulated]
    admins = [p for p in people if p.role == "admin"]
    if not people:
        raise ConfigInvalid("There is no account yet.", fix="Make the first one: `rejoinder user add NAME`.")
    if not admins:
        fix = "Say who acts with --as NAME, or make somebody an admin: `rejoinder user role NAME admin`."
        raise ConfigInvalid(f"No account is an admin ({_names(people)}), and nobody was named.", fix=fix)
    if len(admins) > 1:
        fix = "Say who acts with --as NAME."
        raise ConfigInvalid(f"There are several admins: {_names(admins)}.", fix=fix)
    return admins[0]


def _names(people: "list[Person]") -> str:
    return ", ".join(person.name for person in people)
