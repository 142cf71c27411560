"""`rejoinder models add|remove|verify`: language models that run on this machine, and the endpoints that name them."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import AsJson, answer, print_json, print_table, reporting, say

if TYPE_CHECKING:
    from resources.llm.local_models.store import LocalModel, Manifest
    from resources.tuning import Tuning

Named = Annotated[str, typer.Argument(metavar="NAME", help="The model, as `models list` names it.")]
ENDPOINT = """[endpoints.{endpoint}]
uri = "{provider}::{name}"
capabilities = ["text", "json"]
max_concurrent = 1
timeout_s = 300
price_in = 0
price_out = 0
context_tokens = {context}
"""
USUAL_CONTEXT = 8_192


def register(models: typer.Typer) -> None:
    """Add the commands to `rejoinder models`."""
    for command in (add, remove, verify):
        models.command()(command)


def add(
    path: Annotated[
        Path, typer.Argument(help="A .gguf file, or a folder with safetensors, config and tokenizer.")
    ],
    name: Annotated[str | None, typer.Option(help="What to call it; otherwise the file's own name.")] = None,
    link: Annotated[bool, typer.Option("--link", help="Leave the files where they are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Put a language model into the home, and say how to use it.

    Its files are checked, copied and hashed; nothing is downloaded, and nothing that lies beside them is run.
    """
    with reporting(as_json):
        model = _add(path, name, link, as_json)
        section = _section(model.manifest)
    if as_json:
        print_json({"added": _row(model, ()), "endpoint": section})
        return
    say(f"{model.manifest.name} is in {model.folder}. To use it, add to rejoinder.toml:\n\n{section}")


def _add(path: Path, name: str | None, link: bool, quiet: bool) -> "LocalModel":
    from datetime import UTC, datetime

    from rejoinder.errors import InputUnreadable
    from resources.llm.local_models import adding
    from resources.llm.local_models.examining import examine
    from resources.llm.providers.trial import trouble_loading

    # Not where links lead: a download's cache has names there that say nothing.
    given = Path(os.path.abspath(os.path.expanduser(path)))
    examined = examine(given)
    budget = _tuning().models.disk_gib * adding.GIB
    wish = adding.Wish(name or adding.name_from(given), link, budget)
    # Loading it may take minutes: first what says no at once.
    adding.check_wish(examined, wish, _store())
    trouble = trouble_loading(examined)
    if trouble:
        raise InputUnreadable(f"{path} cannot be used: {trouble}.")
    with _mebibytes("MiB read" if link else "MiB copied", examined.n_bytes, quiet) as progress:
        return adding.add(examined, wish, _store(), now=datetime.now(UTC), progress=progress)


def remove(
    name: Named,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask, though an endpoint names it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a model out of the home; linked files stay where they are."""
    with reporting(as_json):
        from rejoinder.errors import ConfigInvalid
        from resources.llm.local_models import store

        folder = store.folder_of(_store(), name)
        users = _users(name, _tuning())
        if users and not yes:
            asked = f"The endpoints {', '.join(users)} name {name} and would fail. Remove it?"
            if as_json:
                raise ConfigInvalid(asked, fix="Say --yes, or name another model there first.")
            typer.confirm(asked, abort=True)
        store.remove(folder)
    answer({"removed": name, "endpoints": users}, as_json, f"{name} is gone.")


def verify(
    name: Annotated[str | None, typer.Argument(help="Only this model.")] = None, as_json: AsJson = False
) -> None:
    """Compare every file of the local models with its SHA-256.

    Exit code 1 where one differs.
    """
    with reporting(as_json):
        from resources.llm.local_models import store

        found, damaged = ([store.find_model(_store(), name)], []) if name else store.list_models(_store())
        total = sum(model.manifest.n_bytes for model in found)
        with _mebibytes("MiB read", total, as_json) as progress:
            troubles = {model.folder.name: store.verify(model, progress) for model in found}
        troubles |= {one.name: [f"{one.trouble} {one.fix}"] for one in damaged}
    if as_json:
        print_json({"models": [{"name": name, "troubles": said} for name, said in troubles.items()]})
    else:
        rows = [(name, "; ".join(said) or "as it was put in") for name, said in troubles.items()]
        print_table("Local models", ("name", "files"), rows, empty="There is no local model yet.")
    if any(troubles.values()):
        raise typer.Exit(1)


def local_rows() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The language models on this machine, packaged ones too, as `models list` shows them; then the damaged ones."""
    from rejoinder.errors import ConfigInvalid
    from resources.llm.local_models.packaged import NAME, is_packaged
    from resources.llm.local_models.store import Damaged, list_models

    tuning = _tuning()
    found, damaged = list_models(_store())
    rows = [_row(model, _users(model.manifest.name, tuning)) for model in found]
    if is_packaged() and NAME not in {row["name"] for row in rows} | {one.name for one in damaged}:
        try:
            rows.append(_packaged_row(_users(NAME, tuning)))
        except ConfigInvalid as error:
            damaged.append(Damaged(NAME, str(error), error.fix or ""))
    return rows, [one._asdict() for one in damaged]


def _row(model: "LocalModel", users: tuple[str, ...]) -> dict[str, Any]:
    kept = model.manifest
    return {
        "name": kept.name,
        "kind": kept.kind,
        "architecture": kept.architecture,
        "context_tokens": kept.context_tokens,
        "mib": round(kept.n_bytes / 1024**2, 1),
        "is_linked": kept.is_linked,
        "added_at": kept.added_at,
        "endpoints": ", ".join(users),
    }


def _packaged_row(users: tuple[str, ...]) -> dict[str, Any]:
    from resources.llm.local_models.gguf_header import read_header
    from resources.llm.local_models.packaged import NAME, packaged_file

    path = packaged_file()
    header = read_header(path)
    return {
        "name": NAME,
        "kind": "gguf",
        "architecture": header.architecture,
        "context_tokens": header.context_tokens,
        "mib": round(path.stat().st_size / 1024**2, 1),
        "is_linked": False,
        "added_at": None,
        "endpoints": ", ".join(users),
    }


def _users(name: str, tuning: "Tuning") -> tuple[str, ...]:
    """Endpoints that name a model of this machine."""
    wanted = {f"llamacpp::{name}", f"mlx::{name}"}
    return tuple(endpoint for endpoint, told in tuning.endpoints.items() if told.uri in wanted)


def _section(kept: "Manifest") -> str:
    """The section of rejoinder.toml that makes a model an endpoint."""
    provider = "llamacpp" if kept.kind == "gguf" else "mlx"
    endpoint = "".join(c if c.isalnum() or c in "_-" else "-" for c in kept.name)[:40]
    context = min(kept.context_tokens or USUAL_CONTEXT, USUAL_CONTEXT)
    named = endpoint if endpoint[0].isalpha() else f"m-{endpoint}"[:40]
    return ENDPOINT.format(endpoint=named, provider=provider, name=kept.name, context=context)


@contextmanager
def _mebibytes(label: str, n_bytes: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar in MiB that is told bytes."""
    from cli.progress import progress_bar

    mib, done = 1024**2, 0
    with progress_bar(label, total=-(-n_bytes // mib), quiet=quiet) as advance:

        def told(n: int) -> None:
            nonlocal done
            advance((done + n) // mib - done // mib)
            done += n

        yield told


def _store() -> Path:
    from resources.llm.local_models.store import models_dir
    from resources.settings import load_settings

    return models_dir(load_settings().home_dir)


def _tuning() -> "Tuning":
    from resources.settings import load_settings
    from resources.tuning import load_tuning

    return load_tuning(load_settings())
