"""A server of one's own: what is made where the login may, what an administrator is asked for where it may not."""

import re
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from resources.embedded.cluster import Cluster, open_cluster
from resources.provision import GROUPS, LOGIN_FILE, Addresses, connect_admin, prepare
from resources.settings import Settings

PASSWORD = "k/ret@n 1%"  # pragma: allowlist secret


@dataclass
class Server:
    """A server that knows nothing of Rejoinder; its logins and databases are made per test."""

    cluster: Cluster

    def database(self, name: str, rights: str) -> str:
        """A fresh database and its owner with these rights; the owner's URL."""
        with connect_admin(self.cluster.url("postgres", "postgres", "postgres")) as admin:
            admin.execute(f"create role {name}_boss login {rights} password '{PASSWORD}'")
            admin.execute(f"create database {name} owner {name}_boss")
        host = quote(str(self.cluster.places.socket), safe="")
        return f"postgresql://{name}_boss:{quote(PASSWORD, safe='')}@/{name}?host={host}"

    def drop_groups(self) -> None:
        """Forget the group roles, which all databases of a server share."""
        with connect_admin(self.cluster.url("postgres", "postgres", "postgres")) as admin:
            admin.execute("drop role if exists rejoinder_may_run, rejoinder_may_publish")


@pytest.fixture(scope="module")
def server(home_factory: Callable[[], Path]) -> Server:
    return Server(open_cluster(home_factory(), Settings().system_data))


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    """Preparation is remembered per process."""
    prepare.cache_clear()
    yield
    prepare.cache_clear()


def who_and_where(url: str) -> tuple[str, str]:
    with connect_admin(url) as connection:
        return connection.info.user, connection.info.dbname


def test_a_login_that_may_not_create_is_told_the_lines(server: Server, tmp_path: Path) -> None:
    url = server.database("modest", "nocreaterole nocreatedb")
    with pytest.raises(ConfigInvalid) as caught:
        prepare(Settings(home=tmp_path, database_url=url))
    lines = [line.strip() for line in str(caught.value).splitlines()]
    for line in (
        'CREATE ROLE "rejoinder_may_run" NOLOGIN;',
        'CREATE ROLE "rejoinder_may_publish" NOLOGIN;',
        "CREATE ROLE \"modest_app\" LOGIN PASSWORD '<choose one>';",
        "CREATE ROLE \"modest_publisher\" LOGIN PASSWORD '<choose one>';",
        'CREATE DATABASE "modest_dagster" OWNER "modest_tools";',
        'CREATE DATABASE "modest_mlflow" OWNER "modest_tools";',
    ):
        assert line in lines
    assert "REJOINDER_APP_DATABASE_URL" in (caught.value.fix or "")
    shown = "".join(traceback.format_exception(caught.value))
    generated = (tmp_path / LOGIN_FILE).read_text()
    assert PASSWORD not in shown and quote(PASSWORD, safe="") not in shown
    assert not any(word in shown for word in generated.split('"') if len(word) > 30)


def test_a_login_that_may_create_makes_everything(server: Server, tmp_path: Path) -> None:
    server.drop_groups()
    settings = Settings(home=tmp_path, database_url=server.database("mighty", "createrole createdb"))
    with pytest.raises(ConfigInvalid, match="CREATE EXTENSION vector;") as caught:
        prepare(settings)
    assert "ROLE" not in str(caught.value) and "REJOINDER_APP" not in (caught.value.fix or "")
    with connect_admin(server.cluster.url("postgres", "postgres", "mighty")) as admin:
        admin.execute("create extension vector")
    found = prepare(settings)
    assert {name: who_and_where(getattr(found, name)) for name in Addresses.__slots__} == {
        "owner": ("mighty_boss", "mighty"),
        "app": ("mighty_app", "mighty"),
        "publisher": ("mighty_publisher", "mighty"),
        "dagster": ("mighty_tools", "mighty_dagster"),
        "mlflow": ("mighty_tools", "mighty_mlflow"),
    }
    with psycopg.connect(found.app) as app:
        assert app.execute("select count(*) from post").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("drop table post")
    with psycopg.connect(found.publisher) as publisher, pytest.raises(psycopg.errors.InsufficientPrivilege):
        publisher.execute("insert into review default values")
    prepare.cache_clear()
    assert prepare(settings) == found


def test_what_an_administrator_made_is_used(server: Server, tmp_path: Path) -> None:
    url = server.database("given", "nocreaterole nocreatedb")
    settings = {"home": tmp_path, "database_url": url}
    with pytest.raises(ConfigInvalid) as caught:
        prepare(Settings(**settings))
    lines = [line.strip() for line in str(caught.value).splitlines() if line.strip().endswith(";")]
    with connect_admin(server.cluster.url("postgres", "postgres", "given")) as admin:
        for line in lines:
            admin.execute(line.replace("<choose one>", PASSWORD))
    with_login = url.replace("given_boss:", "given_{}:")
    for name, login, database in (
        ("app", "app", "given"),
        ("publisher", "publisher", "given"),
        ("dagster", "tools", "given_dagster"),
        ("mlflow", "tools", "given_mlflow"),
    ):
        settings[f"{name}_database_url"] = with_login.format(login).replace("/given?", f"/{database}?")
    found = prepare(Settings(**settings))
    assert who_and_where(found.app) == ("given_app", "given")
    assert who_and_where(found.mlflow) == ("given_tools", "given_mlflow")


def installation(server: Server, name: str, home: Path) -> Addresses:
    """A whole installation in a database of its own on this server."""
    url = server.database(name, "createrole createdb")
    with connect_admin(server.cluster.url("postgres", "postgres", name)) as admin:
        admin.execute("create extension vector")
        for group in GROUPS.values():
            if not admin.execute("select 1 from pg_roles where rolname = %s", (group,)).fetchone():
                admin.execute(f"create role {group} nologin")
            admin.execute(f"grant {group} to {name}_boss with admin option")
    prepare.cache_clear()
    return prepare(Settings(home=home, database_url=url))


def test_the_logins_of_one_installation_enter_no_other_on_the_server(server: Server, tmp_path: Path) -> None:
    """Groups are the server's: whoever could enter the other database would have the same rights there."""
    here, there = (installation(server, name, tmp_path / name) for name in ("here", "there"))
    for own, other, database in ((here, there, "there"), (there, here, "here")):
        for role in ("owner", "app", "publisher", "dagster"):
            strayed = re.sub(r"@/\w+\?", f"@/{database}?", getattr(own, role))
            with pytest.raises(ServiceUnavailable, match="permission denied for database"):
                connect_admin(strayed)
            assert who_and_where(getattr(other, role))[0].startswith(database)
        for role in ("app", "publisher"):
            with psycopg.connect(getattr(own, role)) as connection:
                assert connection.execute("select count(*) from publication").fetchone() == (0,)


def test_a_door_that_this_login_may_not_open_is_told(server: Server, tmp_path: Path) -> None:
    """PostgreSQL only warns of a grant that has no effect, and the application would find the door shut."""
    url = server.database("locked", "createrole createdb")
    with connect_admin(server.cluster.url("postgres", "postgres", "locked")) as admin:
        admin.execute("create extension vector")
        admin.execute("create role locked_lord nologin")
        admin.execute("alter database locked owner to locked_lord")
        admin.execute("revoke all on database locked from public")
        admin.execute("grant connect on database locked to locked_boss")
        for group in GROUPS.values():
            if not admin.execute("select 1 from pg_roles where rolname = %s", (group,)).fetchone():
                admin.execute(f"create role {group} nologin")
            admin.execute(f"grant {group} to locked_boss with admin option")
    with pytest.raises(ConfigInvalid) as caught:
        prepare(Settings(home=tmp_path, database_url=url))
    lines = {line.strip() for line in str(caught.value).splitlines()}
    assert {f'GRANT CONNECT ON DATABASE "locked" TO "locked_{role}";' for role in GROUPS} <= lines
