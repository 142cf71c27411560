"""The doctor finds what is not well, names the fix, and changes nothing."""

import json
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import make_url
from typer.testing import CliRunner

from cli.doctor import register
from resources.embedded.cluster import Cluster, is_running, open_cluster, stop_cluster
from resources.health import Finding, endpoints_finding, examine
from resources.postgres import Database
from resources.provision import Addresses, connect_admin, prepare
from resources.services import Ports
from resources.settings import load_settings, use_home
from resources.tuning import Tuning


def verdicts() -> dict[str, Finding]:
    return {finding.check: finding for finding in examine()}


@pytest.fixture
def on_server(addresses: Addresses, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """Settings that name this test's own database as an external one."""
    monkeypatch.setenv("REJOINDER_DATABASE_URL", addresses.owner)
    load_settings.cache_clear()
    return addresses


def test_a_healthy_home_is_well(cluster: Cluster) -> None:
    use_home(cluster.home)
    found = verdicts()
    database = {"postgres", "pgvector", "migrations", "roles", "database"}
    assert {name: found[name].verdict for name in database} == dict.fromkeys(database, "ok")
    assert not any(password in repr(found) for password in cluster.passwords.values())


def test_a_home_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    home = tmp_path / "not" / "yet"
    use_home(home)
    found = verdicts()
    assert found["home"].verdict == "ok"
    assert (found["postgres"].verdict, found["postgres"].fix) == ("warn", "rejoinder init")
    assert not home.exists()
    assert not home.parent.exists()


def test_an_application_that_could_change_tables_fails(on_server: Addresses, cluster: Cluster) -> None:
    assert verdicts()["roles"].verdict == "ok"
    with connect_admin(on_server.owner) as owner:
        owner.execute("grant create on schema public to rejoinder_may_run")
    assert verdicts()["roles"].verdict == "fail"
    assert "rejoinder_may_run" in verdicts()["roles"].detail


def test_logins_that_were_named_are_looked_at(
    on_server: Addresses, admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One login for both parts of the work decides and sends: nothing is kept apart any more."""
    admin.execute(
        "create role does_both login in role rejoinder_may_run, rejoinder_may_publish",
    )
    try:
        both = make_url(on_server.app).set(username="does_both").render_as_string(hide_password=False)
        monkeypatch.setenv("REJOINDER_PUBLISHER_DATABASE_URL", both)
        load_settings.cache_clear()
        found = verdicts()["roles"]
    finally:
        admin.execute("drop role does_both")
    assert (found.verdict, "does_both" in found.detail) == ("fail", True)


def test_whoever_is_shut_out_and_whoever_enters_unnamed_is_told_with_the_lines(
    on_server: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database made anew, as a restore makes it, lets everybody in; an administrator may have been too strict."""
    monkeypatch.setenv("REJOINDER_APP_DATABASE_URL", on_server.app)
    load_settings.cache_clear()
    name, app = make_url(on_server.owner).database, make_url(on_server.app).username
    with connect_admin(on_server.owner) as owner:
        owner.execute(f'revoke connect on database "{name}" from "{app}"')
        open_to_all = verdicts()["database"]
        assert open_to_all.verdict == "warn" and "PUBLIC" in open_to_all.detail
        assert f'GRANT CONNECT ON DATABASE "{name}" TO "{app}"; REVOKE' in open_to_all.fix
        owner.execute(open_to_all.fix.removeprefix("As its owner: "))
        assert verdicts()["database"].verdict == "ok"
        owner.execute(f'revoke connect on database "{name}" from "{app}"')
        shut = verdicts()["database"]
        assert (shut.verdict, shut.detail) == ("fail", f"{app} may not enter {name}")
        owner.execute(shut.fix.removeprefix("As its owner: "))
        assert verdicts()["database"].verdict == "ok"


def test_migrations_are_compared_with_the_files(on_server: Addresses, owner_db: Database) -> None:
    assert verdicts()["migrations"].verdict == "ok"
    with connect_admin(on_server.owner) as owner:
        owner.execute(
            "delete from schema_migration where number = (select max(number) from schema_migration)"
        )
        assert verdicts()["migrations"].verdict == "warn"
        owner.execute("update schema_migration set sha256 = 'other' where number = 1")
        assert verdicts()["migrations"].verdict == "fail"
        owner.execute("update schema_migration set number = 9999 where number = 1")
        assert "9999" in verdicts()["migrations"].detail
        owner.execute("drop table schema_migration cascade")
        assert verdicts()["migrations"].verdict == "warn"


def test_keys_without_their_settings_are_no_trouble_of_the_database(
    on_server: Addresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REJOINDER_CREDENTIAL_KEY_SOURCE", "vault")
    load_settings.cache_clear()
    found = verdicts()
    assert (found["postgres"].verdict, found["credential keys"].verdict) == ("ok", "fail")
    assert "REJOINDER_VAULT_URL" in found["credential keys"].detail


def test_a_server_that_is_gone_fails_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_DATABASE_URL", "postgresql://me:hunter2@127.0.0.1:9/nowhere")
    load_settings.cache_clear()
    finding = verdicts()["postgres"]
    assert finding.verdict == "fail"
    assert "hunter2" not in repr(finding)


def test_postgres_is_left_as_it_was_found(home_factory: Callable[[], Path]) -> None:
    settings = use_home(home_factory())
    places = open_cluster(settings.home_dir, settings.system_data).places
    assert verdicts()["postgres"].verdict == "fail"  # a cluster without our databases: provisioning never ran
    assert is_running(places)
    prepare(settings)
    stop_cluster(settings.home_dir, settings.system_data)
    assert verdicts()["migrations"].verdict == "ok"
    assert not is_running(places)


def test_a_wrong_tuning_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "mine.toml"
    config.write_text("[thresholds]\nfloor = 7\n")
    monkeypatch.setenv("REJOINDER_CONFIG", str(config))
    load_settings.cache_clear()
    finding = verdicts()["rejoinder.toml"]
    assert finding.verdict == "fail"
    assert "thresholds.floor" in finding.detail


def test_a_busy_port_is_a_warning_with_the_option(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", Ports().dagster))
            listener.listen()
        except OSError:
            pass  # somebody else holds it: as good
        finding = verdicts()[f"port {Ports().dagster}"]
    assert finding.verdict == "warn"
    assert "--dagster-port" in finding.fix


def test_the_command_prints_one_object_and_its_exit_code_tells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = typer.Typer()
    register(app)
    well = CliRunner().invoke(app, ["--json"])
    assert well.exit_code == 0
    assert json.loads(well.stdout)["ok"] is True
    monkeypatch.setenv("REJOINDER_CONFIG", str(tmp_path / "absent.toml"))
    load_settings.cache_clear()
    ill = CliRunner().invoke(app, ["--json"])
    assert ill.exit_code == 1
    assert json.loads(ill.stdout)["ok"] is False
    monkeypatch.setenv("COLUMNS", "400")  # a long path of the test's own is not to be broken in two
    table = CliRunner().invoke(app, [])
    assert table.exit_code == 1
    assert "absent.toml" in table.stdout


def test_where_raw_input_goes_and_what_may_be_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_home(tmp_path / "home")
    assert verdicts()["object store"] == Finding("object store", "ok", f"folder {tmp_path}/home/objects")
    assert verdicts()["fetching"].verdict == "ok"
    monkeypatch.setenv("REJOINDER_OBJECT_STORE", "nonsense://bucket")
    monkeypatch.setenv("REJOINDER_FETCH_ALLOW", "10.0.0.0/99")
    load_settings.cache_clear()
    assert (verdicts()["object store"].verdict, verdicts()["fetching"].verdict) == ("fail", "fail")


def test_models_that_could_never_be_called_are_named() -> None:
    def found(**endpoints: dict[str, object]) -> Finding:
        return endpoints_finding(Tuning.model_validate({"endpoints": endpoints}))

    priced = {"uri": "openai::gpt-4.1-mini", "price_in": 1.0, "price_out": 2.0}
    assert (found().verdict, found(small=priced).verdict) == ("ok", "ok")
    unpriced = found(small=priced, large={"uri": "openai::gpt-4.1"})
    assert (unpriced.verdict, "large" in unpriced.detail, "small" in unpriced.detail) == ("warn", True, False)
    assert found(small={**priced, "uri": "nosuch::model"}).verdict == "fail"
