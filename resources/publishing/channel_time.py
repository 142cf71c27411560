"""Two clocks, ours and the channel's: a sandbox keeps a time of its own."""

from dataclasses import dataclass
from datetime import datetime


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

    def to_platform(self, at: datetime) -> datetime:
        """A time of ours on the platform's clock."""
        return self.platform + (at - self.ours)
