"""The port of the platforms: what the project asks of X, Reddit and whatever comes next.

Every call may raise the failures of `resources.platforms.failures`. Times are the platform's.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from rejoinder.listening.post import Platform, Post
from rejoinder.listening.rules import ListeningRule
from rejoinder.posting.pacing import RateWindow


class Unreadable(NamedTuple):
    """Something a platform sent that is no post; raw is its JSON, or empty."""

    raw_id: str
    raw: str
    reason: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One poll: posts oldest first, each once, and the cursor to poll with next.

    is_complete is False when the poll stopped at its bound or at a rate limit with more waiting;
    the next poll goes on from there.
    """

    posts: tuple[Post, ...]
    cursor: Mapping[str, str]
    unreadable: tuple[Unreadable, ...] = ()
    is_complete: bool = True


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
    """Counts of a reply now; likes is the score on Reddit; impressions is None where not told."""

    impressions: int | None
    likes: int
    replies: int
    reposts: int
    is_deleted: bool = False


class Stop(Protocol):
    """Anything with ``is_set``, such as a threading.Event."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


class PlatformClient(Protocol):
    """One account on one platform.

    text_limit is the longest text, in the platform's own measure (weighted on X). can_stream says
    whether ``stream`` works.
    """

    platform: Platform
    text_limit: int
    can_stream: bool

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

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Counts by id; an id the platform does not know is marked deleted."""
        ...

    def now(self) -> datetime:
        """The platform's time."""
        ...
