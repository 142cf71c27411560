"""The desk of a fault campaign: channels on the sandbox, posts that wait for a decision, and a person who approves."""

import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.publish_plan import Account, Wanted
from rejoinder.ids import ChannelId
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Platform, Post
from rejoinder.posting.schedule import NOW, Schedule
from resources.commands.actors import Actor, machine_owner
from resources.commands.people import add_person
from resources.commands.review import approve
from resources.postgres import Database, Transaction
from resources.provision import Addresses
from resources.sealing.splits import split_credentials
from resources.store.channels import save_channel, store_credential
from resources.store.posts import NewPost, insert_posts
from resources.store.sources import default_project

COMMUNITY = "heating"
POLICIES: dict[Platform, str] = {"x": "sandbox/x/enterprise", "reddit": "sandbox/reddit/approved_app"}

# The way from triage to review is another benchmark's; the gate that counts here is behind it.
AT_REVIEW = """
alter table post disable trigger post_move_guard;
update post set stage = 'review', step = 'review';
alter table post enable trigger post_move_guard;
insert into prompt_version (version, task, name, body) values ('campaign0000', 'reply', 'campaign', 'campaign')
on conflict do nothing;
insert into draft (post_id, version, text, strategy, model, prompt_version)
select id, 1, 'They do.', 'explain', 'extractive', 'campaign0000' from post;
"""

# What the command that approves writes, for many posts at once: a decision, its words, what is to be sent, the move.
APPROVE_MANY = """
with said as (
  select * from unnest(%(post_ids)s::bigint[], %(texts)s::text[]) as one (post_id, text)
), decided as (
  insert into review (post_id, draft_id, reviewer_id, decision, was_edited, is_simulated)
  select said.post_id, draft.id, %(reviewer_id)s, 'approved', true, false
  from said join draft using (post_id)
  returning id, post_id
), worded as (
  insert into review_part (review_id, position, text, sha256)
  select decided.id, 0, said.text, encode(sha256(convert_to(said.text, 'UTF8')), 'hex')
  from decided join said using (post_id)
  returning review_id, position, text, sha256
), answered as (
  insert into publication (post_id, review_id, channel_id, state, schedule, due_at)
  select post.id, decided.id, post.channel_id, 'queued', 'now', now()
  from (select distinct review_id from worded) complete
  join decided on decided.id = complete.review_id join post on post.id = decided.post_id
  returning id, review_id
), parts as (
  insert into publication_part (publication_id, position, text, sha256)
  select answered.id, worded.position, worded.text, worded.sha256
  from answered join worded using (review_id)
  returning publication_id
)
update post set stage = 'post_queue', step = 'publish', status = 'pending', version = version + 1, due_at = now()
where id in (select post_id from said) and (select count(*) from parts) = cardinality(%(post_ids)s)
"""
AT_ONCE = 1000


@dataclass(slots=True)
class Desk:
    """The database as its three logins, who approves, and what was approved: publication ids by number of the plan."""

    app: Database
    owner: Database
    approver: Actor
    posts: dict[str, int] = field(default_factory=dict)
    publications: dict[int, int] = field(default_factory=dict)

    def approve(self, wanted: Wanted, started: datetime) -> None:
        """Approve one reply, at once or for its time."""
        post_id = self.posts[wanted.parent_id]
        schedule = NOW
        if wanted.after_s is not None:
            schedule = Schedule("at", started + timedelta(seconds=wanted.after_s), "UTC")
        made = approve(
            self.app,
            self.approver,
            post_id,
            version=self.version(post_id),
            texts=wanted.texts,
            schedule=schedule,
        )
        self.publications[wanted.number] = int(made.publication_id)

    def version(self, post_id: int) -> int:
        """The version of a post, as a person who looks at it has it."""
        [row] = self.rows("select version from post where id = %s", post_id)
        return int(row["version"])

    def rows(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows as the owner of the tables sees them."""
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement, values).fetchall()


def write_posts(path: Path, wanted: Sequence[Wanted]) -> None:
    """The posts to answer, as the sandbox loads them."""
    started = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    path.write_text("".join(json.dumps(_record(one, started)) + "\n" for one in wanted), encoding="utf-8")


def _record(one: Wanted, at: datetime) -> dict[str, Any]:
    post = _post(one, at)
    return {
        "platform": post.platform,
        "platform_post_id": post.platform_post_id,
        "community": COMMUNITY if post.platform == "reddit" else None,
        "author": post.author,
        "author_followers": 400,
        "text": post.text,
        "created_at": at.isoformat(),
        "mentions": list(post.mentions),
    }


def _post(one: Wanted, at: datetime) -> Post:
    return Post(
        platform=one.account.platform,
        platform_post_id=one.parent_id,
        text=f"Heat pumps never work in winter {one.number}",
        created_at=at,
        author=f"author{one.number}",
        author_followers=400,
        mentions=(one.account.name,) if one.is_called else (),
    )


def open_desk(addresses: Addresses, url: str, keys: Mapping[str, Any], wanted: Sequence[Wanted]) -> Desk:
    """Connect a channel per account, store the posts, and let them wait for a decision.

    Args:
        addresses: of a prepared database.
        url: the sandbox's.
        keys: per account and platform, as the sandbox shows them.
        wanted: replies to be approved.
    """
    app, owner = Database(addresses.app).open(), Database(addresses.owner, max_size=2).open()
    name, password = "campaign", secrets.token_urlsafe(24)
    person_id = add_person(app, machine_owner(), name, name, "admin", password)
    desk = Desk(app, owner, Actor(person_id, name, "admin"))
    with owner.transaction() as tx:
        for account, ones in _by_account(wanted):
            channel_id = _connect(tx, account, url, keys[account.name][account.platform])
            _store(tx, channel_id, ones)
        tx.connection.execute(AT_REVIEW)
        rows = tx.connection.execute("select id, platform_post_id from post").fetchall()
    desk.posts = {row["platform_post_id"]: row["id"] for row in rows}
    return desk


def _by_account(wanted: Sequence[Wanted]) -> Iterable[tuple[Account, list[Wanted]]]:
    def name(one: Wanted) -> str:
        return one.account.name

    grouped = groupby(sorted(wanted, key=name), key=lambda one: one.account)
    return [(account, list(ones)) for account, ones in grouped]


def _connect(tx: Transaction, account: Account, url: str, keys: Mapping[str, str]) -> ChannelId:
    channel_id = save_channel(
        tx,
        project_id=default_project(tx),
        name=account.name,
        platform=account.platform,
        account=account.name,
        base_url=url,
        is_sandbox=True,
        policy=default_policy(POLICIES[account.platform]),
        communities=(COMMUNITY,) if account.platform == "reddit" else (),
    )
    split = split_credentials(account.platform, keys, account=account.name)
    store_credential(tx, channel_id, "read", split.read)
    store_credential(tx, channel_id, "write", split.write)
    return channel_id


def _store(tx: Transaction, channel_id: ChannelId, ones: Sequence[Wanted]) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    insert_posts(tx, channel_id, [NewPost(_post(one, at), one.is_called, 0) for one in ones])


def approve_all(
    desk: Desk, wanted: Sequence[Wanted], started: datetime, advance: Callable[[int], None]
) -> None:
    """Approve every reply of the plan through the command that people use."""
    for one in wanted:
        desk.approve(one, started)
        advance(1)


def approve_many(desk: Desk, wanted: Sequence[Wanted], advance: Callable[[int], None]) -> None:
    """Approve replies of one part for now, a thousand to a statement: where approving is not what is measured.

    The database's own checks of an approval hold as ever.
    """
    for start in range(0, len(wanted), AT_ONCE):
        ones = wanted[start : start + AT_ONCE]
        given = {
            "post_ids": [desk.posts[one.parent_id] for one in ones],
            "texts": [one.texts[0] for one in ones],
            "reviewer_id": desk.approver.person_id,
        }
        with desk.owner.transaction() as tx:
            tx.connection.execute(APPROVE_MANY, given)
        advance(len(ones))
