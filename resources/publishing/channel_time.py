"""Two clocks, ours and the channel's: a sandbox keeps a time of its own, real platforms the same as we."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from resources.platforms.port import PlatformClient
from resources.store.channels import Channel

# No window of a platform is longer. One that says more is wrong, and would keep its account silent for ever.
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ChannelTime:
    """What both clocks showed at one moment, aware."""

    ours: datetime
    platform: datetime

    def to_ours(self, at: datetime) -> datetime:
        """A time of the platform on our clock.

        >>> from datetime import UTC, timedelta
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> ChannelTime(noon, noon + timedelta(days=3)).to_ours(noon + timedelta(days=4)).day
        2
        """
        return self.ours + (at - self.platform)

    def wait_until(self, at: datetime) -> datetime:
        """Until when, on our clock, to wait for a time that the platform named: a day at most.

        >>> from datetime import UTC
        >>> noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        >>> ChannelTime(noon, noon).wait_until(datetime(2286, 11, 20, tzinfo=UTC)) == noon + LONGEST_WAIT
        True
        """
        return min(self.to_ours(at), self.ours + LONGEST_WAIT)

    def to_platform(self, at: datetime) -> datetime:
        """A time of ours on the platform's clock."""
        return self.platform + (at - self.ours)


def channel_time(channel: Channel, client: PlatformClient, now: datetime) -> ChannelTime:
    """Both clocks now, which is the time on ours.

    Real platforms keep true time, and so does a database server that is looked after: no third clock, that of this
    machine, gets between them.

    Raises:
        Unreachable: the sandbox's clock cannot be read.
    """
    return ChannelTime(now, client.now() if channel.is_sandbox else now)
