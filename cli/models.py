"""`rejoinder models`: which models there are; the coverage of embedding models, and changing the one in use."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import local_models
from cli.context import acting, open_database
from cli.output import As, AsJson, answer, print_json, print_table, reporting

if TYPE_CHECKING:
    from resources.reembedding import BuildReport, IndexStatus

models = typer.Typer(no_args_is_help=True, help="Models of this machine: list, change and add them.")

SAID = {
    "active": "{model} is what searches read already.",
    "switched": "{model} is what searches read from now on; {embedded} chunks were embedded in {seconds} s.",
    "stopped": "Stopped with {embedded} chunks embedded; the next build goes on from there.",
    "busy": "Another process builds {model}; watch it with `rejoinder models list`.",
}


def register(app: typer.Typer) -> None:
    """Add the sub-app to the root."""
    local_models.register(models)
    app.add_typer(models, name="models")


@models.command("list")
def list_all(as_json: AsJson = False) -> None:
    """List embedding and local models.

    Embedding models with the indexes of their vectors; language models on this machine with the endpoints that name
    them. Models over HTTP are endpoints: `rejoinder endpoints list`.
    """
    with reporting(as_json), open_database() as database:
        from resources.reembedding import index_statuses

        known, indexes = _known_models(), [_index_row(status) for status in index_statuses(database)]
        local, damaged = local_models.local_rows()
    if as_json:
        print_json({"models": known, "indexes": indexes, "local": local, "damaged": damaged})
        return
    tables = {"Models": known, "Indexes": indexes, "On this machine": local, "Damaged": damaged}
    for title, rows in tables.items():
        if rows:
            print_table(title, [_head(name) for name in rows[0]], (tuple(row.values()) for row in rows))


def _head(name: str) -> str:
    """The head of a column, from the name of its field.

    >>> _head("is_installed"), _head("coverage_pct"), _head("activated_at")
    ('installed', 'coverage %', 'activated (UTC)')
    """
    return name.removeprefix("is_").replace("_pct", " %").replace("_at", " (UTC)").replace("_", " ")


def _known_models() -> list[dict[str, Any]]:
    from resources.llm.shelf import MODELS
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    wanted = load_tuning(load_settings()).embedding.model
    return [
        {
            "name": model.name,
            "languages": model.languages,
            "dim": model.encoder.dim,
            "max_tokens": model.encoder.max_tokens,
            "is_installed": model.is_installed,
            "is_configured": wanted in {model.name, model.encoder.uri},
        }
        for model in MODELS
    ]


def _index_row(status: "IndexStatus") -> dict[str, Any]:
    index = status.index
    return {
        "id": index.id,
        "model": index.model,
        "dim": index.dim,
        "state": index.state,
        "coverage_pct": round(100 * status.coverage.share, 1),
        "chunks_missing": status.coverage.n_missing,
        "activated_at": index.activated_at,
    }


@models.command()
def build(as_json: AsJson = False) -> None:
    """Embed the corpus with the model of rejoinder.toml.

    When all is embedded, searches read it; until then they go on with the model in use. Stopped or killed, a build
    goes on where it was; `rejoinder up` does the same in the background.
    """
    report = _build(as_json)
    told = {"model": report.model, "embedded": report.embedded, "seconds": report.seconds}
    said = {"index_id": report.index_id, "outcome": report.outcome, **told}
    answer(said, as_json, SAID[report.outcome].format(**told))


def _build(quiet: bool) -> "BuildReport":
    from resources.rounds import open_bench

    with reporting(quiet), open_bench() as bench:
        from cli.progress import progress_bar
        from resources.reembedding import build_index, index_statuses
        from resources.wiring import configured_model
        from resources.work.stopping import stop_on_signals

        embedder = bench.embedder_of(configured_model(bench))
        missing = {s.index.model: s.coverage.n_missing for s in index_statuses(bench.db)}.get(embedder.model)
        with stop_on_signals() as stop, progress_bar("chunks", total=missing, quiet=quiet) as advance:
            return build_index(bench.db, embedder, stop=stop, progress=advance)


@models.command()
def drop(
    index_id: Annotated[int, typer.Argument(metavar="ID", help="The index, as `models list` names it.")],
    who: As = None,
    as_json: AsJson = False,
) -> None:
    """Drop the vectors of an index that searches do not read."""
    with reporting(as_json), open_database() as database:
        from resources.commands.actors import machine_owner
        from resources.commands.embedding_models import drop_index

        drop_index(database, acting(database, who) if who else machine_owner(), index_id)
    answer({"dropped": index_id}, as_json, f"The vectors of index {index_id} are gone.")
