from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from resources.provision import Addresses
from resources.services import (
    Choice,
    Ports,
    build_services,
    port_claims,
    sandbox_arguments,
    search_path,
    streamlit_environment,
)
from resources.settings import Settings
from resources.supervisor.order import start_order
from resources.supervisor.specs import ChildSpec

SECRET = "hunter2"
EVERYTHING = Choice(has_sandbox=True, has_publisher=True)


@pytest.fixture
def addresses() -> Addresses:
    url = f"postgresql://someone:{SECRET}@/db?host=/run"
    return Addresses(url, url, url, url, url)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "a home: with 'odd' \"signs\"")


def by_name(settings: Settings, addresses: Addresses, choice: Choice) -> dict[str, ChildSpec]:
    return {s.name: s for s in build_services(settings, addresses, choice)}


def test_no_password_in_any_argument_or_in_a_file_that_others_may_read(
    settings: Settings, addresses: Addresses
) -> None:
    for spec in build_services(settings, addresses, EVERYTHING):
        assert not any(SECRET in argument for argument in spec.argv)
        assert SECRET not in spec.address
    written = [f for f in settings.home_dir.rglob("*") if f.is_file()]
    assert {f.name for f in written} >= {"dagster.yaml", "workspace.yaml"}
    holders = [f for f in written if SECRET in f.read_text()]
    assert [f.name for f in holders] == ["pgpass"]
    assert all(f.stat().st_mode & 0o077 == 0 for f in holders)


def test_storage_is_ready_before_dagster_and_the_sandbox_before_the_publisher(
    settings: Settings, addresses: Addresses
) -> None:
    names = [s.name for s in start_order(build_services(settings, addresses, EVERYTHING))]
    assert names.index("dagster-storage") < names.index("dagster-daemon")
    assert names.index("dagster-code") < names.index("dagster")
    assert names.index("sandbox") < names.index("publisher")


def test_only_what_was_chosen_runs_and_claims_a_port(settings: Settings, addresses: Addresses) -> None:
    bare = Choice(has_mlflow=False, has_api=False)
    assert not {"mlflow", "sandbox", "publisher", "api"} & set(by_name(settings, addresses, bare))
    assert {"mlflow", "sandbox", "publisher", "api"} <= set(by_name(settings, addresses, EVERYTHING))
    assert len(port_claims(bare)) == 3
    assert len(port_claims(EVERYTHING)) == 6


def test_everything_listens_on_loopback_at_the_chosen_ports(settings: Settings, addresses: Addresses) -> None:
    ports = Ports(dagster=3101, review=3102, mlflow=3103, code=3104, sandbox=3105, api=3106)
    specs = by_name(settings, addresses, Choice(ports, has_sandbox=True))
    assert {name: s.address.removeprefix("http://") for name, s in specs.items() if s.address} == {
        "dagster": "127.0.0.1:3101",
        "review": "127.0.0.1:3102",
        "mlflow": "127.0.0.1:3103",
        "dagster-code": "127.0.0.1:3104",
        "sandbox": "127.0.0.1:3105",
        "api": "127.0.0.1:3106",
    }
    for name in ("dagster", "review", "mlflow", "dagster-code", "api"):
        assert "127.0.0.1" in specs[name].argv


def test_dagster_gets_the_driver_its_web_server_works_with(settings: Settings, addresses: Addresses) -> None:
    env = by_name(settings, addresses, Choice())["dagster"].env
    assert env["REJOINDER_DAGSTER_STORAGE_URL"].startswith("postgresql+psycopg2://")


def test_mlflow_gets_its_database_without_the_password(settings: Settings, addresses: Addresses) -> None:
    mlflow = by_name(settings, addresses, Choice())["mlflow"]
    store = mlflow.argv[mlflow.argv.index("--backend-store-uri") + 1]
    assert store.startswith("postgresql+psycopg://") and "passfile=" in store
    password = str(make_url(addresses.mlflow).password)
    assert password not in " ".join(mlflow.argv) and password not in " ".join(mlflow.env.values())


def test_streamlit_options_travel_as_variables(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[browser]\ngatherUsageStats = false\n[theme.sidebar]\ntextColor = "#fff"\n')
    assert streamlit_environment(config) == {
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "STREAMLIT_THEME_SIDEBAR_TEXT_COLOR": "#fff",
    }
    assert streamlit_environment(tmp_path / "absent.toml") == {}


def test_search_path_puts_the_code_first_and_keeps_what_was_there(tmp_path: Path) -> None:
    parts = search_path(Choice(code_root=tmp_path), "/already:").split(":")
    assert parts[0] == str(tmp_path)
    assert parts[-1] == "/already"
    assert len(parts) == len(set(parts)) == 3


def test_whoever_starts_the_sandbox_starts_it_on_the_state_of_the_home(
    settings: Settings, addresses: Addresses, tmp_path: Path
) -> None:
    started_by_up = by_name(settings, addresses, Choice(Ports(sandbox=3105), has_sandbox=True))["sandbox"]
    assert list(started_by_up.argv[3:]) == sandbox_arguments(settings, 3105)
    other = sandbox_arguments(settings, 1, state=tmp_path / "s", posts=tmp_path / "p", account="a")
    assert other[-4:] == ["--posts", str(tmp_path / "p"), "--account", "a"]
    assert str(tmp_path / "s") in other and str(settings.home_dir) not in " ".join(other)


def test_a_taken_sandbox_port_names_the_option_that_changes_it(settings: Settings) -> None:
    assert port_claims(Choice(has_mlflow=False, has_sandbox=True))[-1].change_with == "--sandbox-port"
