"""A publisher's desk: channels, approved replies on real Postgres, and a platform that follows a script."""

import itertools
import json
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from forked_sandbox import ForkedSandbox, start_sandbox

from rejoinder.ids import PersonId
from rejoinder.listening.policy import ChannelPolicy, default_policy
from rejoinder.listening.post import Platform, Post
from rejoinder.posting.schedule import NOW, Schedule
from resources.commands.actors import Actor
from resources.commands.review import approve
from resources.platforms.port import Heard, Metrics, ReadBack, Sent
from resources.postgres import Database
from resources.provision import Addresses
from resources.publishing.clock import Clock
from resources.publishing.outlook import Outlook, read_outlook
from resources.publishing.report import PublishReport
from resources.publishing.run import publish_due
from resources.sealing.splits import split_credentials
from resources.store.channels import Channel, load_channel, save_channel, store_credential
from resources.store.posts import insert_post
from resources.tuning import PublishTuning, Stages, Tuning
from resources.work.stopping import StopSignal

POLICY = {"x": "sandbox/x/enterprise", "reddit": "sandbox/reddit/approved_app"}
OFFSET = timedelta(days=-400)  # the scripted platform's clock is far from ours, as a sandbox's may be


@dataclass
class ScriptedPlatform:
    """A `PlatformClient` in this process: each publish takes the next thing of the script.

    An exception in the script is raised before the reply stands; ``("landed", exception)`` after.
    An empty script accepts.
    """

    script: list[Any] = field(default_factory=list)
    platform: Platform = "x"
    text_limit: int = 280
    capabilities: frozenset[Any] = frozenset()
    account: str = "rejoinder"
    replies: list[tuple[str, str, Sent]] = field(default_factory=list)
    requests: int = 0
    read_backs: int = 0
    hides: bool = False
    is_complete: bool = True
    advanced: timedelta = timedelta()
    windows: tuple[Any, ...] = ()
    counts: dict[str, Metrics] = field(default_factory=dict)
    lookups: list[list[str]] = field(default_factory=list)
    clock_failure: Exception | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        if self.clock_failure:
            raise self.clock_failure
        return datetime.now(UTC) + OFFSET + self.advanced

    def publish(self, parent_id: str, text: str) -> Sent:
        with self.lock:
            self.requests += 1
            step = self.script.pop(0) if self.script else None
            if callable(step):
                step = step()
            if isinstance(step, Exception):
                raise step
            sent = Sent(str(9000 + len(self.replies)), self.now(), self.windows)
            self.replies.append((parent_id, text, sent))
            if step is not None:
                raise step[1]
            return sent

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        self.read_backs += 1
        found = [s for p, t, s in self.replies if (p, t) == (parent_id, text) and s.sent_at >= since]
        return ReadBack(None if self.hides or not found else found[0], self.now(), self.is_complete)

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        self.lookups.append(list(ids))
        return {i: self.counts.get(i, Metrics(100, 3, 1, 0)) for i in ids}

    def hear(self, cursor: Mapping[str, str], rules: Sequence[Any], communities: Sequence[str]) -> Heard:
        raise NotImplementedError

    def stream(self, rules: Sequence[Any], stop: Any) -> Iterator[Post]:
        raise NotImplementedError


@dataclass
class Desk:
    """Makes approved replies and looks at what became of them."""

    db: Database
    publisher: Database
    owner: Database
    approver: Actor
    project_id: int
    platform: ScriptedPlatform = field(default_factory=ScriptedPlatform)
    tuning: Tuning = field(
        default_factory=lambda: Tuning(
            stages=Stages(publish=PublishTuning(timeout_s=60, backoff_s=60, max_attempts=2))
        )
    )
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def channel(self, name: str = "rehearsal", platform: Platform = "x", **changes: Any) -> Channel:
        """Make a sandbox channel with both credentials."""
        policy: ChannelPolicy = changes.pop("policy", default_policy(POLICY[platform]))
        credential: dict[str, str] = changes.pop("credential", {"token": "secret"})
        settings = {"account": "rejoinder", "base_url": "http://127.0.0.1:9", "is_sandbox": True} | changes
        with self.owner.transaction() as tx:
            channel_id = save_channel(
                tx, project_id=self.project_id, name=name, platform=platform, policy=policy, **settings
            )
            channel = load_channel(tx, channel_id)
            split = split_credentials(platform, credential, account=settings["account"])
            store_credential(tx, channel.id, "read", split.read)
            store_credential(tx, channel.id, "write", split.write)
        return channel

    def approved(
        self,
        channel: Channel,
        *,
        parent_id: str | None = None,
        text: str | None = None,
        schedule: Schedule = NOW,
    ) -> int:
        """A publication, approved by a person; its id."""
        number = next(self.numbers)
        prefix = "" if channel.platform == "x" else "t3_"
        post = Post(
            platform=channel.platform,
            platform_post_id=parent_id or f"{prefix}{1000 + number}",
            text=f"Heat pumps never work in winter {number}",
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
            author=f"author{number}",
            author_followers=400,
            mentions=("rejoinder",),
        )
        text = text or f"They do, at 12:04 of episode {number}."
        with self.owner.transaction() as tx:
            insert_post(tx, channel.id, post, is_summoned=True, priority=0)
            post_id = tx.connection.execute("select max(id) id from post").fetchone()["id"]
            tx.connection.execute("alter table post disable trigger post_move_guard")
            tx.connection.execute("update post set stage='review', step='review' where id = %s", (post_id,))
            tx.connection.execute("alter table post enable trigger post_move_guard")
            tx.connection.execute(
                "insert into draft (post_id, version, text, strategy, model, prompt_version)"
                " values (%s, 1, %s, 's', 'extractive', 'aaaaaaaaaaaa')",
                (post_id, text),
            )
            version = tx.connection.execute("select version from post where id=%s", (post_id,)).fetchone()
        made = approve(
            self.db, self.approver, post_id, version=version["version"], text=text, schedule=schedule
        )
        return int(made.publication_id)

    def run(self, *, later: timedelta = timedelta(), stop: StopSignal | None = None) -> PublishReport:
        """One pass of the publisher, as it would run this much later."""
        self.platform.advanced = max(self.platform.advanced, later)
        return publish_due(
            self.publisher,
            open_client=lambda channel, credential: self.platform,
            tuning=self.tuning,
            stop=stop or StopSignal(),
            clock=Clock(lambda tx: datetime.now(UTC) + later),
        )

    def clock_at(self, moment: datetime) -> Clock:
        """A clock that shows the moment whenever somebody looks."""
        clock = Clock(lambda tx: moment)
        with self.publisher.transaction() as tx:
            clock.look(tx)
        return clock

    def outlook(self, *, later: timedelta = timedelta()) -> list[Outlook]:
        """How every channel stands this much later."""
        with self.publisher.transaction() as tx:
            return read_outlook(tx, datetime.now(UTC) + later)

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows, as the owner sees them."""
        with self.owner.transaction() as tx:
            cursor = tx.connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def publication(self, publication_id: int) -> dict[str, Any]:
        """The publication with its post's place and its parts' state."""
        return self.rows(
            "select p.*, o.stage || '/' || o.status as place, o.due_at as post_due_at,"
            " (select string_agg(a.state, ',') from publication_part a where a.publication_id = p.id) as parts"
            " from publication p join post o on o.id = p.post_id where p.id = %s",
            publication_id,
        )[0]

    def walk(self, publication_id: int) -> list[str]:
        """The states that a publication went through."""
        rows = self.rows(
            "select to_state from publication_event where publication_id = %s order by id", publication_id
        )
        return [row["to_state"] for row in rows]

    def notices(self) -> list[str]:
        """Kinds of notifications, in order."""
        return [row["kind"] for row in self.rows("select kind from notification order by id")]


@pytest.fixture
def publisher_db(addresses: Addresses) -> Iterator[Database]:
    """The publisher's connection pool."""
    database = Database(addresses.publisher).open()
    yield database
    database.close()


@pytest.fixture
def desk(db: Database, publisher_db: Database, owner_db: Database) -> Desk:
    """An approver and a project; channels and replies are made by each test."""
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        project = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
        tx.connection.execute(
            "insert into prompt_version (version, task, name, body) values ('aaaaaaaaaaaa', 'reply', 'r', 'b')"
        )
        person = tx.connection.execute(
            "insert into person (name, display_name, role, password_hash)"
            " values ('ada', 'Ada', 'approver', 'x') returning id"
        ).fetchone()
    approver = Actor(PersonId(person["id"]), "ada", "approver")
    return Desk(db, publisher_db, owner_db, approver, project["id"])


@dataclass
class LiveSandbox:
    """The sandbox server in a process of its own."""

    url: str

    def get(self, path: str) -> Any:
        """JSON of one of its own pages."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON to one of its own pages."""
        request = urllib.request.Request(
            self.url + path, json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Callable[[list[dict[str, Any]]], LiveSandbox]]:
    """Starts the sandbox with these posts; stopped at the end of the test."""
    started: list[ForkedSandbox] = []

    def start(posts: list[dict[str, Any]]) -> LiveSandbox:
        path = tmp_path / "posts.jsonl"
        path.write_text("".join(json.dumps(post) + "\n" for post in posts), "utf-8")
        arguments = ["--state", str(tmp_path / "sandbox.db"), "--posts", str(path), "--account", "rejoinder"]
        with (tmp_path / "sandbox.stderr").open("a") as errors:
            process = start_sandbox(arguments, errors=errors)
        started.append(process)
        return LiveSandbox(json.loads(process.stdout.readline())["url"])

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait()
        process.stdout.close()


@pytest.fixture
def live(
    desk: Desk, sandbox: Callable[[list[dict[str, Any]]], LiveSandbox]
) -> Iterator[Callable[..., tuple[LiveSandbox, list[int]]]]:
    """Starts the sandbox with posts that call the account, and makes the channel and approved replies for it."""

    def start(platform: Platform, count: int = 1) -> tuple[LiveSandbox, list[int]]:
        server = sandbox([calling_post(platform, number) for number in range(count)])
        credential = server.get("/sandbox/credentials")[platform]
        channel = desk.channel(
            platform=platform, base_url=server.url, credential=credential, communities=("heating",)
        )
        return server, [desk.approved(channel) for _ in range(count)]

    yield start


def calling_post(platform: Platform, number: int) -> dict[str, Any]:
    """A post that calls the account, as the sandbox loads it; its id is that of the desk's posts."""
    return {
        "platform": platform,
        "platform_post_id": str(1001 + number) if platform == "x" else f"t3_{1001 + number}",
        "community": None if platform == "x" else "heating",
        "author": f"author{number}",
        "author_followers": 400,
        "text": f"Heat pumps never work in winter {number + 1}",
        "created_at": "2026-11-01T00:00:00Z",
        "url": f"https://x.example/{number}",
        "metrics": {},
        "mentions": ["rejoinder"],
        "quotes": None,
    }
