"""`rejoinder models add|remove|verify`: from a file to an endpoint, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from gguf_writing import write_gguf
from typer.testing import CliRunner, Result

from cli.app import build_app
from cli.local_models import local_rows
from rejoinder.llm.requests import LlmRequest, Message, Sampling
from resources.llm.local_models.examining import examine
from resources.llm.local_models.packaged import packaged_file
from resources.llm.providers import registry
from resources.llm.providers.trial import trouble_loading
from resources.settings import load_settings
from resources.tuning import load_tuning


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("REJOINDER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("REJOINDER_CONFIG", str(tmp_path / "rejoinder.toml"))
    (tmp_path / "rejoinder.toml").write_text("")
    _forget()
    yield tmp_path / "home"
    _forget()


def _forget() -> None:
    load_settings.cache_clear()
    load_tuning.cache_clear()


def configure(home: Path, text: str) -> None:
    (home.parent / "rejoinder.toml").write_text(text)
    _forget()


def run(*arguments: str, given: str = "") -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(build_app(), ["models", *arguments], input=given)


def test_from_a_file_to_an_answer_of_its_endpoint(home: Path) -> None:
    added = run("add", str(packaged_file()), "--name", "mine", "--json")
    assert added.exit_code == 0, added.output
    told = json.loads(added.stdout)
    assert (told["added"]["kind"], told["added"]["architecture"]) == ("gguf", "llama")
    configure(home, told["endpoint"])
    endpoint = load_tuning(load_settings()).endpoints["mine"].endpoint("mine")
    assert str(endpoint.uri) == "llamacpp::mine" and endpoint.price is not None
    asked = LlmRequest("reply", (Message("user", "Say hello."),), None, Sampling(max_tokens=2))
    assert registry.open_client(endpoint, None).complete(asked, 120.0).text == "Hello!"
    rows = {row["name"]: row for row in local_rows()[0]}
    assert rows["mine"]["endpoints"] == "mine" and rows["smollm2"]["endpoints"] == ""


def test_removing_asks_where_an_endpoint_names_the_model(home: Path) -> None:
    # The name is that of the file that was given, not of where a link leads.
    (home.parent / "Mine.GGUF").symlink_to(packaged_file())
    run("add", str(home.parent / "Mine.GGUF"), "--link")
    configure(home, '[endpoints.first]\nuri = "mlx::mine"\n')
    assert run("remove", "mine", given="n\n").exit_code == 1
    refused = run("remove", "mine", "--json")
    assert refused.exit_code == 2 and "first" in json.loads(refused.stdout)["error"]
    assert (home / "models" / "mine").is_dir()
    assert json.loads(run("remove", "mine", "--yes", "--json").stdout)["endpoints"] == ["first"]
    assert not (home / "models" / "mine").exists()
    assert packaged_file().is_file()


def test_verifying_tells_what_was_changed(home: Path) -> None:
    run("add", str(packaged_file()), "--name", "mine")
    assert run("verify").exit_code == 0
    kept = next((home / "models" / "mine").glob("*.gguf"))
    with kept.open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x55\x55")
    found = run("verify", "mine", "--json")
    assert found.exit_code == 1
    assert "SHA-256" in json.loads(found.stdout)["models"][0]["troubles"][0]


def test_a_damaged_model_can_be_taken_out_as_the_message_says(home: Path) -> None:
    (home / "models" / "mine").mkdir(parents=True)
    (home / "models" / "mine" / "model.json").write_text("{")
    refused = run("verify", "mine")
    assert refused.exit_code == 2 and "rejoinder models remove mine" in refused.stderr
    found = run("verify", "--json")
    assert found.exit_code == 1 and "models remove mine" in found.stdout
    rows, damaged = local_rows()
    assert [row["name"] for row in rows] == ["smollm2"]
    assert [(one["name"], "models remove mine" in one["fix"]) for one in damaged] == [("mine", True)]
    assert run("remove", "mine").exit_code == 0
    assert run("verify").exit_code == 0


def test_no_program_beside_the_weights_is_run(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('run')")
    monkeypatch.chdir(tmp_path)
    assert trouble_loading(examine(packaged_file())) is None


def test_paths_that_lead_nowhere_are_told(home: Path, tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (str(tmp_path / "loop"), "~nobody-of-that-name/x.gguf", "a" * 300):
        refused = run("add", path, "--json")
        assert refused.exit_code == 2 and "error" in json.loads(refused.stdout)


def test_what_llama_cpp_cannot_load_is_not_put_in(home: Path, tmp_path: Path) -> None:
    refused = run("add", str(write_gguf(tmp_path / "odd.gguf")))
    assert refused.exit_code == 2 and "used: llama.cpp cannot load odd.gguf: it does not" in refused.stderr
    assert not (home / "models").exists()


def test_the_budget_of_the_configuration_counts(home: Path) -> None:
    configure(home, "[models]\ndisk_gib = 0.01\n")
    refused = run("add", str(packaged_file()), "--json")
    assert refused.exit_code == 2 and "models.disk_gib" in json.loads(refused.stdout)["error"]


def test_what_says_no_at_once_is_asked_before_the_model_is_loaded(home: Path, tmp_path: Path) -> None:
    odd = str(write_gguf(tmp_path / "odd.gguf"))
    (home / "models" / "taken").mkdir(parents=True)
    for arguments, said in ((("--name", "B!"), "no name"), (("--name", "taken"), "already")):
        assert said in run("add", odd, *arguments).stderr
    configure(home, "[models]\ndisk_gib = 0.0000001\n")
    assert "models.disk_gib" in run("add", odd).stderr
    # Nothing speaks against this but that it cannot be loaded.
    assert "llama.cpp cannot load" in run("add", odd, "--link").stderr


def test_nothing_is_there_to_verify_or_remove(home: Path) -> None:
    assert "no local model yet" in run("verify").stdout
    assert run("remove", "nobody").exit_code == 2
