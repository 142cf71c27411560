"""The provider ``mlx``: models on Apple's GPU through mlx-lm; on Linux on the processor, where it is slow.

What belongs here: endpoints and requests in mlx-lm's terms, and generating with a deadline. One call at a time: the
arrays of MLX belong to the thread that made them, so one thread loads the model and does all of its work.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr

from rejoinder.errors import ConfigInvalid, ModelRefusal
from rejoinder.llm.endpoints import Endpoint
from rejoinder.llm.requests import LlmRequest, RawReply, Sampling, Usage
from resources.llm.local_models.finding import find_files, header_of
from resources.llm.providers.loaded import Loaded
from resources.llm.providers.mlx_gguf import check_readable, load_gguf
from resources.llm.providers.places import COUNT_TIMEOUT_S, Deadline, Places, counted_in_time
from resources.llm.providers.schema_length import whole
from resources.settings import load_settings

USUAL_CONTEXT = 8_192
# Tokens of a prompt that are read between two looks at the deadline: on the processor, and on Apple's GPU.
PROMPT_STEP = {"cpu": 16, "gpu": 512}
PARTS = ("mlx", "mlx_lm", "llguidance")


@dataclass(frozen=True, slots=True)
class MlxClient:
    """A model of MLX, loaded at the first call and shared by all clients of this process that ask for the same.

    context_tokens is the most that question and answer may take, None for what the model knows, up to USUAL_CONTEXT.
    """

    path: Path
    context_tokens: int | None
    has_schemas: bool = True

    def complete(self, request: LlmRequest, timeout_s: float) -> RawReply:
        """Answer one request; loading the model, at the first, counts as part of the time.

        Raises:
            ModelTrouble: no answer in time, or others were before it; what was begun ends at the next token.
            ModelRefusal: the request is too long for the context, or its schema cannot be kept to.
        """
        allowed = self.context_tokens or USUAL_CONTEXT
        return whole(_loaded.model(self.path).answer(request, allowed, timeout_s), request)

    def count_tokens(self, text: str) -> int | None:
        """Tokens of the text by the model's own tokenizer; the first count loads the model.

        None where that takes longer than `COUNT_TIMEOUT_S`, a call before it included: whoever asks estimates then.
        """
        return counted_in_time(lambda: _loaded.model(self.path).count_tokens(text))


def open_client(endpoint: Endpoint, key: SecretStr | None) -> MlxClient:
    """The client of ``mlx::NAME_OR_PATH``; it needs no key, and nothing is loaded yet.

    Raises:
        ConfigInvalid: the extra is not installed, there is no such model, or its files are damaged.
    """
    missing = [part for part in PARTS if find_spec(part) is None]
    if missing:
        raise ConfigInvalid(
            f"endpoints.{endpoint.name}: {endpoint.uri} needs {' and '.join(missing)}, not installed here.",
            fix="Install it: pip install -e '.[mlx]'.",
        )
    path = find_files(endpoint, load_settings().home_dir)
    if path.is_file():
        check_readable(header_of(path, endpoint), path.name)
    return MlxClient(path, endpoint.context_tokens)


class _Ready(NamedTuple):
    model: Any
    tokenizer: Any
    context_tokens: int
    n_vocab: int


class MlxModel:
    """A model of this process and the one thread that works on it.

    Args:
        path: a GGUF file, or a folder of Hugging Face's form.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places = Places(1, "mlx")

    def answer(self, request: LlmRequest, context_tokens: int, timeout_s: float) -> RawReply:
        """Answer a request within timeout_s seconds, waiting for the place and loading included."""
        return self._places.run(
            lambda deadline: self._generated(request, context_tokens, deadline), timeout_s
        )

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, special ones left out."""

        def counted(_deadline: Deadline) -> int:
            tokens = self._ready.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
            return len(tokens)

        return self._places.run(counted, COUNT_TIMEOUT_S)

    def _generated(self, request: LlmRequest, context_tokens: int, deadline: Deadline) -> RawReply:
        ready = self._ready
        deadline.check()
        prompt = _prompt(ready.tokenizer, request)
        room = min(context_tokens, ready.context_tokens or context_tokens) - len(prompt)
        if room < 1:
            raise ModelRefusal(
                "context",
                f"It is too long for the model on this machine: {len(prompt)} tokens leave no room for an answer.",
                fix="Give the endpoint more context_tokens, if the model was trained for more.",
            )
        return _read(_stream(ready, prompt, request, room, deadline), request.sampling.stop, deadline)

    @cached_property
    def _ready(self) -> _Ready:
        from mlx_lm import load

        try:
            return _read_file(self.path) if self.path.is_file() else _read_folder(load, self.path)
        except (
            Exception
        ) as error:  # what is wrong with weights or settings, each part of mlx-lm says in its own way
            raise ModelRefusal(
                "unknown_model",
                f"mlx-lm cannot load {self.path.name}: {str(error).splitlines()[0] if str(error) else error!r}",
                fix="Check the model with `rejoinder models verify`.",
            ) from None


def _read_file(path: Path) -> _Ready:
    model, tokenizer, context = load_gguf(path)
    return _Ready(model, tokenizer, context, int(model.args.vocab_size))


def _read_folder(load: Any, path: Path) -> _Ready:
    model, tokenizer = load(str(path))
    _widen(model)
    context = int(getattr(model.args, "max_position_embeddings", 0) or 0)
    return _Ready(model, tokenizer, context, int(model.args.vocab_size))


def _widen(model: Any) -> None:
    """On the processor halves are slow: there the model computes with 32 bits."""
    import mlx.core as mx

    if mx.default_device().type == mx.DeviceType.cpu:
        model.set_dtype(mx.float32)


def _prompt(tokenizer: Any, request: LlmRequest) -> list[int]:
    said = [{"role": message.role, "content": message.text} for message in request.messages]
    if not tokenizer.has_chat_template:
        raise ModelRefusal("request", "The model has no chat template: it was not trained to answer.")
    try:
        return list(tokenizer.apply_chat_template(said, add_generation_prompt=True, return_dict=False))
    except Exception as error:  # a template raises what its author chose
        raise ModelRefusal("request", f"The model's chat template does not take this: {error}.") from None


def _stream(
    ready: _Ready, prompt: list[int], request: LlmRequest, room: int, deadline: Deadline
) -> Iterator[Any]:
    import mlx.core as mx
    from mlx_lm import stream_generate
    from mlx_lm.sample_utils import make_sampler

    drawn: Sampling = request.sampling
    if drawn.seed is not None:
        mx.random.seed(drawn.seed)
    processors = []
    if request.schema is not None:
        from resources.llm.providers.mlx_json import SchemaMask, guide_tokens

        processors = [
            SchemaMask(guide_tokens(ready.tokenizer._tokenizer, ready.n_vocab), request.schema.json)
        ]
    return stream_generate(
        ready.model,
        ready.tokenizer,
        prompt,
        max_tokens=min(drawn.max_tokens, room),
        sampler=make_sampler(temp=drawn.temperature, top_p=drawn.top_p),
        logits_processors=processors,
        prefill_step_size=PROMPT_STEP[mx.default_device().type.name],
        prompt_progress_callback=lambda _done, _all: deadline.check(),
    )


def _read(pieces: Iterator[Any], stops: tuple[str, ...], deadline: Deadline) -> RawReply:
    """What was generated, up to the first of the words that end it."""
    text = ""
    for piece in pieces:
        deadline.check()
        text += piece.text
        usage = Usage(piece.prompt_tokens, piece.generation_tokens)
        ends = [text.index(stop) for stop in stops if stop in text]
        if ends:
            return RawReply(text[: min(ends)], usage, "stop")
    return RawReply(text, usage, "length" if piece.finish_reason == "length" else "stop")


_loaded: Loaded[Path, MlxModel] = Loaded(MlxModel)
