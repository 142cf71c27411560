"""Prices: what calls cost, and estimates that stay above what a tokenizer counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.decoders import ByteLevel as ByteLevelDecoder
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer

from rejoinder.llm.endpoints import Price
from rejoinder.llm.prices import cost_usd, most_tokens, most_tokens_in, most_usd
from rejoinder.llm.requests import LlmRequest, Message, ReplySchema, Sampling, Usage

TEXTS = st.text(max_size=200)
PRICES = st.builds(Price, st.floats(0, 100), st.floats(0, 100))


@pytest.fixture(scope="module")
def byte_level() -> Tokenizer:
    """A tokenizer of the kind that GPT, Llama 3 and Qwen have, with no merges learned: its worst case."""
    made = Tokenizer(BPE())
    made.pre_tokenizer, made.decoder = ByteLevel(add_prefix_space=True), ByteLevelDecoder()
    made.train_from_iterator([], BpeTrainer(initial_alphabet=ByteLevel.alphabet(), show_progress=False))
    return made


@given(text=TEXTS)
def test_without_a_tokenizer_the_estimate_stays_above_its_worst_case(
    byte_level: Tokenizer, text: str
) -> None:
    assert most_tokens(text) >= len(byte_level.encode(text).ids)


def test_half_a_surrogate_is_counted_too() -> None:
    assert most_tokens("\ud800") == 4


@given(
    texts=st.lists(TEXTS, min_size=1, max_size=4), schema=TEXTS, longest=st.integers(1, 4_000), price=PRICES
)
def test_a_call_never_costs_more_than_its_estimate(
    byte_level: Tokenizer, texts: list[str], schema: str, longest: int, price: Price
) -> None:
    asked = LlmRequest(
        "reply",
        tuple(Message("user", text) for text in texts),
        schema=ReplySchema("s", schema),
        sampling=Sampling(max_tokens=longest),
    )
    read = sum(len(byte_level.encode(text).ids) for text in (*texts, schema))
    worst = cost_usd(Usage(read, longest), price)
    assert most_usd(asked, price) >= worst
    assert most_usd(asked, price, lambda text: len(byte_level.encode(text).ids)) >= worst
    assert most_tokens_in(asked, lambda text: None) == most_tokens_in(asked)


def test_the_models_own_count_counts() -> None:
    asked = LlmRequest("reply", (Message("user", "x" * 1_000),))
    assert most_tokens_in(asked, lambda text: 250) < most_tokens_in(asked)
