"""Which adapter speaks to a platform: the built-in ones, and those of other packages.

Another package adds a platform with an entry point in the group ``rejoinder.platforms`` that
names a function with the signature of `OpenClient`.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol

from rejoinder.errors import ConfigInvalid
from resources.platforms.clocks import Clock, sandbox_clock, system_clock
from resources.platforms.metering import FREE
from resources.platforms.port import Meter, PlatformClient

GROUP = "rejoinder.platforms"
BUILT_IN = (
    EntryPoint("x", "resources.platforms.x:open_x", GROUP),
    EntryPoint("reddit", "resources.platforms.reddit:open_reddit", GROUP),
)


class OpenClient(Protocol):
    """Opens a client; base_url is None for the real platform."""

    def __call__(
        self, credentials: Mapping[str, str], *, base_url: str | None, clock: Clock, meter: Meter
    ) -> PlatformClient:
        """A client that is ready to use; nothing is sent yet. It asks the meter before every call that costs money."""
        ...


def open_platform(
    kind: str,
    base_url: str | None,
    credentials: Mapping[str, str],
    *,
    clock: Clock | None = None,
    meter: Meter = FREE,
) -> PlatformClient:
    """A client for one account; the platform's library is imported here and not before.

    Args:
        kind: ``x``, ``reddit``, or a name in the entry point group.
        base_url: address of a sandbox; None for the real platform.
        credentials: the fields of `resources.platforms.credentials`, as the sandbox shows them too.
        clock: the platform's time; by default the sandbox's clock, or this machine's.
        meter: asked before calls that cost money, and told what they returned; by default nothing is counted.

    Raises:
        ConfigInvalid: no adapter has this name, or credentials are missing.
    """
    known = {point.name: point for point in (*entry_points(group=GROUP), *BUILT_IN)}
    if kind not in known:
        raise ConfigInvalid(f"no platform {kind!r}; there are {', '.join(sorted(known))}")
    open_client: OpenClient = known[kind].load()
    address = base_url.rstrip("/") if base_url else None
    keeps_time = clock or (sandbox_clock(address) if address else system_clock)
    return open_client(credentials, base_url=address, clock=keeps_time, meter=meter)
