"""Runs one installation from start to end: PostgreSQL, the processes around it, and their orderly stop."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from rejoinder.errors import ServiceUnavailable
from resources.demo.lock import refuse_beside_demo
from resources.embedded.cluster import is_running, open_cluster, stop_cluster
from resources.embedded.places import find_places
from resources.postgres import Database
from resources.provision import Addresses, connect_admin, prepare
from resources.queries import query
from resources.services import (
    SANDBOX_PORT,
    Choice,
    build_services,
    move_sandbox_channels,
    port_claims,
    sandbox_port,
    search_path,
)
from resources.settings import Settings, child_environment
from resources.supervisor.ports import refuse_busy_ports
from resources.supervisor.record import only_supervisor, stop_running
from resources.supervisor.requests import StopRequests, count_signals
from resources.supervisor.supervisor import Outcome, Supervisor

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stopped:
    """What ``down`` found and stopped."""

    had_processes: bool
    had_postgres: bool


def run_installation(
    settings: Settings,
    choice: Choice,
    *,
    wants_sandbox: bool | None,
    say: Say,
    when_settled: Callable[[Outcome], None],
) -> None:
    """Start everything chosen and keep it running until SIGINT or SIGTERM.

    Args:
        settings: whose home it is.
        choice: ports and parts.
        wants_sandbox: None runs the sandbox if an enabled channel uses it.
        say: told a line at each change of state.
        when_settled: called once, when every process is healthy or was given up.

    Raises:
        ConfigInvalid: it runs already, or a port is taken; nothing was started.
        ServiceUnavailable: PostgreSQL does not start.
    """
    with count_signals() as stop, only_supervisor(settings.home_dir):
        refuse_beside_demo(settings.home_dir)
        refuse_busy_ports(port_claims(choice))
        addresses = prepare(settings)
        say(f"PostgreSQL  {_where_postgres_is(settings)}  up")
        try:
            choice = _place_sandbox(choice, addresses, wants_sandbox)
            _supervise(settings, addresses, choice, say).run(stop, when_settled)
        finally:
            _let_go_of_postgres(settings, addresses, stop, say)


def stop_installation(settings: Settings) -> Stopped:
    """Stop what runs for this home, and its embedded PostgreSQL.

    Raises:
        ServiceUnavailable: something does not stop.
    """
    if not settings.home_dir.exists():
        return Stopped(False, False)
    had_postgres = settings.database_url is None and _postgres_runs(settings)
    had_processes = stop_running(settings.home_dir)
    if had_postgres:
        stop_cluster(settings.home_dir, settings.system_data)
    return Stopped(had_processes, had_postgres)


def has_database(settings: Settings) -> bool:
    """Whether there is a database to ask: an external one, or one that was made for this home."""
    return (
        settings.database_url is not None
        or find_places(settings.home_dir, settings.system_data).data.exists()
    )


def _postgres_runs(settings: Settings) -> bool:
    return is_running(find_places(settings.home_dir, settings.system_data))


def _where_postgres_is(settings: Settings) -> str:
    if settings.database_url:
        return "(the server of REJOINDER_DATABASE_URL)"
    places = find_places(settings.home_dir, settings.system_data)
    note = " (outside the home, which is private to root)" if places.is_outside_home else ""
    return f"{places.data}{note}"


def _place_sandbox(choice: Choice, addresses: Addresses, wants_sandbox: bool | None) -> Choice:
    """The choice with the sandbox's port decided, free, and expected by the sandbox's channels."""
    if wants_sandbox is False:
        return choice
    database = Database(addresses.app, max_size=1).open()
    try:
        asked, known = choice.ports.sandbox, sandbox_port(database)
        ports = replace(choice.ports, sandbox=asked or known or SANDBOX_PORT)
        placed = replace(choice, ports=ports, has_sandbox=bool(wants_sandbox or known))
        refuse_busy_ports(port_claims(placed))
        if asked and placed.has_sandbox:
            move_sandbox_channels(database, asked)
    finally:
        database.close()
    return placed


def _supervise(settings: Settings, addresses: Addresses, choice: Choice, say: Say) -> Supervisor:
    env = child_environment()
    env["PYTHONPATH"] = search_path(choice, env.get("PYTHONPATH", ""))
    services = build_services(settings, addresses, choice)
    return Supervisor(services, home=settings.home_dir, env=env, say=say, chore=_postgres_watch(settings))


def _postgres_watch(settings: Settings) -> Callable[[], str | None] | None:
    """What starts the embedded PostgreSQL again if it was killed; an external one has its own keeper."""
    if settings.database_url:
        return None

    def start_if_gone() -> str | None:
        if _postgres_runs(settings):
            return None
        open_cluster(settings.home_dir, settings.system_data)
        return "PostgreSQL was gone; started again"

    return start_if_gone


def _let_go_of_postgres(settings: Settings, addresses: Addresses, stop: StopRequests, say: Say) -> None:
    """Stop the embedded PostgreSQL, unless a command in another terminal works on it."""
    if settings.database_url:
        return
    others = _other_clients(addresses)
    if others and not stop.is_hurry:
        say(f"PostgreSQL goes on: {others} other connections use it. `rejoinder down` stops it.")
        return
    stop_cluster(settings.home_dir, settings.system_data)
    say("PostgreSQL stopped")


def _other_clients(addresses: Addresses) -> int:
    try:
        with connect_admin(addresses.owner) as connection:
            row = connection.execute(query("other_connections")).fetchone()
    except ServiceUnavailable:
        return 0
    return int(str(row[0])) if row else 0
