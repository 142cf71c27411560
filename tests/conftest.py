"""Fixtures that every folder of tests shares: a real PostgreSQL, a database per test, the real data."""

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import make_url

from resources.embedded.cluster import Cluster, open_cluster, stop_cluster
from resources.postgres import Database
from resources.provision import EMBEDDED_DATABASE, Addresses, connect_admin, prepare
from resources.settings import Settings, load_settings

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
_numbers = itertools.count(1)

# No test measures time: a first call that loads a table is no failure, however busy the machine.
hypothesis_settings.register_profile("rejoinder", deadline=None)
hypothesis_settings.load_profile("rejoinder")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No test depends on the environment or leaves anything in the real home."""
    for name in [n for n in os.environ if n.startswith(("REJOINDER_", "MLFLOW_", "DAGSTER_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path / "home"))
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real data sets, or the test is skipped."""
    if not DATA.is_dir():
        pytest.skip("the real data sets are not on this machine")
    return DATA


@pytest.fixture(scope="session")
def home_factory() -> Iterator[Callable[[], Path]]:
    """Makes homes whose embedded PostgreSQL is stopped at the end of the session."""
    made: list[Path] = []

    def make() -> Path:
        home = Path(tempfile.mkdtemp(prefix="rejoinder-test-"))
        home.chmod(0o755)
        made.append(home)
        return home

    yield make
    for home in made:
        stop_cluster(home, Settings().system_data)
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster(home_factory: Callable[[], Path]) -> Cluster:
    """One embedded PostgreSQL for the session; its database ``rejoinder`` is the template of each test's own.

    It leaves it to the system when to write: only a power cut would show, and databases are made in half the time.
    """
    settings = Settings(home=home_factory())
    prepare(settings)
    made = open_cluster(settings.home_dir, settings.system_data)
    with connect_admin(made.url("postgres", "postgres", "postgres")) as admin:
        admin.execute("alter system set fsync = off")
        admin.execute("alter system set full_page_writes = off")
        admin.execute("select pg_reload_conf()")
    return made


@pytest.fixture
def addresses(cluster: Cluster) -> Iterator[Addresses]:
    """Addresses of a fresh, migrated database for this test alone."""
    name = f"test_{os.getpid()}_{next(_numbers)}"
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" template "{EMBEDDED_DATABASE}" owner rejoinder_owner')
        admin.execute(f'grant connect on database "{name}" to rejoinder_may_run, rejoinder_may_publish')
    template = prepare(Settings(home=cluster.home))

    def within(url: str) -> str:
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    yield replace(
        template,
        owner=within(template.owner),
        app=within(template.app),
        publisher=within(template.publisher),
    )
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def db(addresses: Addresses) -> Iterator[Database]:
    """The application's connection pool."""
    database = Database(addresses.app).open()
    yield database
    database.close()


@pytest.fixture
def environment(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Commands, pages and routes find the test's own database in their environment; what they opened is forgotten."""
    for name, url in {
        "DATABASE_URL": addresses.owner,
        "APP_DATABASE_URL": addresses.app,
        "PUBLISHER_DATABASE_URL": addresses.publisher,
        "DAGSTER_DATABASE_URL": addresses.dagster,
        "MLFLOW_DATABASE_URL": addresses.mlflow,
    }.items():
        monkeypatch.setenv(f"REJOINDER_{name}", url)
    from resources import workbench

    load_settings.cache_clear()
    workbench.open_workbench.cache_clear()
    yield
    workbench.open_workbench.cache_clear()
    workbench._pool.cache_clear()


@pytest.fixture
def owner_db(addresses: Addresses) -> Iterator[Database]:
    """The owner's connection pool, for tests that look behind the curtain."""
    database = Database(addresses.owner).open()
    yield database
    database.close()


def pytest_configure(config: pytest.Config) -> None:
    """Test files share one name space (import mode prepend): two of the same name would hide each other."""
    names = [p.name for p in Path(__file__).parent.rglob("test_*.py")]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise pytest.UsageError(f"test files need names of their own: {', '.join(map(re.escape, twice))}")
