"""Tokens as OpenAI's models count them, from the tables that come with LiteLLM: nothing is fetched."""

from functools import cache
from pathlib import Path
from typing import Any

from resources.llm.providers.quiet_litellm import quiet_litellm

# Under which name tiktoken looks for each table: the SHA-1 of the address that it would fetch it from.
TABLES = {
    "cl100k_base": "9b5ad71b2ce5302211f9c61530b329a4922fc6a4",
    "o200k_base": "fb374d419588a4632f3f557e76b4b70aebbca790",
}


def count_openai_tokens(model: str, text: str) -> int | None:
    """Tokens of a text, special ones left out; None where the model's table is not known or not here."""
    encoding = _encoding(model)
    return None if encoding is None else len(encoding.encode_ordinary(text))


@cache
def _encoding(model: str) -> Any:
    quiet_litellm()
    import tiktoken
    from litellm.litellm_core_utils.default_encoding import cache_dir

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    is_here = name in TABLES and (Path(cache_dir) / TABLES[name]).is_file()
    return tiktoken.get_encoding(name) if is_here else None
