"""The workbench: settings, tuning, database and models of this process, joined once.

What belongs here: opening what every stage and page needs. Which class stands behind a step is wiring.py's.
"""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.llm.ports import Embedder
from resources.llm.embedding_endpoints import shelf_of, usd_per_mtok
from resources.llm.gateway.registry import register_endpoints
from resources.llm.recorded_embedder import ModelRun, RecordedEmbedder, RememberingEmbedder
from resources.llm.shelf import Shelf
from resources.objects import ObjectStore, open_store
from resources.postgres import Database
from resources.provision import Addresses, prepare
from resources.retrieval import Retriever, configured_reranker, fits
from resources.settings import Settings, export_for_children, load_settings
from resources.steps import chunking
from resources.store.embedding_indexes import active_index
from resources.store.prompt_versions import ensure_prompts
from resources.store.sources import default_project
from resources.tuning import Tuning, load_tuning

if TYPE_CHECKING:
    from resources.llm.gateway.gateway import Gateway


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything a stage needs, made once per process."""

    settings: Settings
    tuning: Tuning
    addresses: Addresses
    db: Database
    embedder: Embedder
    index_id: int
    project_id: int
    shelf: Shelf = field(default_factory=Shelf)
    reranker: Reranker | None = None

    @property
    def retriever(self) -> Retriever:
        """What finds passages, as the tuning has it."""
        return Retriever(self.db, self.tuning.retrieval, self.second_stage)

    @property
    def second_stage(self) -> Reranker | None:
        """Who orders what was found; nobody while searches still read another model's vectors than it learned with."""
        return self.reranker if fits(self.reranker, self.embedder.model) else None

    def embedder_of(self, model: str) -> Embedder:
        """The embedder of an index's model."""
        return self.embedder if model == self.embedder.model else self.shelf.of(model)

    def current(self) -> "Workbench":
        """This workbench on the embedding index that searches read now: another one after a change of model."""
        with self.db.transaction() as tx:
            index = active_index(tx)
        if index is None or index.id == self.index_id:
            return self
        return replace(self, embedder=self.embedder_of(index.model), index_id=index.id)

    @property
    def objects(self) -> ObjectStore:
        """Where raw input is kept."""
        return open_store(self.settings)

    @property
    def creator_id(self) -> int:
        """Whose corpus it is, and whose money models cost."""
        with self.db.transaction() as tx:
            return int(tx.value("creator_of_project", project_id=self.project_id))

    @property
    def llm(self) -> "Gateway":
        """The gateway to language models; nothing is opened before it is asked for."""
        return _gateway(self.addresses.app, self.tuning.model_dump_json())

    def publisher_db(self) -> Database:
        """The pool that logs in as the publisher, the only one that may read write credentials."""
        return _pool(self.addresses.publisher)


@lru_cache(maxsize=4)
def _pool(url: str) -> Database:
    return Database(url).open()


@lru_cache(maxsize=4)
def _gateway(url: str, tuning: str) -> "Gateway":
    """One gateway per database and tuning, which comes as JSON; importing it costs who has no model nothing."""
    from resources.llm.gateway.opening import open_gateway

    return open_gateway(url, Tuning.model_validate_json(tuning))


@lru_cache(maxsize=4)
def _shelf(db: Database, url: str, tuning: str) -> Shelf:
    """The models, by the tuning, which comes as JSON; their calls are recorded and their vectors remembered."""
    parsed = Tuning.model_validate_json(tuning)

    def record(run: ModelRun) -> None:
        _record(db, run, run.tokens_in * usd_per_mtok(parsed, run.model) / 1e6)

    return shelf_of(parsed, url, lambda made: RememberingEmbedder(RecordedEmbedder(made, record)))


@lru_cache(maxsize=2)
def open_workbench(settings: Settings | None = None) -> Workbench:
    """Start what is needed (PostgreSQL, migrations, model) and join it; once per process.

    Raises:
        ConfigInvalid: rejoinder.toml names an embedding model that is not known or not installed, or a re-scorer
            that cannot be used.
    """
    settings = settings or load_settings()
    export_for_children()
    tuning = load_tuning(settings)
    reranker = configured_reranker(tuning.retrieval, shelf_of(tuning).uri_of(tuning.embedding.model))
    addresses = prepare(settings)
    db = _pool(addresses.app)
    shelf = _shelf(db, addresses.app, tuning.model_dump_json())
    embedder = shelf.named(tuning.embedding.model)
    with db.transaction() as tx:
        index_id = tx.value("ensure_embedding_index", model=embedder.model, dim=embedder.dim)
        project_id = default_project(tx)
        chunking.queue_overlooked(tx, project_id)
        ensure_prompts(tx)
        register_endpoints(tx, tuning)
    bench = Workbench(settings, tuning, addresses, db, embedder, index_id, project_id, shelf, reranker)
    return bench.current()


def _record(db: Database, run: ModelRun, cost_usd: float) -> None:
    with db.transaction() as tx:
        tx.execute(
            "insert_model_run",
            run_type=run.run_type,
            model=run.model,
            prompt_version=None,
            input_ref=None,
            n_items=run.n_items,
            tokens_in=run.tokens_in,
            tokens_out=0,
            cost_usd=cost_usd,
            latency_ms=run.latency_ms,
            is_ok=run.is_ok,
            error=run.error,
        )
