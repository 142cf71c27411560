"""Databases, roles and logins: made where allowed, else an error that prints the lines to run.

Three databases on one server, ``<db>``, ``<db>_dagster`` and ``<db>_mlflow``, and four logins: the owner
(migrations only), ``<db>_app``, ``<db>_publisher`` and ``<db>_tools`` (Dagster's and MLflow's own databases).
"""

import errno
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from pydantic import SecretStr
from sqlalchemy.engine import make_url

from rejoinder.errors import ConfigInvalid
from resources.embedded.cluster import Cluster, open_cluster
from resources.embedded.private_files import one_at_a_time, write_private
from resources.migrations import migrate
from resources.postgres import connection_error
from resources.sealing.opening import keeper_of
from resources.sealing.plain_rows import seal_plain_rows
from resources.settings import OTHER_HOME, Settings

EMBEDDED_DATABASE = "rejoinder"
LOGIN_FILE = "logins.json"
OLDEST_SERVER = 150000
GROUPS = {"app": "rejoinder_may_run", "publisher": "rejoinder_may_publish"}


@dataclass(frozen=True, slots=True)
class Addresses:
    """Connection URLs by role; each holds a password, so none is ever printed."""

    owner: str
    app: str
    publisher: str
    dagster: str
    mlflow: str

    def __repr__(self) -> str:
        """No passwords in logs."""
        return "Addresses(...)"


@dataclass(frozen=True, slots=True)
class Need:
    """Something the server must have: how to see it, how to make it, what to tell an administrator.

    is_looked_at: PostgreSQL only warns where this login may not make it, so it is looked for again.
    """

    exists: sql.Composed
    make: sql.Composed
    say: str
    is_looked_at: bool = False


@lru_cache(maxsize=4)
def prepare(settings: Settings) -> Addresses:
    """Start PostgreSQL if it is the embedded one, make what is missing, migrate, seal; once per process.

    Raises:
        ServiceUnavailable: the server cannot be reached or does not start.
        ConfigInvalid: the home cannot be made, or something is missing that this login may not make; the
            message has the SQL lines.
    """
    make_home(settings.home_dir)
    if settings.database_url is None:
        addresses = _prepare_embedded(open_cluster(settings.home_dir, settings.system_data))
    else:
        addresses = _prepare_external(settings, settings.database_url.get_secret_value())
    migrate(addresses.owner)
    seal_plain_rows(addresses.owner, keeper_of(settings))
    return addresses


def make_home(home: Path) -> None:
    """Make the folder of everything this installation keeps.

    Raises:
        ConfigInvalid: it cannot be made or is no folder.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise
        raise ConfigInvalid(
            f"The home {home} (REJOINDER_HOME or --home) cannot be made: {error.strerror}.", fix=OTHER_HOME
        ) from None


def _prepare_embedded(cluster: Cluster) -> Addresses:
    name = EMBEDDED_DATABASE
    owner = f"{name}_owner"
    passwords = {role: cluster.passwords[role] for role in ("app", "publisher", "tools")}
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        make_what_is_missing(
            admin, [_login(owner, cluster.passwords["owner"]), *_needs(name, passwords, owner)]
        )
        make_what_is_missing(admin, [_database(name, owner)])
    with connect_admin(cluster.url("postgres", "postgres", name)) as admin:
        make_what_is_missing(admin, [EXTENSION, *_admissions(name, [f"{name}_{role}" for role in GROUPS])])
    owner_url = cluster.url("owner", owner, name)
    return _addresses(owner_url, name, passwords, {})


def _prepare_external(settings: Settings, owner_url: str) -> Addresses:
    given = {
        "app": settings.app_database_url,
        "publisher": settings.publisher_database_url,
        "dagster": settings.dagster_database_url,
        "mlflow": settings.mlflow_database_url,
    }
    with connect_admin(owner_url) as admin:
        if admin.info.server_version < OLDEST_SERVER:
            raise ConfigInvalid("REJOINDER_DATABASE_URL: PostgreSQL 15 or newer is needed.")
        name, owner = admin.info.dbname, admin.info.user
        passwords = _stored_logins(settings.home_dir, name)
        skipped = {f"{name}_{key}" for key, url in given.items() if url}
        needs = [EXTENSION, *_needs(name, passwords, owner, skipped)]
        missing = make_what_is_missing(admin, needs)
        missing += make_what_is_missing(admin, _admissions(name, logins_of(settings, name)))
    if missing:
        raise _not_allowed(name, owner, missing)
    return _addresses(owner_url, name, passwords, given)


def _not_allowed(name: str, owner: str, missing: list[str]) -> ConfigInvalid:
    lines = "\n  ".join(missing)
    message = (
        f"The login {owner} may not make what Rejoinder needs. Have an administrator run, in the database {name}:\n"
        f"  {lines}"
    )
    if missing == [EXTENSION.say]:
        return ConfigInvalid(message, fix="Run the command again once that is done.")
    fix = (
        "Once that is done, name the logins and databases that were made in REJOINDER_APP_DATABASE_URL, "
        "REJOINDER_PUBLISHER_DATABASE_URL, REJOINDER_DAGSTER_DATABASE_URL and REJOINDER_MLFLOW_DATABASE_URL."
    )
    return ConfigInvalid(message, fix=fix)


def make_what_is_missing(admin: psycopg.Connection[tuple[object, ...]], needs: list[Need]) -> list[str]:
    """Make every need that is not there; the SQL lines of those that this login may not make."""
    missing = []
    for need in needs:
        if admin.execute(need.exists).fetchone():
            continue
        try:
            admin.execute(need.make)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject):
            missing.append(need.say)
        except (
            psycopg.errors.DuplicateObject,
            psycopg.errors.DuplicateDatabase,
            psycopg.errors.UniqueViolation,
        ):
            continue  # another process made it in between
        else:
            if need.is_looked_at and not admin.execute(need.exists).fetchone():
                missing.append(need.say)
    return missing


def connect_admin(url: str, *, timeout_s: int = 10) -> psycopg.Connection[tuple[object, ...]]:
    """An autocommit connection, before the extension that resources.postgres.connect expects is there.

    Raises:
        ServiceUnavailable: the server cannot be reached.
        ConfigInvalid: the URL cannot be read.
    """
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=timeout_s)
    except (psycopg.Error, ValueError) as error:
        raise connection_error(error) from None


EXTENSION = Need(
    sql.SQL("select 1 from pg_extension where extname = {}").format(sql.Literal("vector")),
    sql.SQL("create extension if not exists {}").format(sql.Identifier("vector")),
    "CREATE EXTENSION vector;",
)


def _needs(
    name: str, passwords: Mapping[str, str], owner: str, skipped: set[str] | None = None
) -> list[Need]:
    """Group roles, logins, memberships and the tools' databases, but for what is skipped."""
    skipped = skipped or set()
    logins = [role for role in ("app", "publisher") if f"{name}_{role}" not in skipped]
    databases = [f"{name}_{tool}" for tool in ("dagster", "mlflow") if f"{name}_{tool}" not in skipped]
    needs = [_group(group) for group in GROUPS.values()]
    needs += [_login(f"{name}_{role}", passwords[role]) for role in logins]
    needs += [_membership(f"{name}_{role}", GROUPS[role]) for role in logins]
    if databases:
        needs += [_login(f"{name}_tools", passwords["tools"]), _membership(owner, f"{name}_tools")]
    return needs + [_database(database, f"{name}_tools") for database in databases]


def _role_exists(role: str) -> sql.Composed:
    return sql.SQL("select 1 from pg_roles where rolname = {}").format(sql.Literal(role))


def _group(role: str) -> Need:
    make = sql.SQL("create role {} nologin").format(sql.Identifier(role))
    return Need(_role_exists(role), make, f'CREATE ROLE "{role}" NOLOGIN;')


def _login(role: str, password: str) -> Need:
    make = sql.SQL("create role {} login password {}").format(sql.Identifier(role), sql.Literal(password))
    return Need(_role_exists(role), make, f"CREATE ROLE \"{role}\" LOGIN PASSWORD '<choose one>';")


def _membership(member: str, group: str) -> Need:
    # By way of pg_roles: asked about a role that is not there, pg_has_role is an error.
    exists = sql.SQL(
        "select 1 from pg_roles m, pg_roles g"
        " where m.rolname = {} and g.rolname = {} and pg_has_role(m.oid, g.oid, 'USAGE')"
    )
    make = sql.SQL("grant {} to {}").format(sql.Identifier(group), sql.Identifier(member))
    return Need(
        exists.format(sql.Literal(member), sql.Literal(group)), make, f'GRANT "{group}" TO "{member}";'
    )


def _admissions(name: str, logins: list[str]) -> list[Need]:
    """Each login enters its own database by name: groups are the server's, and strangers belong to them, too.

    Where this login does not own the database, everybody may enter it until its owner changes that.
    """
    exists = sql.SQL(
        "select 1 from pg_database d, pg_roles r"
        " where d.datname = {} and r.rolname = {} and has_database_privilege(r.oid, d.oid, 'CONNECT')"
        " and (not pg_has_role(d.datdba, 'USAGE')"
        " or exists (select from aclexplode(d.datacl) a where a.grantee = r.oid and a.privilege_type = 'CONNECT'))"
    )
    make = sql.SQL("grant connect on database {} to {}")
    return [
        Need(
            exists.format(sql.Literal(name), sql.Literal(login)),
            make.format(sql.Identifier(name), sql.Identifier(login)),
            f'GRANT CONNECT ON DATABASE "{name}" TO "{login}";',
            is_looked_at=True,
        )
        for login in logins
    ]


def _database(name: str, owner: str) -> Need:
    make = sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(owner))
    exists = sql.SQL("select 1 from pg_database where datname = {}").format(sql.Literal(name))
    return Need(exists, make, f'CREATE DATABASE "{name}" OWNER "{owner}";')


def _addresses(
    owner_url: str, name: str, passwords: Mapping[str, str], given: Mapping[str, SecretStr | None]
) -> Addresses:
    def url(role: str, database: str, key: str) -> str:
        if chosen := given.get(key):
            return chosen.get_secret_value()
        login = make_url(owner_url).set(
            drivername="postgresql", username=f"{name}_{role}", password=passwords[role], database=database
        )
        return login.render_as_string(hide_password=False)

    return Addresses(
        owner=owner_url,
        app=url("app", name, "app"),
        publisher=url("publisher", name, "publisher"),
        dagster=url("tools", f"{name}_dagster", "dagster"),
        mlflow=url("tools", f"{name}_mlflow", "mlflow"),
    )


def logins_of(settings: Settings, name: str) -> list[str]:
    """The logins of the application and of the publisher, as the settings name them or as they are made."""
    given = {"app": settings.app_database_url, "publisher": settings.publisher_database_url}
    named = {role: conninfo_to_dict(url.get_secret_value()).get("user") for role, url in given.items() if url}
    return [str(named.get(role) or f"{name}_{role}") for role in given]


def _stored_logins(home: Path, name: str) -> Mapping[str, str]:
    """Generated passwords of the logins on an external server, kept in a file only its owner may read."""
    path = home / LOGIN_FILE
    with one_at_a_time(home / f"{LOGIN_FILE}.lock"):
        stored: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}
        if name not in stored:
            stored[name] = {role: secrets.token_urlsafe(24) for role in ("app", "publisher", "tools")}
            write_private(path, json.dumps(stored, indent=1))
    return stored[name]
