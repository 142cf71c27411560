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
from resources.settings import load_settings

GROUP = "rejoinder.platforms"
BUILT_IN = (
    EntryPoint("x", "resources.platforms.x:open_x", GROUP),
    EntryPoint("reddit", "resources.platforms.reddit:open_reddit", GROUP),
    EntryPoint("archive", "resources.platforms.archive:open_archive", GROUP),
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
        kind: ``x``, ``reddit``, ``archive``, or a name in the entry point group.
        base_url: address of a sandbox; None for the address of the settings, and the real platform without one.
        credentials: the fields of `resources.platforms.credentials`, as the sandbox shows them too.
        clock: the platform's time; by default the clock of the sandbox at base_url, or this machine's.
        meter: asked before calls that cost money, and told what they returned; by default nothing is counted.

    Raises:
        ConfigInvalid: no adapter has this name, or credentials are missing.
    """
    open_client = load_adapter(kind)
    keeps_time = clock or (sandbox_clock(base_url.rstrip("/")) if base_url else system_clock)
    address = base_url or load_settings().platform_url(kind)
    return open_client(
        credentials, base_url=address.rstrip("/") if address else None, clock=keeps_time, meter=meter
    )


def load_adapter(kind: str) -> OpenClient:
    """What opens the clients of a platform.

    Raises:
        ConfigInvalid: no adapter has this name; the message lists those there are.
    """
    known = adapters()
    if kind not in known:
        raise ConfigInvalid(f"no platform {kind!r}; there are {', '.join(sorted(known))}")
    found: OpenClient = known[kind].load()
    return found


def adapters() -> dict[str, EntryPoint]:
    """Every adapter by its platform's name; nothing is imported. A built-in one comes before another package's."""
    return {point.name: point for point in (*entry_points(group=GROUP), *BUILT_IN)}


def check_credentials(kind: str, credentials: Mapping[str, str]) -> None:
    """Have a platform's adapter look at credentials, without a call to the platform.

    Raises:
        ConfigInvalid: no adapter has this name, or a field is missing or malformed; never with a value in it.
    """
    load_adapter(kind)(credentials, base_url=None, clock=system_clock, meter=FREE)
