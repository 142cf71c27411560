"""What an adapter's author brings for the contract suite: a place to rehearse where faults can be ordered.

Another package names a function without arguments that opens its `Rehearsal` with an entry point in the group
``rejoinder.platform_rehearsals``, under the platform's name; `tests/contract/test_platform_clients.py` finds it.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import Literal, NamedTuple, Protocol

REHEARSALS = "rejoinder.platform_rehearsals"
Fault = Literal[
    "commit_then_503",  # the reply stands, the answer is a 503
    "commit_then_drop",  # the reply stands, the connection is cut before the answer
    "503",  # nothing was taken
    "drop",  # the connection is cut, nothing was taken
    "429",  # to be waited for, and the answer says until when
    "429_no_headers",  # to be waited for, and nothing says until when
    "401",  # the token has expired in mid-run
    "slow",  # the answer comes after delay_s
    "slow_body",  # the answer's body drips for delay_s
]


class Attempt(NamedTuple):
    """A reply that reached the platform; platform_id is None where it was not taken."""

    platform_id: str | None
    text: str
    accepted: bool


class Rehearsal(Protocol):
    """An emulator of a platform, new for each test; an adapter that can only hear needs no more than posts in it.

    parent_id and other_parent_id are posts that may be answered, unknown_id is of their form and stands for none.
    """

    platform: str
    address: str | None
    credentials: Mapping[str, str]
    parent_id: str
    other_parent_id: str
    unknown_id: str
    faults: frozenset[Fault]

    def fault(self, kind: Fault, times: int = 1, delay_s: float = 0.0) -> None:
        """Let the next replies that are sent go wrong; kind is one of faults."""
        ...

    def attempts(self, parent_id: str) -> Sequence[Attempt]:
        """The replies to a post that reached the platform, taken or not, in order."""
        ...

    def delete(self, post_id: str) -> None:
        """Let a post be gone."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def rehearsals() -> dict[str, EntryPoint]:
    """The rehearsals of other packages, by platform."""
    return {point.name: point for point in entry_points(group=REHEARSALS)}
