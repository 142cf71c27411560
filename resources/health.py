"""What the doctor looks at: each check says what it found and, where it is not well, what to do.

No check writes to the database or prints a secret. An embedded PostgreSQL that does not run is started for
the look and stopped again.
"""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from psycopg.rows import DictRow, dict_row

from rejoinder.errors import ConfigInvalid, RejoinderError
from rejoinder.llm.endpoints import parse_uri
from rejoinder.research.answer_rules import FITTED, not_fitted
from resources.database_roles import look_at_roles
from resources.embedded.cluster import is_running as postgres_is_running
from resources.embedded.cluster import open_cluster, stop_cluster
from resources.embedded.places import find_places
from resources.guarded_network import Allowance
from resources.llm.embedding_endpoints import shelf_of
from resources.llm.providers.registry import provider_names
from resources.migrations import load_migrations
from resources.objects import open_store
from resources.provision import EMBEDDED_DATABASE, GROUPS, OLDEST_SERVER, connect_admin, logins_of
from resources.queries import query
from resources.retrieval import configured_reranker
from resources.sealing.looks import look_at_credentials
from resources.sealing.opening import keeper_of
from resources.services import Choice, port_claims
from resources.settings import Settings, load_settings
from resources.supervisor.ports import busy_reason
from resources.supervisor.record import is_running as installation_is_running
from resources.tuning import Tuning, load_tuning

Verdict = Literal["ok", "warn", "fail"]
LEAST_FREE_BYTES = 1 << 30
OLDEST_PYTHON = (3, 11)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; fix is empty where nothing has to be done."""

    check: str
    verdict: Verdict
    detail: str
    fix: str = ""


Asks = Callable[..., list[DictRow]]


def examine() -> list[Finding]:
    """Run every check, in the order a person would fix them."""
    findings = [_python(), *_models(), _browser()]
    try:
        settings = load_settings()
    except ConfigInvalid as error:
        return [*findings, Finding("settings", "fail", str(error), "Correct the variable, or the file .env.")]
    return [
        *findings,
        Finding("settings", "ok", f"home {settings.home_dir}"),
        *_configuration(settings),
        _home(settings),
        _disk(settings),
        _object_store(settings),
        _fetching(settings),
        *_ports(settings),
        *_database(settings),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "fail", version, "Install Python 3.11 or newer and run `make setup`.")
    return Finding("python", "ok", version)


def _models() -> list[Finding]:
    from resources.llm.minilm import TOKENIZER, WEIGHTS
    from resources.llm.pinned_files import verified_path

    findings = []
    for name, file in (("embedding weights", WEIGHTS), ("embedding tokenizer", TOKENIZER)):
        try:
            verified_path(file)
        except ConfigInvalid as error:
            findings.append(Finding(name, "fail", str(error), f"Install {file.distribution} again."))
        else:
            findings.append(Finding(name, "ok", f"{file.distribution}, hash as pinned"))
    return findings


def _browser() -> Finding:
    if found := next((path for name in BROWSERS if (path := shutil.which(name))), None):
        return Finding("browser", "ok", found)
    return Finding(
        "browser", "warn", "none found; only the browser tests need one", "tests/install_browser.sh"
    )


def _configuration(settings: Settings) -> list[Finding]:
    path = settings.config or Path("rejoinder.toml")
    try:
        tuning = load_tuning(settings)
        model = shelf_of(tuning).uri_of(tuning.embedding.model)
        configured_reranker(tuning.retrieval, model)
    except ConfigInvalid as error:
        fix = error.fix or "Correct that line; rejoinder.example.toml explains it."
        return [Finding("rejoinder.toml", "fail", str(error), fix)]
    return [
        Finding("rejoinder.toml", "ok", str(path) if path.exists() else "not there: defaults"),
        answers_finding(model),
        endpoints_finding(tuning),
    ]


def answers_finding(model: str) -> Finding:
    """Whether the judgement of answers was fitted for the embedding model with this URI."""
    if model not in FITTED:
        return Finding("answers", "warn", not_fitted(model), "Set answers.at_least in rejoinder.toml.")
    return Finding("answers", "ok", f"fitted for {model}")


def endpoints_finding(tuning: Tuning) -> Finding:
    """Whether the language models of rejoinder.toml can be called at all; none of them is."""
    missing = {
        n: one
        for n, own in tuning.endpoints.items()
        if (one := parse_uri(own.uri).provider) not in provider_names()
    }
    if missing:
        name, provider = next(iter(missing.items()))
        fix = f"Correct endpoints.{name}.uri; there are: {', '.join(provider_names())}."
        return Finding("endpoints", "fail", f"{name}: no provider {provider} is installed", fix)
    if unpriced := [name for name, own in tuning.endpoints.items() if own.price_in is None]:
        fix = "Set price_in and price_out there; 0 is a price too."
        return Finding("endpoints", "warn", f"never called, as no price is known: {', '.join(unpriced)}", fix)
    if not tuning.endpoints:
        return Finding("endpoints", "ok", "no model is configured: every task is answered by quoting")
    return Finding(
        "endpoints", "ok", f"{', '.join(tuning.endpoints)}; `rejoinder endpoints check` calls them"
    )


def _home(settings: Settings) -> Finding:
    folder = _nearest_folder(settings.home_dir)
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fix = "Make it writable, or set REJOINDER_HOME to another folder."
        return Finding("home", "fail", f"{folder}: {error.strerror}", fix)
    is_there = folder == settings.home_dir
    return Finding("home", "ok", f"{settings.home_dir}{'' if is_there else ' (will be made)'}")


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_nearest_folder(settings.home_dir)).free
    detail = f"{free / LEAST_FREE_BYTES:.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "warn", detail, "Free at least 1 GiB, or set REJOINDER_HOME to another disk.")
    return Finding("disk", "ok", detail)


def _object_store(settings: Settings) -> Finding:
    try:
        store = open_store(settings)
    except ConfigInvalid as error:
        return Finding("object store", "fail", str(error), error.fix or "Correct REJOINDER_OBJECT_STORE.")
    return Finding("object store", "ok", f"{'folder' if store.is_local else 'bucket'} {store.root}")


def _fetching(settings: Settings) -> Finding:
    try:
        Allowance.parse(settings.fetch_allow)
    except ConfigInvalid as error:
        return Finding("fetching", "fail", str(error), "Write networks as 10.1.0.0/16, divided by commas.")
    allowed = ", ".join(settings.fetch_allow)
    return Finding("fetching", "ok", f"public addresses{f' and {allowed}' if allowed else ' only'}")


def _nearest_folder(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.is_dir())


def _ports(settings: Settings) -> list[Finding]:
    if installation_is_running(settings.home_dir):
        return [Finding("ports", "ok", "in use by this home's own `rejoinder up`")]
    claims = port_claims(Choice())
    taken = [
        Finding(f"port {c.port}", "warn", reason, f"{c.change_with} N")
        for c in claims
        if (reason := busy_reason(c))
    ]
    return taken or [Finding("ports", "ok", f"{', '.join(str(c.port) for c in claims)} are free")]


def _database(settings: Settings) -> list[Finding]:
    if settings.database_url is None and not _has_cluster(settings):
        return [Finding("postgres", "warn", "the embedded database is not made yet", "rejoinder init")]
    try:
        with _asking(settings) as (ask, name):
            return [
                *_server(ask),
                _migrations(ask),
                *_roles(settings, ask, name),
                *_credentials(settings, ask),
            ]
    except RejoinderError as error:
        fix = "Look at the server and REJOINDER_DATABASE_URL." if settings.database_url else "rejoinder init"
        return [Finding("postgres", "fail", str(error), fix)]


def _has_cluster(settings: Settings) -> bool:
    if not settings.home_dir.is_dir():
        return False
    return (find_places(settings.home_dir, settings.system_data).data / "PG_VERSION").exists()


@contextmanager
def _asking(settings: Settings) -> Iterator[tuple[Asks, str]]:
    """A function that runs named statements as the owner, and the database's name."""
    with _owner_url(settings) as url, connect_admin(url) as connection:
        cursor = connection.cursor(row_factory=dict_row)

        def ask(statement: str, **values: object) -> list[DictRow]:
            return cursor.execute(query(statement), values).fetchall()

        yield ask, connection.info.dbname


@contextmanager
def _owner_url(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    was_running = postgres_is_running(find_places(settings.home_dir, settings.system_data))
    cluster = open_cluster(settings.home_dir, settings.system_data)
    try:
        yield cluster.url("owner", f"{EMBEDDED_DATABASE}_owner", EMBEDDED_DATABASE)
    finally:
        if not was_running:
            stop_cluster(settings.home_dir, settings.system_data)


def _server(ask: Asks) -> list[Finding]:
    facts = ask("server_facts")[0]
    is_old = facts["number"] < OLDEST_SERVER
    server = Finding(
        "postgres",
        "fail" if is_old else "ok",
        f"PostgreSQL {facts['version']}",
        "PostgreSQL 15 or newer is needed." if is_old else "",
    )
    if facts["vector"] is None:
        fix = "As an administrator: CREATE EXTENSION vector;"
        return [server, Finding("pgvector", "fail", "not in this database", fix)]
    return [server, Finding("pgvector", "ok", facts["vector"])]


def _migrations(ask: Asks) -> Finding:
    files = {m.number: m for m in load_migrations()}
    has_ledger = ask("has_migration_ledger")[0]["found"]
    applied = {row["number"]: row["sha256"] for row in ask("applied_migrations")} if has_ledger else {}
    if newer := sorted(set(applied) - set(files)):
        return Finding(
            "migrations", "fail", f"{newer[-1]:04d} is not known here", "Install the newer version."
        )
    if changed := [n for n, sha256 in applied.items() if files[n].sha256 != sha256]:
        fix = "Put the file back as it was and write a new migration."
        return Finding("migrations", "fail", f"{changed[0]:04d} was changed after it was applied", fix)
    if waiting := len(files) - len(applied):
        return Finding("migrations", "warn", f"{waiting} of {len(files)} not applied yet", "rejoinder init")
    return Finding("migrations", "ok", f"all {len(files)} applied")


def _credentials(settings: Settings, ask: Asks) -> list[Finding]:
    if not ask("has_sealed_credentials")[0]["found"]:
        return []
    looks = look_at_credentials(lambda: keeper_of(settings), ask("credentials_to_open"))
    return [Finding(*look) for look in looks]


def _roles(settings: Settings, ask: Asks, name: str) -> list[Finding]:
    looks = look_at_roles(ask, name, list(GROUPS.values()), logins_of(settings, name))
    return [Finding(*look) for look in looks]
