"""rejoinder.toml: what is wrong in it is named with file and key; what it leaves out keeps its default."""

from pathlib import Path

import pytest

from rejoinder.errors import ConfigInvalid
from resources.settings import Settings
from resources.tuning import MeasureTuning, PublishTuning, StageTuning, Tuning, load_tuning


def read(folder: Path, text: str) -> Tuning:
    path = folder / "rejoinder.toml"
    path.write_text(text, "utf-8")
    return load_tuning(Settings(config=path))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("stages = 3", "stages: a section"),
        ("[stages]\nchunk = 5", "stages.chunk: a section"),
        ("thresholds = true", "thresholds: a section"),
        ("[stages.chunks]\nbatch = 5", "stages.chunks: there is no such key"),
        ("[stages.chunk]\nbatches = 5", "stages.chunk.batches: there is no such key"),
        ("[stages.publish]\nbatch = 5", "stages.publish.batch: there is no such key"),
        ("[stages.publish]\ngroup = 5", "stages.publish.group: there is no such key"),
        ("[stages.publish]\nconcurrency = 5", "stages.publish.concurrency: there is no such key"),
        ("[stages.publish]\nmax_crashes = 5", "stages.publish.max_crashes: there is no such key"),
        ("[stages.measure]\nconcurrency = 5", "stages.measure.concurrency: there is no such key"),
        ("[stages.relevance]\ninterval_s = 5", "stages.relevance.interval_s: there is no such key"),
        ("[stages.draft]\ntimeout_s = inf", "stages.draft.timeout_s: "),
        ("[thresholds]\nfloor = 0.9", r"thresholds: floor \(0.9\) must not be above strong \(0.45\)"),
        ("[thresholds]\nreject = 0.6", r"thresholds: reject \(0.6\) must be below accept \(0.6\)"),
        ("[thresholds]\nfloor = nan", "thresholds.floor: "),
        (
            "[endpoints.a]\nuri = 'openai::m'\nprice_in = 1\nprice_out = 1000001",
            "endpoints.a.price_out: Input should be less",
        ),
        ("[budget]\ntasks = { reply = -1 }", "budget.tasks.reply: "),
        ("links.own_hosts = ['https://shop.example']", "links.own_hosts.0: "),
        (
            "[links.players]\n'play.example' = '{url}?start='",
            r"links.players: play.example: '{url}\?start=' does not say .* Write it as {url}\?t={seconds}",
        ),
        (
            "[links.players]\n'https://play.example' = '{url}?t={seconds}'",
            "links.players.https://play.example.*: ",
        ),
        ("links.proxies = ['10.0.0.1/8']", "links.proxies.0: "),
        ("retrieval.candidates = 'many'", "retrieval.candidates: "),
        ("stages = ", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigInvalid, match=f"rejoinder.toml.*{named}"):
        read(tmp_path, text)


def test_hosts_of_ones_own_are_met_however_they_are_written(tmp_path: Path) -> None:
    assert read(tmp_path, "links.own_hosts = ['Shop.Example']").links.own_hosts == ("shop.example",)


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "rejoinder.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_tuning(Settings(config=path))
    with pytest.raises(ConfigInvalid, match="cannot be read"):
        load_tuning(Settings(config=tmp_path))


def test_what_a_section_leaves_out_is_the_default_of_that_stage(tmp_path: Path) -> None:
    tuning = read(tmp_path, "[stages.embed_chunks]\nbatch = 2\n[stages.publish]\nbackoff_s = 5")
    assert tuning.stage("embed_chunks") == StageTuning(batch=2, timeout_s=600)
    assert tuning.stage("publish") == PublishTuning(backoff_s=5, timeout_s=60, max_attempts=5)
    assert tuning.stage("measure") == MeasureTuning(batch=100, group=100)
    assert tuning.stage("chunk") == Tuning().stage("chunk")


def test_the_path_of_a_rescorer_counts_from_the_folder_of_the_file(tmp_path: Path) -> None:
    given = read(tmp_path, "retrieval.rescorer = 'models/rescorer.json'")
    assert given.retrieval.rescorer == str(tmp_path / "models/rescorer.json")


def test_an_absolute_path_of_a_rescorer_stays(tmp_path: Path) -> None:
    assert read(tmp_path, "retrieval.rescorer = '/srv/r.json'").retrieval.rescorer == "/srv/r.json"


def test_no_rescorer_is_no_path(tmp_path: Path) -> None:
    assert read(tmp_path, "retrieval.rescorer = 'off'").retrieval.rescorer == "off"


def test_an_endpoint_that_only_embeds_is_no_tasks(tmp_path: Path) -> None:
    path = tmp_path / "rejoinder.toml"
    endpoint = '[endpoints.e]\nuri = "openai::e"\ncapabilities = ["embed"]\ndim = 8\n'
    path.write_text(f'{endpoint}[models]\ndefault = ["e"]\n', "utf-8")
    with pytest.raises(ConfigInvalid, match=r"models\.default: the endpoint e writes no text"):
        load_tuning(Settings(config=path))
