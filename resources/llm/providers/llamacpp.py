"""The provider ``llamacpp``: GGUF files on this machine, through llama.cpp as the package xllamacpp binds it.

What belongs here: endpoints and requests in llama.cpp's terms. The process's loaded models are in llamacpp_server.py.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, RawReply
from resources.llm.local_models.finding import find_files, header_of
from resources.llm.providers.llamacpp_server import Shape, loaded_model
from resources.llm.providers.places import COUNT_TIMEOUT_S, counted_in_time
from resources.llm.providers.schema_length import whole
from resources.settings import load_settings
from resources.tuning import load_tuning

# Where an endpoint does not say how long question and answer may be: what most machines have memory for.
USUAL_CONTEXT = 8_192
# Each place costs the memory of a whole context, and they share the processor.
MOST_PLACES = 4


@dataclass(frozen=True, slots=True)
class LlamaCppClient:
    """A GGUF file, loaded at the first call and shared by all clients of this process that ask for the same."""

    shape: Shape
    has_schemas: bool = True

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """Answer one request; loading the model, at the first, counts as part of the time.

        Raises:
            ModelTrouble: no answer in time, or no place; what was begun ends at the next token.
            ModelRefusal: the request is too long for the context, or its schema cannot be kept to.
        """
        return whole(loaded_model(self.shape).answer(body_of(request), timeout_s), request)

    def count_tokens(self, text: str) -> int | None:
        """Tokens of the text by the model's own tokenizer; the first count loads the model.

        None where that takes longer than `COUNT_TIMEOUT_S`: whoever asks estimates then.
        """
        return counted_in_time(lambda: loaded_model(self.shape).count_tokens(text, COUNT_TIMEOUT_S))


def open_client(endpoint: Endpoint, key: SecretStr | None) -> LlamaCppClient:
    """The client of ``llamacpp::NAME_OR_PATH``; it needs no key, and nothing is loaded yet.

    Raises:
        ConfigInvalid: the extra is not installed, there is no such model, or its file is damaged.
    """
    if find_spec("xllamacpp") is None:
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: {endpoint.uri} needs the package xllamacpp, which is not installed.",
            fix="Install it: pip install -e '.[llamacpp]'.",
        )
    return LlamaCppClient(_shape_of(endpoint))


def _shape_of(endpoint: Endpoint) -> Shape:
    settings = load_settings()
    path = find_files(endpoint, settings.home_dir)
    if not path.is_file():
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: {path} is a folder; llama.cpp reads single GGUF files.",
            fix="Name a .gguf file, or use mlx:: for a folder of Hugging Face's form.",
        )
    own = header_of(path, endpoint).context_tokens or USUAL_CONTEXT
    context = min(endpoint.context_tokens or USUAL_CONTEXT, own)
    places, threads = min(endpoint.max_concurrent, MOST_PLACES), load_tuning(settings).models.threads
    return Shape(path, context, places, threads)


def body_of(request: LlmRequest) -> dict[str, Any]:
    """A request as llama.cpp's server takes it: OpenAI's form, and its own samplers off.

    With a seed nothing of earlier calls is reused: what was read in other portions differs in the last bits.
    """
    drawn = request.sampling
    body: dict[str, Any] = {
        "messages": [{"role": message.role, "content": message.text} for message in request.messages],
        "max_tokens": drawn.max_tokens,
        "temperature": drawn.temperature,
        "top_p": drawn.top_p,
        "top_k": 0,
        "min_p": 0.0,
        "cache_prompt": drawn.seed is None,
    }
    body |= {"seed": drawn.seed} if drawn.seed is not None else {}
    body |= {"stop": list(drawn.stop)} if drawn.stop else {}
    if request.schema is not None:
        shape = {"name": request.schema.name, "schema": _known_patterns(json.loads(request.schema.json))}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def _known_patterns(part: Any) -> Any:
    """A schema without the patterns that llama.cpp cannot keep to, of which it would complain on stderr.

    It knows those alone that describe a whole text, from ^ to $; the rest is checked when the answer is there.
    """
    if isinstance(part, list):
        return [_known_patterns(value) for value in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _known_patterns(value)
        for name, value in part.items()
        if not (name == "pattern" and isinstance(value, str) and not (value[:1] == "^" and value[-1:] == "$"))
    }
