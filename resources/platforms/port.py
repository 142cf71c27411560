"""The port of the platforms: what the project asks of X, Reddit and whatever comes next.

Every call may raise the failures of `resources.platforms.failures`. Times are the platform's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from rejoinder.listening.policy import PaidAction
from rejoinder.listening.post import Platform, Post
from rejoinder.listening.rules import ListeningRule
from rejoinder.posting.pacing import RateWindow

Capability = Literal[
    "hear", "stream", "search", "look_up", "thread", "counts", "publish", "metrics", "replies"
]
Action = PaidAction


class Unreadable(NamedTuple):
    """Something a platform sent that is no post; raw is its JSON, or empty."""

    raw_id: str
    raw: str
    reason: str


class RefusedRule(NamedTuple):
    """A listening rule that a platform does not take, and why, in the platform's words."""

    rule: ListeningRule
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One poll: posts oldest first, each once, and the cursor to poll with next.

    is_complete is False when the poll stopped at its bound or at a rate limit with more waiting;
    the next poll goes on from there. gaps are sentences about posts that can no longer be had. refused
    are rules that the platform does not take: the others were asked for.
    """

    posts: tuple[Post, ...]
    cursor: Mapping[str, str]
    unreadable: tuple[Unreadable, ...] = ()
    is_complete: bool = True
    gaps: tuple[str, ...] = ()
    refused: tuple[RefusedRule, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply that stands on the platform; rate_windows are the limits its answer reported."""

    platform_id: str
    sent_at: datetime
    rate_windows: tuple[RateWindow, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadBack:
    """A search of the account's own replies for a text under a parent.

    searched_until is the time of the search; is_complete says whether it went back to the time
    asked for without a gap.
    """

    found: Sent | None
    searched_until: datetime
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Metrics:
    """Counts of a reply now; likes is the score on Reddit; impressions and clicks are None where not told.

    is_deleted: the platform shows it no more, whoever took it away; reason says who, in the platform's own word.
    """

    impressions: int | None
    likes: int
    replies: int
    reposts: int
    is_deleted: bool = False
    link_clicks: int | None = None
    profile_clicks: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a post stands on its platform, and how it reads now.

    post is None where it is gone: deleted, removed, or hidden from the account; reason says which, in
    the platform's own word where it has one. Where the platform gives each edit an id of its own, post is
    the newest version, and its id is not the one that was asked for. is_said is False where its being gone
    is only concluded: the platform left it out of the answer, as it does with what is hidden for a while too.
    """

    post: Post | None
    reason: str = ""
    is_said: bool = True

    @property
    def is_gone(self) -> bool:
        """Whether the platform does not show it any more."""
        return self.post is None


class DayCount(NamedTuple):
    """How many posts a query matched in a stretch of time that the platform counted."""

    since: datetime
    until: datetime
    n_posts: int


class Meter(Protocol):
    """What a client asks before a call that costs money, and tells after it; shared by threads."""

    def allow(self, action: Action, n_resources: int = 1) -> None:
        """Let a call pass that returns at most so many resources.

        Raises:
            SpendStopped: the budget has not that much left; nothing may be sent.
        """
        ...

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        """Note what a call returned, or did; an id that was counted on the same UTC day is free.

        No ids at all end the call: nothing more comes of what it was allowed.
        """
        ...


class Stop(Protocol):
    """Anything with ``is_set``, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class PlatformClient(Protocol):
    """One account on one platform.

    text_limit is the longest text, in the platform's own measure (weighted on X). capabilities name
    the methods that work; the others raise `Refused`.
    """

    platform: Platform
    text_limit: int
    capabilities: frozenset[Capability]

    @property
    def account(self) -> str:
        """Handle of the account, without ``@``."""
        ...

    def hear(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], communities: Sequence[str]
    ) -> Heard:
        """One bounded poll for posts since the cursor (an empty one starts from the oldest on offer)."""
        ...

    def stream(self, rules: Sequence[ListeningRule], stop: Stop) -> Iterator[Post]:
        """Posts as they appear, until stop is set; the platform's rules are made equal to these."""
        ...

    def publish(self, parent_id: str, text: str) -> Sent:
        """Reply to a post; exactly one request is sent, whatever happens."""
        ...

    def read_back(self, parent_id: str, text: str, since: datetime) -> ReadBack:
        """Search the account's own replies, back to a time, for this text under this parent."""
        ...

    def search(self, query: str, since: datetime, most: int) -> Heard:
        """Posts that match a query of the platform, not older than a time, at most so many; no cursor."""
        ...

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        """Which of these posts stand, by id; an id is left out only where the platform did not say."""
        ...

    def thread(self, post: Post, most: int) -> tuple[Post, ...]:
        """What stands above a post in its conversation, oldest first: at most so many, the nearest ones."""
        ...

    def counts(self, query: str) -> tuple[DayCount, ...]:
        """How many posts a query matched on the last days, oldest first."""
        ...

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts by id; one that the platform says is gone is marked deleted, one it says nothing of is left out."""
        ...

    def replies(self, parent_id: str, since: datetime, most: int) -> Heard:
        """What others answered to a post since a time, at most so many; no cursor."""
        ...

    def now(self) -> datetime:
        """The platform's time."""
        ...
