"""The API over real HTTP: its own server in a thread, on a real PostgreSQL of this test's own."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from api.serve import application, listen, server_options
from resources.access.keyring import ensure_signing_key
from resources.access.scopes import SCOPES
from resources.access.tokens import Grant, issue
from resources.settings import load_settings
from resources.workbench import Workbench, open_workbench

ROOT = Path(__file__).resolve().parents[3]
EPISODE = ROOT / "resources" / "samples" / "episodes" / "composting-without-the-smell.vtt"
Served = Callable[[Any], str]


@pytest.fixture
def bench(environment: None) -> Iterator[Workbench]:
    """A workbench on this test's own database."""
    opened = open_workbench(load_settings())
    yield opened
    opened.db.close()


@pytest.fixture
def served() -> Iterator[Served]:
    """Serves an application as `rejoinder api serve` does, and ends it with the test; its address."""
    running = []

    def serve(app: Any) -> str:
        listener = listen("127.0.0.1", 0)
        server = uvicorn.Server(server_options(app))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        running.append((server, thread, listener))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield serve
    for server, thread, listener in running:
        server.should_exit = True
        thread.join(30)
        listener.close()


@dataclass
class Api:
    """A client of the API with a token for every scope, and what makes others."""

    bench: Workbench
    client: httpx.Client

    def token(self, *scopes: str, **other: Any) -> str:
        now = datetime.now(UTC)
        key = ensure_signing_key(self.bench.settings.home_dir, now)
        grant = Grant("tests", scopes, other.pop("project_id", self.bench.project_id), **other)  # type: ignore[arg-type]
        return issue(key, grant, now=now)[0]

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.client.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.client.post(path, **options)

    def upload(self, name: str, data: bytes) -> httpx.Response:
        return self.post("/sources", files={"file": (name, data)})


@pytest.fixture
def api(bench: Workbench, served: Served) -> Iterator[Api]:
    """The API as it is served."""
    with httpx.Client(base_url=served(application(bench)), timeout=60, trust_env=False) as client:
        made = Api(bench, client)
        client.headers["Authorization"] = f"Bearer {made.token(*SCOPES)}"
        yield made


@pytest.fixture
def episode() -> bytes:
    return EPISODE.read_bytes()
