"""Holds an MLX model to a JSON Schema: at each step only tokens that keep to it can be drawn.

What belongs here: the library llguidance in MLX's terms. Its own mask runs on Apple's GPU alone; this one anywhere.
"""

import json
from functools import lru_cache
from typing import Any

from rejoinder.errors import ModelRefusal


@lru_cache(maxsize=4)
def guide_tokens(tokenizer: Any, n_vocab: int) -> Any:
    """The tokenizer as llguidance wants it, made once per model.

    Args:
        tokenizer: of Hugging Face's fast kind.
        n_vocab: tokens that the model gives a value.
    """
    from llguidance.hf import from_tokenizer

    return from_tokenizer(tokenizer, n_vocab=n_vocab)


class SchemaMask:
    """Called by mlx-lm with what was read and written so far and the values of the next token, it forbids the rest.

    Args:
        tokens: what `guide_tokens` made.
        schema: a JSON Schema as JSON.

    Raises:
        ModelRefusal: llguidance does not know a part of the schema.
    """

    def __init__(self, tokens: Any, schema: str) -> None:
        from llguidance import LLMatcher

        # Blanks between the parts could go on for ever.
        kept: Any = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
        self._matcher = LLMatcher(
            tokens, LLMatcher.grammar_from_json_schema(json.loads(schema), overrides=kept)
        )
        if self._matcher.is_error():
            said = self._matcher.get_error().splitlines()[0]
            raise ModelRefusal("request", f"The schema cannot be kept to by this model: {said}.")
        self._n_seen: int | None = None

    def __call__(self, tokens: Any, values: Any) -> Any:
        """The values with all but the allowed tokens at minus infinity; shape (1, vocabulary)."""
        import mlx.core as mx
        import numpy as np

        if self._n_seen is not None:
            self._matcher.consume_tokens(tokens[self._n_seen :].tolist())
        self._n_seen = len(tokens)
        allowed = mx.array(np.frombuffer(self._matcher.compute_logit_bias(), dtype=np.uint8)) > 0
        return mx.where(allowed[None, : values.shape[-1]], values, -float("inf"))
