"""Streams as a listener uses them: one connection at a time, posts in blocks, rules changed while it stands.

The port's `stream` gives post after post. A client that can do more (X) also has the methods of `BlockStream`;
the listener asks for them with `as_block_stream` and falls back to the port where a client has none.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, runtime_checkable

from rejoinder.listening.reconnecting import Trouble
from rejoinder.listening.rules import ListeningRule
from resources.platforms.failures import RateLimited, Unreachable
from resources.platforms.port import Heard, PlatformClient, RefusedRule, Stop


class StreamEnded(Unreachable):
    """A stream broke, or could not be opened; trouble says how, for the schedule of reconnecting."""

    def __init__(self, trouble: Trouble, detail: str) -> None:
        self.trouble: Trouble = trouble
        super().__init__(detail)


class SlotTaken(RateLimited):
    """The token's only connection is in use: by another program, or by one of ours that X still believes in."""


@dataclass(frozen=True, slots=True)
class RuleChanges:
    """What makes the platform's rules equal to ours: to add, to remove (query and tag), and what is there already.

    refused are those of ours that the platform does not take, with its reason; known only once they were sent.
    foreign are other programs' rules, which stay.
    """

    added: tuple[ListeningRule, ...]
    removed: tuple[ListeningRule, ...]
    kept: tuple[ListeningRule, ...]
    refused: tuple[RefusedRule, ...] = ()
    foreign: tuple[ListeningRule, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing has to change."""
        return not self.added and not self.removed


@runtime_checkable
class BlockStream(Protocol):
    """What a listener asks of a client beside the port."""

    @property
    def stream_key(self) -> str:
        """Names the token whose only connection a stream takes, without giving it away."""
        ...

    def plan_rules(self, rules: Sequence[ListeningRule]) -> RuleChanges:
        """What `sync_rules` would change; nothing is changed."""
        ...

    def sync_rules(self, rules: Sequence[ListeningRule]) -> RuleChanges:
        """Make the platform's rules equal to these by difference; a stream that stands follows within seconds.

        A rule that the platform does not take is told of and keeps no other from it.
        """
        ...

    def stream_blocks(self, stop: Stop, *, most: int, within_s: float) -> Generator[Heard, None, None]:
        """One connection: an empty block as soon as it stands, then what came in, at least every within_s.

        A block may be empty. It ends where the platform closed the connection in order, or stop was set;
        what had come in by then is given first.

        Raises:
            StreamEnded: the connection broke, or could not be made.
            SlotTaken: the token's connection is in use.
            PlatformFailure: as everywhere.
        """
        ...

    def is_resuming(self, cursor: Mapping[str, str], rules: Sequence[ListeningRule]) -> bool:
        """Whether a search of one of these rules stopped in the middle, to go on at the next poll."""
        ...

    def raise_cursor(
        self, cursor: Mapping[str, str], rules: Sequence[ListeningRule], post_id: str
    ) -> dict[str, str]:
        """The cursor with the searches of these rules starting behind a post at least."""
        ...

    def own_connection(self) -> str | None:
        """Id of the connection that stands, where the platform lists it."""
        ...

    def clear_connection(self, connection_id: str) -> bool:
        """End a connection of ours that the platform still believes in; whether there was one."""
        ...


def as_block_stream(client: PlatformClient) -> BlockStream | None:
    """The client as a stream of blocks, None where it has only the port."""
    return client if isinstance(client, BlockStream) else None


@runtime_checkable
class LooksBack(Protocol):
    """A client whose searches can be told how far back the first one begins; None: as far as the platform goes."""

    first_look_back: timedelta | None


def bound_first_search(client: PlatformClient, most: timedelta | None) -> None:
    """Let a search that never ran read back this far at most, where the client can be told."""
    if isinstance(client, LooksBack):
        client.first_look_back = most
