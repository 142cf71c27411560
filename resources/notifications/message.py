"""A message as a sink gets it, and what a sink says when it does not take it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rejoinder.notices.notice import Event, Notice

LONGEST_DETAIL = 300
# What an id leaves out of the installation's name: ids stand in headers, which are ASCII, and Standard Webhooks allows
# no full stop in them, as it parts what is signed.
_ODD = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one sink: number is the same whenever it is sent again, notices are one or more."""

    number: int
    event: Event
    notices: Sequence[Notice]
    installation: str
    review_app: str | None = None

    @property
    def id(self) -> str:
        """The id by which a receiver knows a message that came twice."""
        return f"msg_{_ODD.sub('-', self.installation)}_{self.number}"


class NotTaken(Exception):
    """A sink did not take a message.

    Args:
        detail: why, for people; no secrets, no address that may be one.
        is_final: no other attempt would fare better.
        asked_s: how long the receiver asked to wait.
    """

    def __init__(self, detail: str, *, is_final: bool = False, asked_s: float | None = None) -> None:
        super().__init__(detail[:LONGEST_DETAIL])
        self.is_final = is_final
        self.asked_s = asked_s


class Sink(Protocol):
    """Where messages go."""

    def send(self, message: Message) -> None:
        """Deliver a message within the sink's time-out; raises NotTaken."""
        ...
