"""Clients of the platforms, one per channel and credential, shared by all that this process does."""

import threading
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urlsplit

from rejoinder.errors import ConfigInvalid
from rejoinder.ids import canonical_json, sha256_hex
from resources.platforms.adapters import open_platform
from resources.platforms.port import PlatformClient
from resources.store.channels import Channel

_clients: dict[tuple[int, str], PlatformClient] = {}
_lock = threading.Lock()


class OpenClient(Protocol):
    """Opens, or gives again, the client of a channel with a credential."""

    def __call__(self, channel: Channel, credential: Mapping[str, str]) -> PlatformClient:
        """The client; raises ConfigInvalid where the credential lacks something."""
        ...


def open_client(channel: Channel, credential: Mapping[str, str]) -> PlatformClient:
    """The client of a channel with this credential; made once per process, again when either changes.

    Args:
        channel: a sandbox channel has the sandbox's address, any other has none.
        credential: the read credential for listening and measuring, the write credential for publishing.

    Raises:
        ConfigInvalid: no credential is stored or it lacks a field, or a channel that is said to be the
            sandbox would reach the real platform.
    """
    if not credential:
        raise ConfigInvalid(f"channel {channel.name} has no credential stored")
    if channel.is_sandbox and not is_loopback(channel.base_url):
        raise ConfigInvalid(f"channel {channel.name} is the sandbox: its address must be on this machine")
    key = (int(channel.id), sha256_hex(canonical_json([channel.base_url, dict(credential)])))
    with _lock:
        if key not in _clients:
            _clients[key] = open_platform(channel.platform, channel.base_url, credential)
        return _clients[key]


def is_loopback(base_url: str | None) -> bool:
    """Whether an address is on this machine.

    >>> is_loopback("http://127.0.0.1:8600"), is_loopback("https://api.x.com"), is_loopback(None)
    (True, False, False)
    """
    return urlsplit(base_url or "").hostname in {"127.0.0.1", "localhost", "::1"}
