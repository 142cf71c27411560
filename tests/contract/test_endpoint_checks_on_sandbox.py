"""`rejoinder endpoints check` over HTTP: what works, and what is said of what does not."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.app import build_app
from resources.provision import Addresses
from resources.settings import load_settings

TOML = """
[endpoints.writes]
uri = "openai::rehearsal"
base_url = "{url}/openai/v1"
price_in = 1.0
price_out = 2.0

[endpoints.embeds]
uri = "openai::rehearsal-embedding"
base_url = "{url}/openai/v1"
capabilities = ["embed"]
dim = 1536
key = "writes"
price_in = 0.1
price_out = 0.0

[endpoints.mistyped]
uri = "openai::rehersal"
base_url = "{url}/openai/v1"
key = "writes"
price_in = 1.0
price_out = 2.0

[endpoints.keyless]
uri = "openai::rehearsal"
base_url = "{url}/openai/v1"
price_in = 1.0
price_out = 2.0
"""


def test_each_endpoint_is_called_and_what_is_wrong_has_a_fix(
    models: Any, addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rejoinder.toml"
    file.write_text(TOML.format(url=models.url))
    monkeypatch.setenv("REJOINDER_CONFIG", str(file))
    secret = models.get("credentials")["openai"]["api_key"]
    monkeypatch.setenv("REJOINDER_KEY_WRITES", secret)
    monkeypatch.setenv("REJOINDER_KEY_KEYLESS", "wrong-key")
    monkeypatch.setattr("resources.provision.prepare", lambda _settings: addresses)
    load_settings.cache_clear()
    found = CliRunner().invoke(build_app(), ["endpoints", "check", "--json"])
    assert found.exit_code == 1, found.output
    checks = {check["name"]: check for check in json.loads(found.stdout)["checks"]}
    assert {name: check["is_ok"] for name, check in checks.items()} == {
        "local": True, "writes": True, "embeds": True, "mistyped": False, "keyless": False,
    }  # fmt: skip
    assert (
        checks["writes"]["latency_ms"] > 0 and checks["writes"]["cost_usd"] > checks["embeds"]["cost_usd"] > 0
    )
    assert "rehersal" in checks["mistyped"]["error"] and checks["mistyped"]["fix"]
    assert "REJOINDER_KEY" in checks["keyless"]["fix"]
    assert secret not in found.output and "wrong-key" not in found.output
