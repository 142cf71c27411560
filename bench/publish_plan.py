"""The plan of a fault campaign, drawn from its seed: what is to be published, and what breaks when.

Moments are counted in requests for new posts that reached the sandbox, not in seconds.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from rejoinder.listening.post import Platform

X_SHARE = 0.6
PER_ACCOUNT = (
    350  # an account's timeline shows its newest 800 posts; more than the 300 that X takes in three hours
)
THREAD_SHARE = 0.15
SCHEDULED_SHARE = 0.05
EARLIEST_SCHEDULE_S, LATEST_SCHEDULE_S = 1200, 6 * 3600
UNCALLED_SHARE = 0.01
TWIN_SHARE = 0.01

# What X's and Reddit's calls meet, by the sandbox's names for endpoints and faults (docs/sandbox.md).
UNSEEN = ("commit_then_503", "commit_then_drop", "503", "drop", "500", "slow", "slow_body")
LIMITED = ("429", "429_no_headers")
FAULTS: dict[str, tuple[str, ...]] = {
    "create": (*UNSEEN, *LIMITED, "429_problem", "401", "403", "usage_capped", "resource_unavailable"),
    "comment": (
        *(*UNSEEN, *LIMITED, "401", "403", "ratelimit"),
        *("thread_locked", "too_old", "user_blocked", "deleted_comment"),
    ),
    "timeline": ("503", "drop"),
    "user_comments": ("503", "drop"),
    "lookup": ("503", "drop", "429"),
    "info": ("503", "drop"),
    "token": ("503",),
}
SHORT_S, LONG_S = 0.4, 31.0  # a slow answer, and one that comes after our client has hung up (30 s)
PARENT_ENDS = ("deleted", "blocked", "locked", "text")
# A channel's pause ends with so many requests of the others. While everything is paused none arrives, so that ends
# after so many seconds of real time.
CHANNEL_PAUSE_REQUESTS = (2, 40)
PAUSE_OF_ALL_S = (0.5, 3.0)


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the sandbox, which is one channel here."""

    name: str
    platform: Platform


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reply to be approved: its parts, under a parent of an account; after_s names a time, from the start."""

    number: int
    account: Account
    parent_id: str
    texts: tuple[str, ...]
    is_called: bool = True
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something breaks once so many requests for new posts have reached the sandbox; what and how is in kind and of."""

    at: int
    kind: str
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole campaign."""

    accounts: tuple[Account, ...]
    wanted: tuple[Wanted, ...]
    events: tuple[Event, ...]


def draw_plan(n: int, n_publishers: int, seed: int) -> Plan:
    """The plan of n publications for so many publishers; the same seed draws the same plan."""
    chance = Random(seed)
    accounts = tuple(_accounts(n))
    wanted = tuple(_wanted(n, accounts, chance))
    events = sorted(_events(n, n_publishers, wanted, chance), key=lambda event: event.at)
    return Plan(accounts, wanted, tuple(events))


def _accounts(n: int) -> Iterator[Account]:
    shares: dict[Platform, float] = {"x": X_SHARE, "reddit": 1 - X_SHARE}
    for platform, share in shares.items():
        for number in range(max(1, -(-int(n * share) // PER_ACCOUNT))):
            yield Account(f"bench_{platform}_{number}", platform)


def _wanted(n: int, accounts: Sequence[Account], chance: Random) -> Iterator[Wanted]:
    said: dict[Account, str] = {}
    for number in range(n):
        platform: Platform = "x" if chance.random() < X_SHARE else "reddit"
        account = chance.choice([one for one in accounts if one.platform == platform])
        texts = _texts(number, platform, chance)
        is_twin = platform == "x" and account in said and chance.random() < TWIN_SHARE
        yield Wanted(
            number,
            account,
            parent_id(platform, number),
            (said[account],) if is_twin else texts,
            is_called=platform != "x" or chance.random() >= UNCALLED_SHARE,
            after_s=chance.uniform(EARLIEST_SCHEDULE_S, LATEST_SCHEDULE_S)
            if chance.random() < SCHEDULED_SHARE
            else None,
        )
        if len(texts) == 1:
            said[account] = texts[0]


def _texts(number: int, platform: Platform, chance: Random) -> tuple[str, ...]:
    is_thread = platform == "x" and chance.random() < THREAD_SHARE
    n_parts = chance.choice((2, 3)) if is_thread else 1
    return tuple(f"They do, at 12:04 of episode {number}, point {part + 1}." for part in range(n_parts))


def parent_id(platform: Platform, number: int) -> str:
    """The id of the post that the publication of this number answers.

    >>> parent_id("x", 5), parent_id("reddit", 5)
    ('100005', 't3_100005')
    """
    return f"{'' if platform == 'x' else 't3_'}{100_000 + number}"


def _events(n: int, n_publishers: int, wanted: Sequence[Wanted], chance: Random) -> Iterator[Event]:
    def when() -> int:
        return chance.randint(max(1, n // 50), max(2, int(n * 0.95)))

    for endpoint, kind in _deck(max(20, int(n * 0.15)), chance):
        yield Event(when(), "fault", (endpoint, kind, str(SHORT_S)))
    for endpoint in ("create", "comment") if n >= 1000 else ():
        yield Event(when(), "fault", (endpoint, "slow", str(LONG_S)))
    for number in range(max(4, n // 40)):
        of = str(number % n_publishers)
        yield Event(when(), "kill_in_hand" if number % 2 else "kill", (of,))
    for name, count in _others(n).items():
        for _ in range(count):
            yield Event(when(), name)
    for one in chance.sample(wanted, max(2, n // 50)):
        yield Event(when(), "parent", (one.parent_id, chance.choice(PARENT_ENDS)))
    yield from _pauses(n, wanted, chance, when)


def _pauses(n: int, wanted: Sequence[Wanted], chance: Random, when: Callable[[], int]) -> Iterator[Event]:
    """Pauses of a channel with their ends, and of everything; in every other one of those a publisher is killed."""
    for _ in range(max(2, n // 100)):
        at, name = when(), chance.choice(wanted).account.name
        yield Event(at, "pause_channel", (name,))
        yield Event(at + chance.randint(*CHANNEL_PAUSE_REQUESTS), "resume_channel", (name,))
    for number in range(max(2, n // 200)):
        at = when()
        yield Event(at, "pause_everything", (str(chance.uniform(*PAUSE_OF_ALL_S)),))
        if number % 2:
            yield Event(at, "kill", ("0",))


def _others(n: int) -> dict[str, int]:
    return {
        "postgres": max(1, n // 500),
        "sandbox_clock": max(2, n // 200),
        "publisher_clock": max(2, n // 100),
        "database_clock": max(2, n // 100),
        "reddit_tokens": max(1, n // 400),
    }


def _deck(count: int, chance: Random) -> Iterator[tuple[str, str]]:
    """Every fault of every endpoint once in a random order, then again in another."""
    every = [(endpoint, kind) for endpoint, kinds in FAULTS.items() for kind in kinds]
    dealt: list[tuple[str, str]] = []
    while len(dealt) < count:
        dealt += chance.sample(every, len(every))
    return iter(dealt[:count])
