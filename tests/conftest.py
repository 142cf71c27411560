"""Fixtures that every folder of tests shares: a real PostgreSQL, a database per test, the real data."""

import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import settings as hypothesis_settings
from sqlalchemy.engine import make_url

from resources.commands import people
from resources.embedded.cluster import Cluster, open_cluster, stop_cluster
from resources.postgres import Database
from resources.provision import EMBEDDED_DATABASE, Addresses, connect_admin, prepare
from resources.settings import Settings, load_settings

# A folder in memory, on Linux; how many bytes must be free for one more home (which takes a tenth of it).
MEMORY, ENOUGH_MEMORY = Path("/dev/shm"), 4 << 30
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
HOME_PREFIX = "rejoinder-test-"
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
    _remove_left_homes()

    def make() -> Path:
        home = Path(tempfile.mkdtemp(prefix=f"{HOME_PREFIX}{os.getpid()}-", dir=_folder_of_homes()))
        home.chmod(0o755)
        made.append(home)
        return home

    yield make
    for home in made:
        _remove_home(home)


def _folder_of_homes() -> Path:
    """Memory, where the system offers it as a folder and has plenty: a database is made there in half the time."""
    if MEMORY.is_dir():
        free = min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available)
        if free >= ENOUGH_MEMORY:
            return MEMORY
    return Path(tempfile.gettempdir())


def _remove_left_homes() -> None:
    """Remove homes of test processes that were killed: they would fill the memory."""
    for home in MEMORY.glob(f"{HOME_PREFIX}*"):
        if not psutil.pid_exists(int(home.name.removeprefix(HOME_PREFIX).partition("-")[0])):
            _remove_home(home)


def _remove_home(home: Path) -> None:
    stop_cluster(home, Settings().system_data)
    shutil.rmtree(home, ignore_errors=True)


class Admin:
    """The superuser's connection to the session's cluster, made anew when a test broke it."""

    def __init__(self, cluster: Cluster) -> None:
        self._url = cluster.url("postgres", "postgres", "postgres")
        self._connection = connect_admin(self._url)

    def execute(self, *statements: str) -> None:
        """Run statements, each in a transaction of its own."""
        for statement in statements:
            try:
                self._connection.execute(statement)
            except psycopg.OperationalError:
                self._connection.close()
                self._connection = connect_admin(self._url)
                self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()


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
        admin.execute("alter system set max_wal_size = '128MB'")
        admin.execute("select pg_reload_conf()")
    return made


@pytest.fixture(scope="session")
def template_addresses(cluster: Cluster) -> Addresses:
    """Addresses of the template; no test may write to it."""
    return prepare(Settings(home=cluster.home))


@pytest.fixture(scope="session")
def admin(cluster: Cluster, template_addresses: Addresses) -> Iterator[Admin]:
    """Makes and drops databases."""
    opened = Admin(cluster)
    yield opened
    opened.close()


@contextmanager
def own_database(admin: Admin, template: Addresses, name: str) -> Iterator[Addresses]:
    """Addresses of a database made from the template, dropped with the block."""
    admin.execute(
        f'create database "{name}" template "{EMBEDDED_DATABASE}" owner rejoinder_owner strategy file_copy',
        f'grant connect on database "{name}" to rejoinder_app, rejoinder_publisher',
    )

    def within(url: str) -> str:
        return make_url(url).set(database=name).render_as_string(hide_password=False)

    yield replace(
        template,
        owner=within(template.owner),
        app=within(template.app),
        publisher=within(template.publisher),
    )
    admin.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def quick_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 hashes passwords as ever, with a 60th of the memory and a third of the rounds: hundreds are made."""
    monkeypatch.setattr(people, "_hasher", lambda: QUICK_HASHER)


@pytest.fixture
def addresses(admin: Admin, template_addresses: Addresses, quick_passwords: None) -> Iterator[Addresses]:
    """Addresses of a fresh, migrated database for this test alone."""
    with own_database(admin, template_addresses, f"test_{os.getpid()}_{next(_numbers)}") as made:
        yield made


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
