"""Pauses of a fault campaign: made and ended by the commands that people use, and what left meanwhile is counted.

No clock is compared, since the campaign's clocks are wrong on purpose. What counts is what is committed: attempts of
parts after the command that pauses has returned, and again before the command that resumes is called; between the two
none may be added, however early it was stamped. Beside that the sandbox counts the requests that reached it. Those may
be as many as had left before: what the command itself said was in hand, and what the sandbox held at that moment.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from bench.publish_desk import Desk
from resources.commands.pauses import pause, resume

REASON = "the campaign pauses here"
NEW_POSTS = frozenset({"create", "comment"})

CLAIMS = """
select coalesce(sum(a.attempts), 0)::int as n
from publication_part a join publication p on p.id = a.publication_id join channel c on c.id = p.channel_id
where %s::text is null or c.name = %s
"""


@dataclass(frozen=True, slots=True)
class Count:
    """What has left so far: claims that are committed, and requests for new posts that reached the sandbox."""

    claims: int
    requests: int


@dataclass(frozen=True, slots=True)
class Pause:
    """One pause of a channel, or of everything (None).

    had_left counts requests that may still arrive; before is the count when the command had returned, after the one
    when it was about to be ended, None until then. ends_s is the moment by the monotonic clock at which a pause of
    everything is over, when nothing else can say so.
    """

    channel: str | None
    had_left: int
    before: Count
    ends_s: float | None = None
    after: Count | None = None

    @property
    def broken(self) -> int:
        """How many claims were committed meanwhile, and requests that arrived beyond those that had left."""
        if self.after is None:
            return 0
        arrived = self.after.requests - self.before.requests
        return self.after.claims - self.before.claims + max(arrived - self.had_left, 0)


@dataclass(slots=True)
class Pauses:
    """Those in force by channel, and those that are over; ask reads a path of the sandbox's own."""

    desk: Desk
    ask: Callable[[str], Any]
    in_force: dict[str | None, Pause] = field(default_factory=dict)
    over: list[Pause] = field(default_factory=list)

    def begin(self, channel: str | None, lasts_s: float | None = None) -> None:
        """Pause a channel, or everything (None); nothing happens where the campaign has paused it already."""
        if channel in self.in_force:
            return
        made = pause(self.desk.app, self.desk.approver, channel, reason=REASON)
        # Asked first: what the sandbox decides in between counts as one that may arrive, never as one too many.
        held = int(self.ask("health")["writes_in_hand"])
        ends_s = None if lasts_s is None else monotonic() + lasts_s
        self.in_force[channel] = Pause(channel, made.in_hand + held, self._count(channel), ends_s)

    def end(self, channel: str | None) -> None:
        """End one, if it is in force."""
        one = self.in_force.get(channel)
        if one is None:
            return
        if (
            one.after is None
        ):  # a second try after an outage may find it ended, and must not count what left then
            one = Pause(one.channel, one.had_left, one.before, one.ends_s, self._count(channel))
            self.in_force[channel] = one
        resume(self.desk.app, self.desk.approver, channel)
        self.over.append(self.in_force.pop(channel))

    def end_what_is_over(self) -> None:
        """End the pause of everything once its seconds have passed."""
        one = self.in_force.get(None)
        if one is not None and one.ends_s is not None and monotonic() >= one.ends_s:
            self.end(None)

    def end_all(self) -> None:
        """End every pause."""
        for channel in tuple(self.in_force):
            self.end(channel)

    @property
    def is_everything_paused(self) -> bool:
        """Whether nothing at all may leave."""
        return None in self.in_force

    def _count(self, channel: str | None) -> Count:
        [row] = self.desk.rows(CLAIMS, channel, channel)
        lines = [line for line in self.ask("log") if line["endpoint"] in NEW_POSTS]
        return Count(row["n"], sum(channel is None or line["account"] == channel for line in lines))
