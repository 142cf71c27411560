"""What stands above a post is read once, for accepted posts only, and no failure stops a post."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from cli.case_text import case_lines
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.conversation_context import read_threads
from resources.platforms.failures import PlatformFailure, Refused, SpendStopped, Unreachable
from resources.store.posts import insert_post
from resources.store.reviews import load_case
from resources.work.stopping import StopSignal

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Climber:
    """A client that can only climb, and notes what it was asked."""

    above: Sequence[Post] = ()
    failure: PlatformFailure | None = None
    asked: list[tuple[str, str | None, int]] = field(default_factory=list)
    capabilities: frozenset[Any] = frozenset({"thread"})

    def thread(self, post: Post, most: int) -> Sequence[Post]:
        self.asked.append((post.platform_post_id, post.parent_id, most))
        if self.failure:
            raise self.failure
        return self.above


def heard(desk: Any, channel: Any, number: int, *, step: str = "claims", parent: str | None = "9") -> int:
    post = Post("x", str(number), f"Post {number}", NOW, author="someone", parent_id=parent)
    with desk.db.transaction() as tx:
        insert_post(tx, channel.id, post, is_summoned=False, priority=1)
    return desk.rows(
        "update post set step = %s where platform_post_id = %s returning id",
        step,
        str(number),
    )[0]["id"]


def parents() -> list[Post]:
    root = Post("x", "7", "The root", NOW, author="root")
    return [root, replace(root, platform_post_id="8", text="Leave me", author="Quiet")]


def read(desk: Any, client: Climber) -> Any:
    return read_threads(desk.db, open_client=lambda channel, credential: client, stop=StopSignal())


def test_accepted_posts_that_answer_another_get_what_stands_above_once(desk: Any) -> None:
    channel, client = desk.channel(), Climber(parents())
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'quiet', 'stop')")
    first = heard(desk, channel, 1)
    heard(desk, channel, 2, parent=None)
    heard(desk, channel, 3, step="relevance")
    report = read(desk, client)
    assert client.asked == [("1", "9", channel.policy.thread_posts)]
    assert (report.read, report.parents, report.errors) == (1, 1, {})
    with desk.db.transaction() as tx:
        case = load_case(tx, first)
    assert [(one.author, one.text) for one in case.thread] == [("root", "The root")]
    shown = list(case_lines(case))
    assert shown[shown.index("Above it") + 1].startswith("- root, ") and "    The root" in shown
    assert read(desk, client).read == 0


def test_a_refusal_is_final_and_what_is_not_about_the_post_is_asked_again_later(desk: Any) -> None:
    channel = desk.channel()
    post_id = heard(desk, channel, 1)
    assert list(read(desk, Climber(failure=SpendStopped(None, "spent"))).errors) == [
        f"channel {channel.name}: spent"
    ]
    heard(desk, channel, 2)
    away = Climber(failure=Unreachable("away"))
    assert list(read(desk, away).errors) == [f"channel {channel.name}: away"] and len(away.asked) == 1
    refusing = Climber(failure=Refused("forbidden", "not yours"))
    assert list(read(desk, refusing).errors) == [f"channel {channel.name}: forbidden: not yours"]
    assert len(refusing.asked) == 2
    assert desk.rows("select status from post where id = %s", post_id) == [{"status": "pending"}]
    client = Climber(parents())
    assert read(desk, client).read == 0 and not client.asked


def test_a_policy_without_threads_asks_nothing(desk: Any) -> None:
    policy = replace(default_policy("sandbox/x/enterprise"), thread_posts=0)
    channel, client = desk.channel(policy=policy), Climber(parents())
    heard(desk, channel, 1)
    assert read(desk, client).read == 0 and not client.asked
