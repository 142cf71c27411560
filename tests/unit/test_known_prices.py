"""List prices as LiteLLM's table has them."""

import subprocess
import sys

import pytest

from rejoinder.llm.endpoints import Price, parse_uri
from resources.llm.providers import known_prices
from resources.llm.providers.known_prices import known_price, price_hint, price_table


def test_prices_are_for_a_million_tokens() -> None:
    price = known_price(parse_uri("openai::gpt-4.1-mini"))
    assert price is not None and price.as_of is None
    assert 0 < price.in_usd_per_mtok < price.out_usd_per_mtok < 100
    assert known_price(parse_uri("openai::text-embedding-3-small")) == Price(0.02, 0.0)


@pytest.mark.parametrize(
    "uri", ["anthropic::claude-sonnet-4-5", "together::BAAI/bge-base-en-v1.5", "moonshot::kimi-k2.5"]
)
def test_every_service_has_its_own(uri: str) -> None:
    price = known_price(parse_uri(uri))
    assert price is not None and price.in_usd_per_mtok > 0


def test_a_model_of_another_service_has_no_price_here() -> None:
    assert known_price(parse_uri("anthropic::gpt-4.1-mini")) is None
    assert known_price(parse_uri("openai::never-heard-of")) is None
    assert known_price(parse_uri("openai::sample_spec")) is None
    assert known_price(parse_uri("llamacpp::some")) is None
    assert known_price(parse_uri("ollama::llama3")) == Price(0.0, 0.0)


@pytest.mark.parametrize("cost", [None, "free", -1.0, float("nan")])
def test_a_damaged_entry_is_no_price(monkeypatch: pytest.MonkeyPatch, cost: object) -> None:
    entry = {"litellm_provider": "openai", "input_cost_per_token": 1e-6, "output_cost_per_token": cost}
    monkeypatch.setattr(known_prices, "_table", lambda: {"odd": entry})
    assert known_price(parse_uri("openai::odd")) is None


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from rejoinder.llm.endpoints import parse_uri;"
        "from resources.llm.providers.known_prices import known_price;"
        "assert known_price(parse_uri('openai::gpt-4o')); assert 'litellm' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    assert str(price_table()).startswith("LiteLLM 1.")


def test_what_is_missing_can_be_copied() -> None:
    price = known_price(parse_uri("openai::gpt-4.1-mini"))
    assert price is not None
    hint = price_hint(parse_uri("openai::gpt-4.1-mini"))
    assert hint.endswith(f"price_in = {price.in_usd_per_mtok:g}, price_out = {price.out_usd_per_mtok:g}.")
    assert price_hint(parse_uri("openai::never-heard-of")) == ""
