"""What a model has to bring so that OnnxEmbedder can run it: its name, its words, its tokenizer, its weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.ports import Role
from resources.llm.bert_graph import BertWeights, Floats

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = NDArray[np.int64]


class WordTable(Protocol):
    """The vectors of the vocabulary."""

    def rows(self, ids: Ids) -> Floats:
        """Vectors of tokens; shape (len(ids), dim), float32."""


class QuantisedWords(NamedTuple):
    """A table of 8-bit words: values int8, shape (n_words, dim); scales float32, shape (n_words, 1)."""

    values: NDArray[np.int8]
    scales: Floats

    def rows(self, ids: Ids) -> Floats:
        """Vectors of tokens."""
        return self.values[ids] * self.scales[ids]


@dataclass(frozen=True, slots=True)
class TextTokenizer:
    """A tokenizer without truncation or padding; replacements stand for characters before it reads them."""

    tokenizer: "Tokenizer"
    replacements: Mapping[int, str] = field(default_factory=dict)

    def ids(self, text: str, *, most: int) -> Ids:
        """Ids with the special tokens; a longer text loses its end, never its closing special token."""
        found = self.tokenizer.encode(self._replaced(text)).ids
        return np.array(found if len(found) <= most else [*found[: most - 1], found[-1]], np.int64)

    def count(self, text: str) -> int:
        """Tokens of the whole text, special ones left out."""
        return len(self.tokenizer.encode(self._replaced(text), add_special_tokens=False).ids)

    def _replaced(self, text: str) -> str:
        return text.translate(self.replacements) if self.replacements else text


class EncoderParts(NamedTuple):
    """A model, loaded."""

    weights: BertWeights
    words: WordTable


class Likeness(NamedTuple):
    """Two texts whose cosine is known, to see that a machine computes what it should."""

    left: str
    right: str
    cosine: float


@dataclass(frozen=True, slots=True)
class Encoder:
    """A model that turns texts into vectors.

    max_tokens counts special ones too: what a text has beyond is not read. prefixes stand before a text, by role.
    """

    uri: str
    dim: int
    max_tokens: int
    load_tokenizer: Callable[[], TextTokenizer]
    load_parts: Callable[[], EncoderParts]
    likenesses: tuple[Likeness, ...]
    prefixes: Mapping[Role, str] = field(default_factory=dict)
