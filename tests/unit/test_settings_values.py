"""Settings are refused by the name of their variable, and no part of a URL is ever shown."""

import traceback
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid
from resources.postgres import connect, connection_error
from resources.provision import connect_admin, prepare
from resources.settings import Settings, load_settings

URLS = ["DATABASE_URL", *(f"{name}_DATABASE_URL" for name in ("APP", "PUBLISHER", "DAGSTER", "MLFLOW"))]
MALFORMED = [
    "postgresql://me:se kret@host/db",
    "postgresql://me:se@kret@host/db",
    "postgresql://me:se/kret@host/db",
    "postgresql://me:12/kret@host/db",
    "postgresql://me:kret%zz@host/db",
    "postgresql://me:kret@host:99x/db",
    "postgresql://me:kret@[::1/db",
    "postgresql://me:kret@host/db?colour=1",
    "mysql://me:kret@host/db",
    "host=x password=kret",
    "kret",
]


def refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    """What is shown of the refusal, its causes included."""
    monkeypatch.setenv(f"REJOINDER_{name}", value)
    load_settings.cache_clear()
    with pytest.raises(ConfigInvalid) as caught:
        load_settings()
    return "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("value", MALFORMED)
@pytest.mark.parametrize("name", URLS)
def test_a_malformed_url_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    shown = refused(monkeypatch, name, value)
    assert f"REJOINDER_{name}: " in shown and "postgresql://USER:PASSWORD@" in shown
    assert "kret" not in shown


@given(secret=st.text(st.characters(codec="ascii", exclude_characters="\0"), min_size=4, max_size=12))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
def test_a_password_that_is_not_escaped_is_never_shown(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("REJOINDER_DATABASE_URL", f"postgresql://me:Q{secret}Z@host/db")
    load_settings.cache_clear()
    try:
        load_settings()
    except ConfigInvalid as error:
        assert f"Q{secret}Z" not in str(error)
        assert error.__cause__ is None


def test_one_spelling_for_all_who_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_DATABASE_URL", "postgres://me:k%40@/db?host=%2Ftmp%2Fx")
    load_settings.cache_clear()
    given_url = load_settings().database_url
    assert given_url and given_url.get_secret_value() == "postgresql://me:k%40@/db?host=%2Ftmp%2Fx"


@pytest.mark.parametrize("open_connection", [connect, connect_admin])
def test_a_connection_does_not_quote_the_url_either(open_connection) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        open_connection("postgresql://me:se kret@host/db")
    assert "kret" not in str(caught.value)
    assert caught.value.__cause__ is None and caught.value.__suppress_context__


def test_a_server_that_is_gone_is_another_error() -> None:
    assert "gone" in str(connection_error(psycopg.OperationalError("gone\nand more")))


@pytest.mark.parametrize(("level", "means"), [("debug", "DEBUG"), ("Warning", "WARNING"), ("ERROR", "ERROR")])
def test_a_log_level_in_any_case(monkeypatch: pytest.MonkeyPatch, level: str, means: str) -> None:
    monkeypatch.setenv("REJOINDER_LOG_LEVEL", level)
    load_settings.cache_clear()
    assert load_settings().log_level == means


def test_an_unknown_log_level_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = refused(monkeypatch, "LOG_LEVEL", "LOUD")
    assert "REJOINDER_LOG_LEVEL: " in shown and "'WARNING'" in shown


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for home in (Path("/proc/nope"), tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigInvalid, match=r"REJOINDER_HOME or --home\) cannot be made") as caught:
            prepare(Settings(home=home))
        assert str(home) in str(caught.value) and "REJOINDER_HOME" in (caught.value.fix or "")
