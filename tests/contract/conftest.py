"""The real sandbox in a process of its own, and clients of both platforms that talk to it."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from forked_sandbox import ForkedSandbox, start_sandbox
from gateway_doors import Doors
from sqlalchemy.engine import make_url

from resources.embedded.cluster import Cluster
from resources.platforms.adapters import open_platform
from resources.platforms.port import PlatformClient
from resources.postgres import Database
from resources.provision import EMBEDDED_DATABASE, Addresses, connect_admin, prepare
from resources.settings import Settings

ACCOUNT = "sample_account"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)
Record = dict[str, Any]


@dataclass
class Sandbox:
    """A running sandbox; ``start`` may be called again after ``stop`` or ``kill``."""

    folder: Path
    records: list[Record]
    process: ForkedSandbox | None = None
    url: str = ""
    extra: list[str] = field(default_factory=list)

    @property
    def posts_file(self) -> Path:
        return self.folder / "posts.jsonl"

    def start(self) -> "Sandbox":
        lines = [json.dumps(record, ensure_ascii=False) for record in self.records]
        self.posts_file.write_text("\n".join(lines), encoding="utf-8")
        arguments = ["--state", str(self.folder / "state.db"), "--posts", str(self.posts_file)]
        with (self.folder / "stderr").open("a") as errors:
            self.process = start_sandbox([*arguments, "--account", ACCOUNT, *self.extra], errors=errors)
        self.url = json.loads(self.process.stdout.readline())["url"]
        return self

    def end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait()
            self.process.stdout.close()
            self.process = None

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/sandbox/{path}", timeout=10).json()

    def post(self, path: str, **body: Any) -> Any:
        answer = requests.post(f"{self.url}/sandbox/{path}", json=body, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, endpoint: str, kind: str, times: int = 1, **more: Any) -> None:
        self.post("faults", endpoint=endpoint, kind=kind, times=times, **more)

    def advance(self, **time: float) -> None:
        self.post("clock", advance_s=timedelta(**time).total_seconds())

    def attempts(self, parent_id: str) -> list[Record]:
        return [entry for entry in self.get("log") if entry["parent_id"] == parent_id]

    def client(self, platform: str) -> PlatformClient:
        return open_platform(platform, self.url, self.get("credentials")[platform])


def x_record(number: int, text: str, **more: Any) -> Record:
    created = START + timedelta(minutes=number)
    return {
        "platform": "x",
        "platform_post_id": str(2_100_000_000_000_000_000 + number),
        "community": None,
        "author": f"reader_{number % 7}",
        "author_followers": 10 + number,
        "text": text,
        "created_at": created.isoformat(),
        "url": None,
        "metrics": {"like_count": 40, "reply_count": 3, "retweet_count": 1, "impression_count": 900},
        **more,
    }


def reddit_record(number: int, text: str, **more: Any) -> Record:
    created = START + timedelta(minutes=number)
    return {
        "platform": "reddit",
        "platform_post_id": f"t3_p{number:05d}",
        "community": "sample_python",
        "author": f"reader_{number % 7}",
        "text": text,
        "created_at": created.isoformat(),
        "url": "https://example.com/page",
        "metrics": {"score": 120, "num_comments": 8},
        **more,
    }


@dataclass(frozen=True)
class Case:
    """One platform as the shared suite sees it."""

    platform: str
    create: str
    parent_id: str
    other_parent_id: str
    unknown_id: str
    make: Callable[..., Record]


CASES = {
    "x": Case("x", "create", "2100000000000000001", "2100000000000000002", "1999", x_record),
    "reddit": Case("reddit", "comment", "t3_p00001", "t3_p00002", "t1_zzzzzz", reddit_record),
}


@pytest.fixture
def cases() -> dict[str, Case]:
    return CASES


@pytest.fixture(params=sorted(CASES))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def records() -> list[Record]:
    summoned = f"@{ACCOUNT} is it true that asyncio is faster than threads?"
    made = [x_record(n, f"{summoned} no {n}") for n in (1, 2)]
    made.append(x_record(3, "nobody asked anyone about asyncio", author=None))
    made.append(x_record(4, "look at this asyncio take", quotes=ACCOUNT))
    made += [reddit_record(n, f"Is asyncio faster? no {n}\n\nI measured & wondered <br>.") for n in (1, 2)]
    made.append(reddit_record(3, "Deleted account asks about asyncio", author=None))
    return made


@pytest.fixture
def sandbox(tmp_path: Path, records: list[Record]) -> Iterator[Sandbox]:
    running = Sandbox(tmp_path, records).start()
    yield running
    with suppress(ProcessLookupError):
        running.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def shared_models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for all tests of its models; `models` hands it out as new."""
    running = Sandbox(tmp_path_factory.mktemp("models"), []).start()
    yield running
    with suppress(ProcessLookupError):
        running.end(signal.SIGKILL)


@pytest.fixture(scope="session")
def shared_x(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox for tests of X that make their own posts and leave nothing ordered."""
    running = Sandbox(tmp_path_factory.mktemp("x"), []).start()
    yield running
    with suppress(ProcessLookupError):
        running.end(signal.SIGKILL)


@pytest.fixture
def models(shared_models: Sandbox) -> Sandbox:
    shared_models.post("models/reset")
    return shared_models


@pytest.fixture
def caller(models: Sandbox) -> Iterator[httpx.Client]:
    """A client of the sandbox's models with its key."""
    headers = {"Authorization": f"Bearer {models.get('credentials')['openai']['api_key']}"}
    with httpx.Client(base_url=f"{models.url}/openai/v1", headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def gateway_addresses(cluster: Cluster) -> Iterator[Addresses]:
    """One database for all tests of the gateway; `doors` hands it out as new."""
    template = prepare(Settings(home=cluster.home))
    name = f"test_{os.getpid()}_gateway"
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" template "{EMBEDDED_DATABASE}" owner rejoinder_owner')
        admin.execute(f'grant connect on database "{name}" to rejoinder_app')
    app, owner = (
        make_url(url).set(database=name).render_as_string(hide_password=False)
        for url in (template.app, template.owner)
    )
    yield replace(template, app=app, owner=owner)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')


@pytest.fixture(scope="session")
def gateway_db(gateway_addresses: Addresses) -> Iterator[Database]:
    database = Database(gateway_addresses.app).open()
    yield database
    database.close()


@pytest.fixture(scope="session")
def gateway_owner_db(gateway_addresses: Addresses) -> Iterator[Database]:
    database = Database(gateway_addresses.owner).open()
    yield database
    database.close()


@pytest.fixture
def doors(
    gateway_addresses: Addresses, gateway_owner_db: Database, models: Sandbox, caller: httpx.Client
) -> Doors:
    """Gateways on a database in which nothing was called, kept or spent, and on the sandbox's models."""
    with gateway_owner_db.transaction() as tx:
        tx.connection.execute(
            "truncate model_run, model_attempt, llm_cache, model_spend, endpoint_lease, model_endpoint"
        )
    return Doors(gateway_addresses.app, models, caller)


@pytest.fixture
def client(sandbox: Sandbox, case: Case) -> PlatformClient:
    return sandbox.client(case.platform)


@pytest.fixture
def x_client(sandbox: Sandbox) -> PlatformClient:
    return sandbox.client("x")


@pytest.fixture
def reddit_client(sandbox: Sandbox) -> PlatformClient:
    return sandbox.client("reddit")
