"""Clients of the platforms, one per channel and credential, shared by all that this process does."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol
from urllib.parse import urlsplit

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import canonical_json, sha256_hex
from resources.platforms.adapters import open_platform
from resources.platforms.metering import FREE
from resources.platforms.port import Meter, PlatformClient
from resources.postgres import Database
from resources.sealing.keys import KeysAway
from resources.spending.meter import ReadsOnly
from resources.spending.meters import meters_of
from resources.store.channels import Channel, enabled_channels, read_credential

_clients: dict[tuple[int, str, Meter], PlatformClient] = {}
_lock = threading.Lock()


class OpenClient(Protocol):
    """Opens, or gives again, the client of a channel with a credential."""

    def __call__(self, channel: Channel, credential: Mapping[str, str]) -> PlatformClient:
        """The client; raises ConfigInvalid where the credential lacks something."""
        ...


def reading_clients(
    db: Database,
    open_client: OpenClient,
    note: Callable[[str], None],
    channels: Sequence[Channel] | None = None,
) -> list[tuple[Channel, PlatformClient]]:
    """Channels, each with a client that reads; one whose credential will not do is told of and left out.

    Args:
        db: as the application, which alone may read the credentials for reading.
        open_client: makes or gives the client of a channel.
        note: told what is wrong, a sentence for a channel.
        channels: which; every enabled one by default.
    """
    if channels is None:
        with db.transaction() as tx:
            channels = enabled_channels(tx)
    opened = []
    for channel in channels:
        try:
            with db.transaction() as tx:
                credential = read_credential(tx, channel.id)
            opened.append((channel, open_client(channel, credential)))
        except (ConfigInvalid, KeysAway) as error:
            note(f"channel {channel.name}: {error}")
    return opened


@contextmanager
def metered(db: Database) -> Iterator[OpenClient]:
    """Opens clients whose reads are counted and kept within their channels' budgets, for as long as the block runs.

    Deeds (a reply, a deletion) are booked by the publisher, in the transaction that claims them.

    Args:
        db: as the login of whoever calls: the application's, or the publisher's for clients that write.
    """
    meters = meters_of(db)

    def open_metered(channel: Channel, credential: Mapping[str, str]) -> PlatformClient:
        return open_client(channel, credential, meter=ReadsOnly(meters.of(channel.id)))

    with meters.open():
        yield open_metered


def open_client(channel: Channel, credential: Mapping[str, str], *, meter: Meter = FREE) -> PlatformClient:
    """The client of a channel with this credential; made once per process, again when either changes.

    Args:
        channel: a sandbox channel has the sandbox's address, any other has none.
        credential: the read credential for listening and measuring, the write credential for publishing.
        meter: asked before calls that cost money; by default nobody is, and nothing is counted: see `metered`.

    Raises:
        ConfigInvalid: no credential is stored or it lacks a field, or a channel that is said to be the
            sandbox would reach the real platform.
    """
    if not credential:
        raise ConfigInvalid(f"channel {channel.name} has no credential stored")
    if channel.is_sandbox and not is_loopback(channel.base_url):
        raise ConfigInvalid(f"channel {channel.name} is the sandbox: its address must be on this machine")
    key = (int(channel.id), sha256_hex(canonical_json([channel.base_url, dict(credential)])), meter)
    with _lock:
        if key not in _clients:
            _clients[key] = open_platform(channel.platform, channel.base_url, credential, meter=meter)
        return _clients[key]


def is_loopback(base_url: str | None) -> bool:
    """Whether an address is on this machine.

    >>> is_loopback("http://127.0.0.1:8600"), is_loopback("https://api.x.com"), is_loopback(None)
    (True, False, False)
    """
    return urlsplit(base_url or "").hostname in {"127.0.0.1", "localhost", "::1"}
