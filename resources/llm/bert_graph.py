"""BERT as an ONNX graph with 8-bit weights, made in memory from a model's weights.

What belongs here: the graph's shape. Reading the weights of a certain model belongs to that model's module.

Weights are 8-bit integers with a scale per output column. `int8_graph` multiplies in integers, with the activations
of each run quantised as they come (dynamic quantisation); `float_graph` multiplies in floats and is exact. Both take
the word vectors of texts of one length, shape (n_texts, n_tokens, dim), and give unit vectors, shape (n_texts, dim):
mean over the tokens, normalised. Looking the words up is left to the caller, whose table may be far larger than all
the layers together.

Source of the architecture: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding", NAACL 2019; mean pooling: Reimers & Gurevych, "Sentence-BERT", EMNLP 2019.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

_CONTRIB = "com.microsoft"
_OPSET, _IR_VERSION = 18, 9
Floats = NDArray[np.float32]


class Matrix(NamedTuple):
    """A quantised matrix: values int8, shape (n_in, n_out); scales float32, shape (n_out,)."""

    values: NDArray[np.int8]
    scales: Floats


class Dense(NamedTuple):
    """A matrix and what is added to its product."""

    matrix: Matrix
    bias: Floats


class Norm(NamedTuple):
    """Layer normalisation's factors and offsets."""

    weight: Floats
    bias: Floats


@dataclass(frozen=True, slots=True)
class Layer:
    """One encoder layer; query, key and value stand side by side in one matrix."""

    query_key_value: Dense
    attention_out: Dense
    attention_norm: Norm
    feed_in: Dense
    feed_out: Dense
    out_norm: Norm


@dataclass(frozen=True, slots=True)
class BertWeights:
    """All weights of an encoder but the table of words.

    positions: shape (n_positions, dim), with the embedding of the first token type already added.
    """

    positions: Floats
    embedding_norm: Norm
    layers: tuple[Layer, ...]
    n_heads: int
    epsilon: float


def quantise(matrix: Floats) -> Matrix:
    """Round a matrix to 8 bits with a scale per column, symmetric; an all-zero column stays zero.

    >>> quantise(np.array([[0.5, 0.0], [-1.0, 0.0]], np.float32)).values.tolist()
    [[64, 0], [-127, 0]]
    """
    largest = np.abs(matrix).max(axis=0)
    scales = np.where(largest == 0, 1, largest / 127).astype(np.float32)
    return Matrix(np.round(matrix / scales).astype(np.int8), scales)


def side_by_side(parts: list[Dense]) -> Dense:
    """Several matrices of one input as one, so that a single product gives all their outputs."""
    values = np.concatenate([p.matrix.values for p in parts], axis=1)
    scales = np.concatenate([p.matrix.scales for p in parts])
    return Dense(Matrix(values, scales), np.concatenate([p.bias for p in parts]))


def int8_graph(weights: BertWeights) -> bytes:
    """The serialised graph that multiplies in integers."""
    return _Graph(is_integer=True).build(weights)


def float_graph(weights: BertWeights) -> bytes:
    """The serialised graph that multiplies in floats: slower, four times as large, without rounding."""
    return _Graph(is_integer=False).build(weights)


class _Graph:
    """Nodes and constants of a graph that grows."""

    def __init__(self, *, is_integer: bool) -> None:
        self._is_integer = is_integer
        self._n_names = 0
        self._nodes: list[NodeProto] = []
        self._constants: list[TensorProto] = []

    def build(self, weights: BertWeights) -> bytes:
        hidden = self._embedding(weights)
        for layer in weights.layers:
            hidden = self._layer(hidden, layer, weights)
        self._pool(hidden)
        return self._serialised(weights.positions.shape[1])

    def _embedding(self, weights: BertWeights) -> str:
        first, n_tokens = (
            self._constant(np.array([0], np.int64)),
            self._node("Shape", "words", start=1, end=2),
        )
        positions = self._node("Slice", self._constant(weights.positions), first, n_tokens)
        summed = self._node("Add", "words", positions)
        norm = (self._constant(part) for part in weights.embedding_norm)
        return self._node("LayerNormalization", summed, *norm, axis=-1, epsilon=weights.epsilon)

    def _layer(self, hidden: str, layer: Layer, weights: BertWeights) -> str:
        parts = [self._name() for _ in range(3)]
        self._add("Split", [self._dense(hidden, layer.query_key_value)], parts, axis=-1, num_outputs=3)
        attended = self._node("MultiHeadAttention", *parts, domain=_CONTRIB, num_heads=weights.n_heads)
        out = self._dense(attended, layer.attention_out)
        hidden = self._norm_of_sum(out, hidden, layer.attention_norm, weights.epsilon)
        inner = self._node("Gelu", self._dense(hidden, layer.feed_in), domain=_CONTRIB)
        return self._norm_of_sum(self._dense(inner, layer.feed_out), hidden, layer.out_norm, weights.epsilon)

    def _dense(self, hidden: str, dense: Dense) -> str:
        values, scales = dense.matrix
        bias = self._constant(dense.bias)
        if not self._is_integer:
            product = self._node("MatMul", hidden, self._constant(values * scales))
            return self._node("Add", product, bias)
        constants = (self._constant(values), self._constant(scales), "", bias)
        return self._node("DynamicQuantizeMatMul", hidden, *constants, domain=_CONTRIB)

    def _norm_of_sum(self, left: str, right: str, norm: Norm, epsilon: float) -> str:
        constants = (self._constant(part) for part in norm)
        return self._node("SkipLayerNormalization", left, right, *constants, domain=_CONTRIB, epsilon=epsilon)

    def _pool(self, hidden: str) -> None:
        mean = self._node("ReduceMean", hidden, self._constant(np.array([1], np.int64)), keepdims=0)
        self._add("LpNormalization", [mean], ["vectors"], axis=-1, p=2)

    def _node(self, kind: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        name = self._name()
        self._add(kind, list(inputs), [name], domain=domain, **attributes)
        return name

    def _add(
        self, kind: str, inputs: list[str], outputs: list[str], domain: str = "", **attributes: Any
    ) -> None:
        from onnx import helper

        self._nodes.append(helper.make_node(kind, inputs, outputs, domain=domain, **attributes))

    def _name(self) -> str:
        self._n_names += 1
        return f"t{self._n_names}"

    def _constant(self, array: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _serialised(self, dim: int) -> bytes:
        from onnx import TensorProto, helper

        words = helper.make_tensor_value_info("words", TensorProto.FLOAT, ["n_texts", "n_tokens", dim])
        vectors = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n_texts", dim])
        graph = helper.make_graph(self._nodes, "encoder", [words], [vectors], self._constants)
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        serialised: bytes = model.SerializeToString()
        return serialised
