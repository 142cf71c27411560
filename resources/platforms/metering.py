"""The meter of a client that nobody charges."""

from collections.abc import Sequence

from resources.platforms.port import Action, Meter


class FreeMeter:
    """Lets every call pass and counts nothing."""

    def allow(self, action: Action, n_resources: int = 1) -> None:
        """Let it pass."""

    def count(self, action: Action, resource_ids: Sequence[str]) -> None:
        """Count nothing."""


FREE: Meter = FreeMeter()
