"""The demo's channels: the sandbox's X and Reddit, with its credentials and its policies."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rejoinder.errors import ConfigInvalid, ServiceUnavailable
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Platform
from resources.demo.sandbox_process import Sandbox
from resources.postgres import Transaction
from resources.sealing.splits import split_credentials
from resources.services import HOST, SANDBOX_PORT, sandbox_port
from resources.store.channels import enabled_channels, read_credential, save_channel, store_credential
from resources.supervisor.ports import is_free
from resources.workbench import Workbench

POLICIES: dict[Platform, str] = {"x": "sandbox/x/self_serve", "reddit": "sandbox/reddit/approved_app"}


def refuse_real_channels(bench: Workbench) -> None:
    """Stop before anything is done where a channel could reach people.

    Raises:
        ConfigInvalid: an enabled channel is not a sandbox channel.
    """
    with bench.db.transaction() as tx:
        real = [channel.name for channel in enabled_channels(tx) if not channel.is_sandbox]
    if real:
        raise ConfigInvalid(
            f"The demo works on the sandbox alone, but this home has real channels: {', '.join(real)}. "
            "Give the demo a home of its own: --home DIR."
        )


def choose_port(bench: Workbench) -> int:
    """The port that this home's channels name, so that they stay right after the demo; 0 if a stranger has it.

    Raises:
        ConfigInvalid: the home's own sandbox runs there already; two would answer out of one state.
    """
    port = sandbox_port(bench.db) or SANDBOX_PORT
    if is_free(port):
        return port
    if _is_our_sandbox(bench, port):
        raise ConfigInvalid(
            f"The sandbox of this home runs already on port {port}: stop it, or give the demo a home of its "
            "own: --home DIR."
        )
    return 0


def _is_our_sandbox(bench: Workbench, port: int) -> bool:
    """Whether what listens there shows the keys that our channels hold, which are made once per state file."""
    try:
        shown = Sandbox(f"http://{HOST}:{port}").get("/sandbox/credentials")
    except (ServiceUnavailable, ValueError):
        return False
    with bench.db.transaction() as tx:
        ours = [read_credential(tx, c.id) for c in enabled_channels(tx) if c.is_sandbox]
    return isinstance(shown, dict) and any(_is_of(key, kept) for key in shown.values() for kept in ours)


def _is_of(shown: Any, kept: Mapping[str, str]) -> bool:
    """Whether keys that a sandbox shows hold those that a channel's credential for reading has of the app."""
    app = [name for name in ("bearer_token", "client_secret") if kept.get(name)]
    return isinstance(shown, dict) and any(shown.get(name) == kept[name] for name in app)


def platforms_of(posts: Path) -> dict[Platform, tuple[str, ...]]:
    """Platforms in a file of posts, each with its communities; lines that are no JSON are left to the sandbox."""
    found: dict[Platform, set[str]] = {}
    for line in posts.read_text("utf-8", errors="replace").splitlines():
        try:
            post = json.loads(line)
            platform = post["platform"]
        except (ValueError, KeyError, TypeError):
            continue
        if platform in POLICIES:
            found.setdefault(platform, set()).update([post["community"]] if post.get("community") else [])
    return {platform: tuple(sorted(names)) for platform, names in sorted(found.items())}


def connect_channels(bench: Workbench, sandbox: Sandbox, posts: Path) -> list[str]:
    """Make or refresh one channel per platform in the posts; their names."""
    credentials = sandbox.get("/sandbox/credentials")
    names = []
    with bench.db.transaction() as tx:
        for platform, communities in platforms_of(posts).items():
            names.append(_connect(tx, bench, sandbox, platform, communities, credentials))
    return names


def _connect(
    tx: Transaction,
    bench: Workbench,
    sandbox: Sandbox,
    platform: Platform,
    communities: tuple[str, ...],
    credentials: Mapping[str, Any],
) -> str:
    name = f"sandbox-{platform}"
    channel_id = save_channel(
        tx,
        project_id=bench.project_id,
        name=name,
        platform=platform,
        account=credentials["account"],
        base_url=sandbox.url,
        is_sandbox=True,
        policy=default_policy(POLICIES[platform]),
        communities=communities,
    )
    split = split_credentials(platform, credentials[platform], account=credentials["account"])
    store_credential(tx, channel_id, "read", split.read)
    store_credential(tx, channel_id, "write", split.write)
    return name
