"""The contract of every adapter: X, Reddit, archives, a sample of another package, and whatever is installed beside.

An adapter of another package takes part once the package names a rehearsal (`resources.platforms.rehearsal`); run it
alone with ``pytest tests/contract/test_platform_clients.py -k NAME``. What an adapter cannot do it has to say in its
capabilities, and refuse.
"""

import inspect
import socket
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from platform_rehearsals import ArchiveRehearsal, SandboxRehearsal
from sample_platform import ForumRehearsal

from rejoinder.errors import ConfigInvalid, PlatformRefusal
from rejoinder.listening.post import Post
from rejoinder.listening.rules import ListeningRule
from resources.platforms.adapters import GROUP, load_adapter, open_platform
from resources.platforms.failures import (
    AuthExpired,
    OutcomeUnknown,
    PlatformFailure,
    RateLimited,
    Refused,
    Unreachable,
)
from resources.platforms.port import Action, Capability, PlatformClient
from resources.platforms.rehearsal import Fault, Rehearsal, rehearsals

OURS = ("archive", "forum", "reddit", "x")
THEIRS = tuple(sorted(set(rehearsals()) - set(OURS)))
TEXT = "Measured at 12:04 in the episode: R&D says it depends. https://example.com/e1?t=724 ✅"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
RULES = (ListeningRule("keywords:asyncio", "asyncio", ("sample_python",)),)
POST = Post("x", "1", "text", LONG_AGO)
CALLS: dict[Capability, Callable[[PlatformClient], object]] = {
    "hear": lambda client: client.hear({}, RULES, ()),
    "stream": lambda client: next(iter(client.stream(RULES, Never())), None),
    "search": lambda client: client.search("asyncio", LONG_AGO, 10),
    "look_up": lambda client: client.look_up(["1"]),
    "thread": lambda client: client.thread(POST, 2),
    "counts": lambda client: client.counts("asyncio"),
    "publish": lambda client: client.publish("1", "text"),
    "metrics": lambda client: client.metrics(["1"]),
    "replies": lambda client: client.replies("1", LONG_AGO, 10),
}


class Never:
    """A stop that is not asked for."""

    def is_set(self) -> bool:
        return False


class Ledger:
    """A meter that writes down what it is told."""

    def __init__(self) -> None:
        self.allowed: list[tuple[str, int]] = []
        self.counted: list[tuple[str, tuple[str, ...]]] = []

    def allow(self, action: Action, n_resources: int = 1) -> None:
        self.allowed.append((action, n_resources))

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        self.counted.append((action, tuple(resource_ids)))


@pytest.fixture(params=[*OURS, *THEIRS])
def rehearsal(
    request: pytest.FixtureRequest, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Rehearsal]:
    if request.param in {"x", "reddit"}:
        case = request.getfixturevalue("cases")[request.param]
        opened: Rehearsal = SandboxRehearsal(request.getfixturevalue("sandbox"), case)
    elif request.param == "archive":
        opened = ArchiveRehearsal(tmp_path)
    elif request.param == "forum":
        install_forum(tmp_path, monkeypatch)
        opened = ForumRehearsal()
    else:
        opened = rehearsals()[request.param].load()()
    yield opened
    opened.close()


def install_forum(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What installing the forum's package does: an entry point that names its function."""
    found = folder / "sample_forum-1.0.dist-info"
    found.mkdir()
    (found / "METADATA").write_text("Metadata-Version: 2.1\nName: sample-forum\nVersion: 1.0\n")
    (found / "entry_points.txt").write_text(f"[{GROUP}]\nforum = sample_platform:open_forum\n")
    monkeypatch.syspath_prepend(str(folder))


@pytest.fixture
def adapter(rehearsal: Rehearsal) -> PlatformClient:
    return open_platform(
        rehearsal.platform, rehearsal.address, rehearsal.credentials, clock=clock_of(rehearsal)
    )


def clock_of(rehearsal: Rehearsal) -> Any:
    """The sandbox keeps its own time; other rehearsals have this machine's."""
    return None if rehearsal.platform in {"x", "reddit"} else lambda: datetime.now(UTC)


def needs(adapter: PlatformClient, *capabilities: Capability) -> None:
    if missing := set(capabilities) - adapter.capabilities:
        pytest.skip(f"the adapter cannot {', '.join(sorted(missing))}, and says so")


def needs_fault(rehearsal: Rehearsal, kind: Fault) -> None:
    if kind not in rehearsal.faults:
        pytest.skip(f"the rehearsal has no fault {kind}")


def test_it_says_what_it_can_and_refuses_the_rest(adapter: PlatformClient) -> None:
    assert adapter.capabilities and adapter.capabilities <= set(get_args(Capability)) == CALLS.keys()
    for capability in CALLS.keys() - adapter.capabilities:
        with pytest.raises(Refused):
            CALLS[capability](adapter)
    assert adapter.account == "sample_account" and not adapter.account.startswith("@")
    assert adapter.now().tzinfo is not None


def test_it_has_every_method_of_the_port(adapter: PlatformClient) -> None:
    for name, wanted in inspect.getmembers(PlatformClient, inspect.isfunction):
        if not name.startswith("_"):
            found = inspect.signature(getattr(adapter, name))
            assert list(found.parameters) == list(inspect.signature(wanted).parameters)[1:], name


def test_credentials_that_lack_something_are_named_and_nothing_is_sent(rehearsal: Rehearsal) -> None:
    with pytest.raises(ConfigInvalid, match="lack"):
        open_platform(rehearsal.platform, "http://127.0.0.1:1", {})


def test_what_is_heard_once_is_not_heard_again(adapter: PlatformClient) -> None:
    needs(adapter, "hear")
    heard = adapter.hear({}, RULES, ())
    ids = [post.platform_post_id for post in heard.posts]
    times = [post.created_at for post in heard.posts]
    assert ids and len(ids) == len(set(ids)) and times == sorted(times) and heard.is_complete
    assert all(
        post.created_at.tzinfo is not None and post.text and post.platform == adapter.platform
        for post in heard.posts
    )
    assert all(isinstance(value, str) for value in heard.cursor.values()), "the cursor is kept as JSON"
    again = adapter.hear(heard.cursor, RULES, ())
    assert again.posts == () and again.unreadable == ()


def test_reads_are_asked_for_and_counted(rehearsal: Rehearsal) -> None:
    ledger = Ledger()
    client = open_platform(
        rehearsal.platform, rehearsal.address, rehearsal.credentials, clock=clock_of(rehearsal), meter=ledger
    )
    if rehearsal.platform == "archive":
        pytest.skip("a file costs nothing")
    heard = client.hear({}, RULES, ())
    counted = {i for action, ids in ledger.counted if action == "post_read" for i in ids}
    assert counted >= {post.platform_post_id for post in heard.posts}
    assert {action for action, _ in (*ledger.allowed, *ledger.counted)} <= set(get_args(Action))


def test_a_reply_is_sent_once_and_found_again(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    before = adapter.now()
    sent = adapter.publish(rehearsal.parent_id, TEXT)
    [attempt] = rehearsal.attempts(rehearsal.parent_id)
    assert attempt == (sent.platform_id, TEXT, True)
    assert before - timedelta(seconds=1) <= sent.sent_at <= adapter.now()
    look = adapter.read_back(rehearsal.parent_id, TEXT, LONG_AGO)
    assert look.found is not None and look.found.platform_id == sent.platform_id
    assert abs(look.found.sent_at - sent.sent_at) < timedelta(seconds=1.5)
    assert adapter.read_back(rehearsal.other_parent_id, TEXT, LONG_AGO).found is None
    look = adapter.read_back(rehearsal.parent_id, "another text", LONG_AGO)
    assert look.found is None and look.is_complete and look.searched_until <= adapter.now()
    if "hear" in adapter.capabilities:
        assert TEXT not in [post.text for post in adapter.hear({}, RULES, ()).posts]


@pytest.mark.parametrize("kind", ["commit_then_503", "commit_then_drop"])
def test_a_lost_answer_is_unknown_and_was_sent_once(
    adapter: PlatformClient, rehearsal: Rehearsal, kind: Fault
) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, kind)
    rehearsal.fault(kind)
    with pytest.raises(OutcomeUnknown):
        adapter.publish(rehearsal.parent_id, TEXT)
    [attempt] = rehearsal.attempts(rehearsal.parent_id)
    found = adapter.read_back(rehearsal.parent_id, TEXT, LONG_AGO).found
    assert found is not None and found.platform_id == attempt.platform_id


@pytest.mark.parametrize("kind", ["503", "drop"])
def test_a_write_that_was_not_taken_is_unknown_and_was_sent_once(
    adapter: PlatformClient, rehearsal: Rehearsal, kind: Fault
) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, kind)
    rehearsal.fault(kind, times=3)
    with pytest.raises(OutcomeUnknown) as caught:
        adapter.publish(rehearsal.parent_id, TEXT)
    assert [attempt.accepted for attempt in rehearsal.attempts(rehearsal.parent_id)] == [False]
    assert adapter.read_back(rehearsal.parent_id, TEXT, LONG_AGO).found is None
    secrets = [value for name, value in rehearsal.credentials.items() if name not in {"username", "name"}]
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert not [one for one in secrets if one in repr(caught.value) + str(caught.value)]


def test_an_expired_token_never_sends_twice(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, "401")
    adapter.publish(rehearsal.other_parent_id, "before it expired")
    rehearsal.fault("401")
    try:
        adapter.publish(rehearsal.parent_id, TEXT)
        accepted = 1
    except AuthExpired:
        accepted = 0
    assert sum(attempt.accepted for attempt in rehearsal.attempts(rehearsal.parent_id)) == accepted


@pytest.mark.parametrize("kind", ["slow", "slow_body"])
def test_a_slow_answer_is_waited_for(adapter: PlatformClient, rehearsal: Rehearsal, kind: Fault) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, kind)
    rehearsal.fault(kind, delay_s=0.05)
    sent = adapter.publish(rehearsal.parent_id, TEXT)
    assert [attempt.platform_id for attempt in rehearsal.attempts(rehearsal.parent_id)] == [sent.platform_id]


def test_a_429_says_when_to_come_back_and_is_not_repeated(
    adapter: PlatformClient, rehearsal: Rehearsal
) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, "429")
    rehearsal.fault("429", times=3)
    with pytest.raises(RateLimited) as caught:
        adapter.publish(rehearsal.parent_id, TEXT)
    assert caught.value.retry_at is not None
    assert timedelta(seconds=30) < caught.value.retry_at - adapter.now() <= timedelta(minutes=16)
    assert len(rehearsal.attempts(rehearsal.parent_id)) == 1


def test_a_429_that_does_not_say_has_no_time(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    needs_fault(rehearsal, "429_no_headers")
    rehearsal.fault("429_no_headers")
    with pytest.raises(RateLimited) as caught:
        adapter.publish(rehearsal.parent_id, TEXT)
    assert caught.value.retry_at is None


def test_a_refused_connection_was_surely_not_sent(rehearsal: Rehearsal, adapter: PlatformClient) -> None:
    needs(adapter, "publish")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
        away = open_platform(
            rehearsal.platform, address, rehearsal.credentials, clock=lambda: datetime.now(UTC)
        )
        with pytest.raises(Unreachable):
            away.publish(rehearsal.parent_id, TEXT)


def test_a_parent_that_is_gone_is_refused(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    rehearsal.delete(rehearsal.parent_id)
    with pytest.raises(Refused) as caught:
        adapter.publish(rehearsal.parent_id, TEXT)
    assert caught.value.code == "parent_gone" and isinstance(caught.value, PlatformRefusal)


def test_a_text_over_the_limit_is_refused(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    with pytest.raises(Refused) as caught:
        adapter.publish(rehearsal.parent_id, "x" * (adapter.text_limit + 1))
    assert caught.value.code == "too_long"
    adapter.publish(rehearsal.parent_id, "x" * adapter.text_limit)


def test_what_stands_and_what_is_gone_are_told_apart(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "look_up")
    rehearsal.delete(rehearsal.other_parent_id)
    asked = [rehearsal.parent_id, rehearsal.other_parent_id, rehearsal.unknown_id]
    found = adapter.look_up(asked)
    standing = found[rehearsal.parent_id].post
    assert standing is not None and standing.platform_post_id == rehearsal.parent_id
    assert found[rehearsal.other_parent_id].is_gone and found[rehearsal.unknown_id].is_gone
    if "metrics" in adapter.capabilities:
        counts = adapter.metrics(asked)
        assert not counts[rehearsal.parent_id].is_deleted
        assert counts[rehearsal.other_parent_id].is_deleted
        # Of an id that it does not know a platform may say nothing; it never counts as standing.
        assert rehearsal.unknown_id not in counts or counts[rehearsal.unknown_id].is_deleted


def test_failures_say_what_is_known_of_the_outcome(adapter: PlatformClient, rehearsal: Rehearsal) -> None:
    needs(adapter, "publish")
    wrong = {name: "wrong" for name in rehearsal.credentials}
    client = open_platform(rehearsal.platform, rehearsal.address, wrong, clock=clock_of(rehearsal))
    with pytest.raises(PlatformFailure) as caught:
        client.publish(rehearsal.parent_id, TEXT)
    assert caught.value.kind == "auth_expired" and "wrong" not in str(caught.value)


def test_an_unknown_platform_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigInvalid, match="archive, reddit, x"):
        load_adapter("myspace")
