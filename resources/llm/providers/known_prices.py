"""Prices that come with LiteLLM: its table of models, read as a file, without importing or fetching anything.

The table carries no dates: how old a price is says the version of the library (`price_table`). What the operator wrote
in rejoinder.toml is always right; this saves looking up what to write.
"""

import json
import math
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rejoinder.llm.endpoints import ModelUri, Price
from resources.llm.providers.hosted_services import SERVICES

TABLE = "model_prices_and_context_window_backup.json"
COSTS = ("input_cost_per_token", "output_cost_per_token")


def known_price(uri: ModelUri) -> Price | None:
    """The list price of a model at its own service, None where the table has none or LiteLLM is not installed.

    Discounts for batches and cached tokens, and surcharges for long prompts, are left out. It says nothing of a server
    of one's own under the same name.
    """
    service = SERVICES.get(uri.provider)
    if service is None:
        return None
    # The table calls Ollama's models by the older of LiteLLM's two names for it.
    prefix = "ollama" if uri.provider == "ollama" else service.prefix
    for name in (f"{prefix}/{uri.model}", uri.model):
        found = _table().get(name)
        if isinstance(found, dict) and found.get("litellm_provider") == prefix:
            return _price(found)
    return None


def price_table() -> str | None:
    """Where `known_price` comes from, for people; None without LiteLLM.

    >>> (price_table() or "LiteLLM ").startswith("LiteLLM ")
    True
    """
    try:
        return f"LiteLLM {version('litellm')}"
    except PackageNotFoundError:
        return None


def price_hint(uri: ModelUri) -> str:
    """What to write into rejoinder.toml, as a sentence with a space before it; empty where no list price is known.

    >>> price_hint(ModelUri("llamacpp", "some"))
    ''
    """
    price = known_price(uri)
    if price is None:
        return ""
    return f" {price_table()} lists price_in = {price.in_usd_per_mtok:g}, price_out = {price.out_usd_per_mtok:g}."


def _price(found: dict[str, Any]) -> Price | None:
    costs = [found.get(name) for name in COSTS]
    if not all(isinstance(cost, int | float) and math.isfinite(cost) and cost >= 0 for cost in costs):
        return None
    # Beyond nine digits there is only what dividing by a million left.
    read, written = (round(float(cost or 0) * 1e6, 9) for cost in costs)
    return Price(read, written)


@cache
def _table() -> dict[str, Any]:
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        return {}
    path = Path(spec.origin).parent / TABLE
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return table
