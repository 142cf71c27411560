"""A corpus whose vectors come from an embedding endpoint: indexed, searched, paid for, and waited for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rejoinder.errors import BudgetSpent, ConfigInvalid
from resources import workbench
from resources.inbox import ingest_paths
from resources.search import SearchQuery, search
from resources.settings import load_settings
from resources.wiring import run_step
from resources.workbench import Workbench, open_workbench

ROOT = Path(__file__).resolve().parents[2]
EPISODE = ROOT / "resources" / "samples" / "episodes" / "composting-without-the-smell.vtt"
URI = "openai::rehearsal-embedding"
TOML = """
[embedding]
model = "vectors"

[endpoints.vectors]
uri = "openai::rehearsal-embedding"
base_url = "{url}/openai/v1"
capabilities = ["embed"]
dim = 64
price_in = 2.0
price_out = 0.0

[models]
backoff_s = 0.0

[budget]
total_usd = {budget}
"""


@pytest.fixture
def configure(
    models: Any, environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """Opens a workbench whose corpus is embedded by the sandbox."""
    models.post("models", id="rehearsal-embedding", kind="embedding", dimensions=64)
    opened: list[Workbench] = []

    def make(budget: float = 1.0, toml: str = TOML) -> Workbench:
        config = tmp_path / "rejoinder.toml"
        config.write_text(toml.format(url=models.url, budget=budget), encoding="utf-8")
        monkeypatch.setenv("REJOINDER_CONFIG", str(config))
        monkeypatch.setenv("REJOINDER_KEY_VECTORS", models.get("credentials")["openai"]["api_key"])
        load_settings.cache_clear()
        open_workbench.cache_clear()
        opened.append(open_workbench(load_settings()))
        return opened[-1]

    yield make
    for bench in opened:
        bench.db.close()
    workbench._shelf.cache_clear()


def count(bench: Workbench, text: str) -> Any:
    with bench.db.transaction() as tx:
        row = tx.connection.execute(text).fetchone()
    assert row is not None
    return row["n"]


def test_a_corpus_is_indexed_and_searched(models: Any, configure: Any) -> None:
    bench = configure()
    ingest_paths(bench, [EPISODE])
    run_step(bench, "chunk")
    run_step(bench, "embed_chunks")
    assert bench.current().embedder.model == URI
    assert count(bench, f"select count(*) as n from chunk_vector_{bench.current().index_id}") > 3
    question = "Why does a compost heap smell of rotten eggs?"
    vector = bench.embedder.embed([question], "query")[0]
    asked = SearchQuery("", vector, index_id=bench.current().index_id, project_id=bench.project_id)
    with bench.db.transaction() as tx:
        found = search(tx, asked, bench.tuning.retrieval)
    assert "smell" in found[0].text
    # Every call was admitted, paid for and recorded.
    told = models.get("models")
    assert told["faults"] == {} and told["calls"] >= 2
    spent = "select spent_usd::float8 as n from model_spend where scope = 'task' and key = 'embed'"
    recorded = f"select sum(cost_usd)::float8 as n from model_run where model = '{URI}'"
    assert count(bench, spent) == pytest.approx(told["prompt_tokens"] * 2e-6, abs=1e-7)
    assert count(bench, recorded) == pytest.approx(count(bench, spent), rel=0.01)


def test_without_money_the_corpus_waits_and_nothing_is_sent(models: Any, configure: Any) -> None:
    bench = configure(budget=0.0)
    ingest_paths(bench, [EPISODE])
    run_step(bench, "chunk")
    run_step(bench, "embed_chunks")
    assert models.get("models")["calls"] == 0
    assert count(bench, "select status || attempts as n from source") == "failed0"
    with pytest.raises(BudgetSpent):
        bench.embedder.embed(["Is that so?"], "query")


def test_a_server_that_is_away_costs_the_corpus_no_attempt(models: Any, configure: Any) -> None:
    bench = configure()
    ingest_paths(bench, [EPISODE])
    run_step(bench, "chunk")
    models.post("models/faults", kind="503", share=1.0)
    run_step(bench, "embed_chunks")
    assert models.get("models")["calls"] == bench.tuning.models.attempts
    assert count(bench, "select status || attempts as n from source") == "failed0"


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        ("openai::", "anthropic::", "anthropic has no embeddings"),
        ('model = "vectors"', 'model = "vectros"', r"there is no model 'vectros'; there are: .*, vectors"),
    ],
)
def test_what_is_wrong_stops_at_the_start(configure: Any, right: str, wrong: str, message: str) -> None:
    with pytest.raises(ConfigInvalid, match=message):
        configure(toml=TOML.replace(right, wrong))
