"""The name under which a model's answer is kept: a hash of everything that the answer depends on.

What belongs here: what is part of that name and what is not, and the one form in which it is hashed.
"""

import json
from hashlib import sha256
from typing import Any

from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, ReplySchema, Sampling

# Counted up when the gateway words schemas or repairs in another way: what it asked before was another question.
WORDING = 1


def cache_key(request: LlmRequest, endpoint: Endpoint, files: str = "") -> bytes:
    """The 32 bytes under which this endpoint's answer to this request is kept.

    Part of it are the model, its address, the messages, the schema with whether the model keeps to it by itself, and
    the sampling. No part of it are the endpoint's name, limits and price, nor what the request is for and whom it
    belongs to: the same question to the same model is answered once for all of them.

    Args:
        request: what is asked.
        endpoint: who is asked.
        files: what tells the files of a model on this machine from others of its name; "" for one elsewhere.
    """
    depended_on = _depended_on(request, endpoint) | ({"files": files} if files else {})
    return sha256(canonical_json(depended_on).encode("ascii")).digest()


def canonical_json(value: Any) -> str:
    r"""One text for equal values: keys sorted, no blanks, ASCII only; strings are not normalised.

    Raises:
        ValueError: a number is not finite.

    >>> canonical_json({"b": 1, "a": ["\u00e9", None]})
    '{"a":["\\u00e9",null],"b":1}'
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def _depended_on(request: LlmRequest, endpoint: Endpoint) -> dict[str, Any]:
    return {
        "wording": WORDING,
        "model": str(endpoint.uri),
        "base_url": endpoint.base_url,
        "messages": [[message.role, message.text] for message in request.messages],
        "schema": _of_schema(request.schema, endpoint),
        "sampling": _of_sampling(request.sampling),
    }


def _of_schema(schema: ReplySchema | None, endpoint: Endpoint) -> list[Any] | None:
    return None if schema is None else [schema.name, schema.json, "json" in endpoint.capabilities]


def _of_sampling(sampling: Sampling) -> list[Any]:
    """Numbers that are equal are written alike: 0, 0.0 and -0.0."""
    return [
        int(sampling.max_tokens),
        float(sampling.temperature) + 0.0,
        float(sampling.top_p) + 0.0,
        None if sampling.seed is None else int(sampling.seed),
        list(sampling.stop),
    ]
