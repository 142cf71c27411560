"""A GGUF file as a model of MLX: its weights under MLX's names, its tokenizer and its shape from the metadata.

What belongs here: the one way from GGUF to MLX. Architectures and tokenizers that were not seen to work are
refused: a folder of Hugging Face's form, converted by mlx_lm.convert, serves those.
"""

import re
from pathlib import Path
from typing import Any

from rejoinder.errors import ConfigInvalid
from resources.llm.local_models.gguf_header import GgufHeader, read_header

ARCHITECTURE = "llama"
# Values of tokenizer.ggml.pre whose words are cut as below, digit by digit.
TOKENIZERS = ("smollm",)
NAMES = {
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}  # fmt: skip
BLOCK = re.compile(r"blk\.(\d+)\.(.+)")
# MLX keeps blocks of GGUF as they are: 32 values with a scale and a least value.
GROUP = 32
CONTROL = 3


def refusal(header: GgufHeader) -> str | None:
    """Why a file cannot be read as a model of MLX; None where it can."""
    if header.architecture != ARCHITECTURE:
        return f"its architecture is {header.architecture}; only {ARCHITECTURE} is read from GGUF"
    if header.metadata.get("tokenizer.ggml.pre") not in TOKENIZERS:
        return f"its tokenizer ({header.metadata.get('tokenizer.ggml.pre')}) is not read from GGUF"
    if "rope_freqs.weight" in header.tensor_types:
        return "its positions are scaled in a way that is not read from GGUF"
    return None


def check_readable(header: GgufHeader, name: str) -> None:
    """Check that a file can be used through MLX, by its header.

    Raises:
        ConfigInvalid: its architecture or its tokenizer is not read from GGUF.
    """
    trouble = refusal(header)
    if trouble:
        raise ConfigInvalid(
            f"{name} cannot be used through mlx: {trouble}.",
            fix="Use llamacpp:: for this file, or put in the model's folder of Hugging Face's form.",
        )


def load_gguf(path: Path) -> tuple[Any, Any, int]:
    """The model, its tokenizer and the tokens of its context; `check_readable` was asked before."""
    header = read_header(path)
    return _model(path, header), _tokenizer(header), header.context_tokens or 0


def mlx_name(name: str) -> str:
    """A tensor's name as MLX has it.

    >>> mlx_name("blk.3.attn_q.scales"), mlx_name("token_embd.weight")
    ('model.layers.3.self_attn.q_proj.scales', 'model.embed_tokens.weight')
    """
    block = BLOCK.fullmatch(name)
    stem, _, part = (block[2] if block else name).rpartition(".")
    prefix = f"model.layers.{block[1]}." if block else ""
    return f"{prefix}{NAMES.get(stem, stem)}.{part}"


def _model(path: Path, header: GgufHeader) -> Any:
    import mlx.core as mx
    from mlx.nn.layers.quantized import quantize
    from mlx_lm.models.llama import Model, ModelArgs

    tensors: Any = mx.load(str(path))
    read = {mlx_name(name): _kept(array) for name, array in tensors.items()}
    model = Model(ModelArgs(**_shape(header)))
    quantize(model, class_predicate=lambda at, layer: _quantized(at, layer, read))
    model.load_weights(list(read.items()), strict=True)
    model.eval()
    mx.eval(model.parameters())
    return model


def _shape(header: GgufHeader) -> dict[str, Any]:
    def value(name: str, otherwise: Any = None) -> Any:
        return header.metadata.get(f"{ARCHITECTURE}.{name}", otherwise)

    heads = value("attention.head_count")
    return {
        "model_type": ARCHITECTURE,
        "hidden_size": value("embedding_length"),
        "num_hidden_layers": value("block_count"),
        "intermediate_size": value("feed_forward_length"),
        "num_attention_heads": heads,
        "num_key_value_heads": value("attention.head_count_kv", heads),
        "head_dim": value("rope.dimension_count"),
        "rms_norm_eps": value("attention.layer_norm_rms_epsilon"),
        "vocab_size": len(header.metadata["tokenizer.ggml.tokens"]),
        "max_position_embeddings": header.context_tokens,
        "rope_theta": value("rope.freq_base", 10_000.0),
        # Files of this architecture have the rows of queries and keys in pairs, as the first form of rotation wants.
        "rope_traditional": True,
        "tie_word_embeddings": "output.weight" not in header.tensor_types,
    }


def _kept(array: Any) -> Any:
    """An array as it is computed with: on the processor halves are slow, so they are widened."""
    import mlx.core as mx

    if mx.default_device().type == mx.DeviceType.cpu and array.dtype in (mx.float16, mx.bfloat16):
        return array.astype(mx.float32)
    return array


def _quantized(at: str, layer: Any, read: dict[str, Any]) -> bool | dict[str, Any]:
    if not hasattr(layer, "to_quantized") or f"{at}.scales" not in read:
        return False
    n_columns = GROUP * read[f"{at}.scales"].shape[-1]
    bits = 32 * read[f"{at}.weight"].shape[-1] // n_columns
    return {"group_size": GROUP, "bits": bits, "mode": "affine"}


def _tokenizer(header: GgufHeader) -> Any:
    from mlx_lm.tokenizer_utils import TokenizerWrapper
    from transformers import PreTrainedTokenizerFast

    told = header.metadata
    words = told["tokenizer.ggml.tokens"]

    def special(which: str) -> str | None:
        number = told.get(f"tokenizer.ggml.{which}_token_id")
        return None if number is None else words[number]

    make: Any = PreTrainedTokenizerFast
    fast = make(
        tokenizer_object=_words(told),
        bos_token=special("bos"),
        eos_token=special("eos"),
        unk_token=special("unknown"),
        pad_token=special("padding"),
        chat_template=told.get("tokenizer.chat_template"),
        clean_up_tokenization_spaces=False,
    )
    return TokenizerWrapper(fast)


def _words(told: dict[str, Any]) -> Any:
    """The tokenizer: pairs of bytes merged in the file's order, digits one by one, control marks as they are."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    words, kinds = told["tokenizer.ggml.tokens"], told["tokenizer.ggml.token_type"]
    merges = [tuple(pair.split(" ", 1)) for pair in told["tokenizer.ggml.merges"]]
    made = Tokenizer(models.BPE({word: number for number, word in enumerate(words)}, merges))
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    made.decoder = decoders.ByteLevel()
    marks = [word for word, kind in zip(words, kinds, strict=True) if kind == CONTROL]
    made.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in marks])
    return made
