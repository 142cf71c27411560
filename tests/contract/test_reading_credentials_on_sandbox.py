"""Clients that were opened with a credential for reading: they read, and refuse to write before any request."""

import pytest

from resources.platforms.adapters import open_platform
from resources.platforms.failures import AuthExpired, Refused
from resources.sealing.splits import split_credentials

PLATFORMS = ("x", "reddit")


def reading(sandbox, platform: str, with_account: bool):
    shown = sandbox.get("credentials")
    given = {
        name: value for name, value in shown[platform].items() if with_account or not name.startswith("read_")
    }
    split = split_credentials(platform, given, account=shown["account"])
    assert not set(split.read.values()) & {
        shown[platform].get(name)
        for name in ("access_token", "password", "refresh_token")
        if name in shown[platform]
    }
    return open_platform(platform, sandbox.url, split.read)


@pytest.mark.parametrize("with_account", [True, False])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_it_reads_and_does_not_write(sandbox, platform, with_account) -> None:
    client = reading(sandbox, platform, with_account)
    assert client.account == sandbox.get("credentials")["account"]
    client.hear({}, (), ("heating",) if platform == "reddit" else ())
    wanted = "20" if platform == "x" else "t1_zzzzzz"
    # Reddit leaves out what it does not know, X says so.
    assert [one.is_deleted for one in client.metrics([wanted]).values()] == (
        [True] if platform == "x" else []
    )
    before = sandbox.get("log")
    with pytest.raises(AuthExpired, match="only the publisher writes"):
        client.publish(wanted, "Not by me.")
    assert sandbox.get("log") == before


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_platform_refuses_keys_for_reading_whatever_they_are_called(sandbox, platform) -> None:
    """The sandbox's second line: keys that may only read, in a credential that says it writes."""
    shown = sandbox.get("credentials")
    plain = {
        name: shown[platform].get(f"read_{name}", value)
        for name, value in shown[platform].items()
        if not name.startswith("read_") and name != "password"
    }
    client = open_platform(platform, sandbox.url, plain)
    with pytest.raises(Refused):
        client.publish("20" if platform == "x" else "t3_1", "Not by me.")
