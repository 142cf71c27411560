"""A small newsroom: channels, people of every role, and posts that wait for a decision."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.review.roles import ROLES
from resources.commands.actors import Actor
from resources.postgres import Database
from resources.provision import Addresses
from resources.store.channels import save_channel
from resources.store.posts import insert_post

DRAFT = "The episode has it at 12:04: heat pumps work below zero."
CHANNELS = {
    "rehearsal": ("x", True, "sandbox/x/self_serve"),
    "subreddit": ("reddit", True, "sandbox/reddit/approved_app"),
    "live": ("x", False, "x/enterprise"),
}


@dataclass
class Newsroom:
    """What the tests need to make posts and to look behind the curtain."""

    db: Database
    owner: Database
    channels: dict[str, int] = field(default_factory=dict)
    count: int = 0

    def post(
        self,
        channel: str = "rehearsal",
        *,
        summoned: bool = True,
        at: str = "review/pending",
        draft: str = DRAFT,
    ) -> int:
        """A post at this place, with one draft."""
        self.count += 1
        platform, _, _ = CHANNELS[channel]
        value = Post(
            platform=platform,
            platform_post_id=str(1000 + self.count) if platform == "x" else f"t3_{self.count}",
            text=f"Heat pumps never work in winter {self.count}",
            created_at=datetime(2026, 11, 1, tzinfo=UTC),
            author="sceptic",
            mentions=("rejoinder",) if summoned else (),
        )
        stage, status = at.split("/")
        with self.owner.transaction() as tx:
            insert_post(tx, self.channels[channel], value, is_summoned=summoned, priority=self.count)
            post_id = tx.connection.execute("select max(id) as id from post").fetchone()["id"]
            tx.connection.execute("alter table post disable trigger post_move_guard")
            tx.connection.execute(
                "update post set stage = %s, step = %s, status = %s where id = %s",
                (stage, {"post_queue": "publish", "review": "review"}.get(stage, "decide"), status, post_id),
            )
            tx.connection.execute("alter table post enable trigger post_move_guard")
            tx.connection.execute(
                "insert into draft (post_id, version, text, strategy, model, prompt_version)"
                " values (%s, 1, %s, 'evidence_first', 'extractive', 'aaaaaaaaaaaa')",
                (post_id, draft),
            )
        return post_id

    def version(self, post_id: int) -> int:
        """The version a person would see now."""
        return self.value("select version from post where id = %s", post_id)

    def place(self, post_id: int) -> str:
        """Where the post stands."""
        return self.value("select stage || '/' || status from post where id = %s", post_id)

    def state(self, publication_id: int) -> str:
        """The publication's state."""
        return self.value("select state from publication where id = %s", publication_id)

    def value(self, statement: str, *values: object) -> object:
        """One value, as the owner sees it."""
        return next(iter(self.rows(statement, *values)[0].values()))

    def rows(self, statement: str, *values: object) -> list[dict[str, object]]:
        """Rows, as the owner sees them."""
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement, values).fetchall()

    def force(self, publication_id: int, state: str) -> None:
        """Put a publication and its post where the publisher would have put them."""
        with self.owner.transaction() as tx:
            tx.connection.execute("alter table publication disable trigger publication_guard")
            tx.connection.execute("alter table post disable trigger post_move_guard")
            tx.connection.execute(
                "update publication set state = %s, lease_worker = case when %s = 'sending' then 1 end,"
                " lease_until = case when %s = 'sending' then now() end where id = %s",
                (state, state, state, publication_id),
            )
            status = {"sending": "processing", "unknown": "processing", "refused": "failed"}[state]
            tx.connection.execute(
                "update post set status = %s, version = version + 1"
                " where id = (select post_id from publication where id = %s)",
                (status, publication_id),
            )
            tx.connection.execute("alter table post enable trigger post_move_guard")
            tx.connection.execute("alter table publication enable trigger publication_guard")

    def audit(self, action: str) -> list[dict[str, object]]:
        """The audit rows of this action."""
        return self.rows("select * from audit_event where action = %s order by id", action)


@pytest.fixture
def newsroom(db: Database, owner_db: Database) -> Newsroom:
    """Three channels: a sandbox X that answers when summoned, a sandbox subreddit, a live X."""
    room = Newsroom(db, owner_db)
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        project = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()["id"]
        tx.connection.execute(
            "insert into prompt_version (version, task, name, body) values ('aaaaaaaaaaaa', 'reply', 'r', 'b')"
        )
        for name, (platform, is_sandbox, policy) in CHANNELS.items():
            room.channels[name] = save_channel(
                tx,
                project_id=project,
                name=name,
                platform=platform,
                account="@Rejoinder",
                base_url=None,
                is_sandbox=is_sandbox,
                policy=default_policy(policy),
            )
    return room


@pytest.fixture
def actors(newsroom: Newsroom) -> dict[str, Actor]:
    """Somebody signed in of every role; nobody knows their passwords."""
    with newsroom.owner.transaction() as tx:
        rows = tx.connection.execute(
            "insert into person (name, display_name, role, password_hash)"
            " select 'some-' || r, initcap(r), r, '-' from unnest(%s::text[]) r returning id, name, role",
            (list(ROLES),),
        ).fetchall()
    return {row["role"]: Actor(row["id"], row["name"], row["role"], "127.0.0.1") for row in rows}


@pytest.fixture
def publisher_db(addresses: Addresses) -> Iterator[Database]:
    """The publisher's connection pool."""
    database = Database(addresses.publisher).open()
    yield database
    database.close()


@pytest.fixture
def approver(actors: dict[str, Actor]) -> Actor:
    """Somebody who may approve."""
    return actors["approver"]


@pytest.fixture
def disable_live(newsroom: Newsroom) -> Callable[[], None]:
    """Takes the live channel out of service."""

    def act() -> None:
        with newsroom.owner.transaction() as tx:
            tx.connection.execute("update channel set is_enabled = false where name = 'live'")

    return act


EVIDENCE = (
    "insert into source (project_id, name, title, format, content_hash)"
    " select id, 's', 'Heat', 'vtt', 'h' from project",
    "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
    " select id, 0, 'h', 't', 1, 1 from source",
    "insert into stage_decision (post_id, step, verdict, reason) values (%(post)s, 'relevance', 'relevant', 'similar')",
    "insert into claim (post_id, position, kind, text, check_worthiness)"
    " values (%(post)s, 0, 'fact', 'they never work', 0.9)",
    "insert into evidence (post_id, position, claim_id, chunk_id, quote, start_s, score, verdict)"
    " select %(post)s, 0, l.id, c.id, 'they work below zero', 724, 0.9, 'disputes' from chunk c, claim l",
    "insert into draft_evidence (draft_id, evidence_id, quote)"
    " select d.id, e.id, e.quote from draft d join evidence e on e.post_id = d.post_id where d.post_id = %(post)s",
    "insert into draft_check (draft_id, name, is_passed, detail)"
    " select id, 'length', true, 'fits' from draft where post_id = %(post)s",
)


@pytest.fixture
def give_evidence(newsroom: Newsroom) -> Callable[[int], None]:
    """Gives a post a claim, evidence that its draft quotes, and a check."""

    def act(post: int) -> None:
        with newsroom.owner.transaction() as tx:
            for statement in EVIDENCE:
                tx.connection.execute(statement, {"post": post})

    return act
