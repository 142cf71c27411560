"""A corpus of any size for the retrieval benchmark: windows of real text, and their vectors.

What belongs here: how texts become as many chunks as are asked for, and vectors where embedding all of them would
take hours.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rejoinder.corpus.reading import read_source
from rejoinder.errors import ConfigInvalid, InputUnreadable

WINDOW_WORDS = 144
LARGEST_BYTES = 20 * 2**20
SUFFIXES = {".vtt", ".srt", ".txt", ".md", ".json", ".jsonl", ".html"}
# How far a vector that is made lies from the two that it is made of, as a share of its length.
NOISE = 0.35
# Of so many vectors drawn, the nearest is mixed in: a longer text is made of texts that are near each other.
DRAWN = 12


@dataclass(frozen=True, slots=True)
class Windows:
    """Stretches of documents: (document, text); copies says how often the same text had to be used."""

    texts: tuple[tuple[int, str], ...]
    copies: int


def read_documents(folder: Path) -> list[str]:
    """The texts of a folder's transcripts, pages and JSON lines (``text``, or a BEIR corpus), links kept.

    Raises:
        ConfigInvalid: there is nothing to read.
    """
    paths = [
        p for p in sorted(folder.rglob("*")) if p.suffix in SUFFIXES and p.stat().st_size < LARGEST_BYTES
    ]
    texts = [text for path in paths for text in _texts(path) if len(text.split()) > WINDOW_WORDS // 4]
    if not texts:
        raise ConfigInvalid(f"There is no text in {folder}: .vtt, .srt, .txt, .md, .json, .jsonl or .html.")
    return list(dict.fromkeys(texts))


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        for line in path.read_text("utf-8-sig", errors="replace").splitlines():
            yield _text_of(line)
        return
    try:
        yield " ".join(cue.text for cue in read_source(path.name, path.read_bytes()).cues)
    except InputUnreadable:
        return


def _text_of(line: str) -> str:
    try:
        row = json.loads(line)
    except ValueError:
        return ""
    return f"{row.get('title') or ''} {row.get('text') or ''}".strip() if isinstance(row, dict) else ""


def cut_windows(documents: Sequence[str], n: int) -> Windows:
    """Windows of WINDOW_WORDS words, overlapping as much as it takes to have n of them.

    Only where windows a ninth apart do not suffice is the text used again, with another word before it.

    >>> [text for _, text in cut_windows(["a b c", "d e"], 3).texts]
    ['a b c', 'd e', 'again1 a b c']
    """
    words = [document.split() for document in documents]
    total = sum(len(w) for w in words)
    stride = min(WINDOW_WORDS, max(WINDOW_WORDS // 9, total // n))
    cut = [
        (i, " ".join(w[start : start + WINDOW_WORDS]))
        for i, w in enumerate(words)
        for start in range(0, max(1, len(w) - WINDOW_WORDS + stride), stride)
    ]
    copies = -(-n // len(cut))
    texts = [(i, f"again{c} {text}" if c else text) for c in range(copies) for i, text in cut]
    return Windows(tuple(texts[:n]), copies)


def fill_vectors(real: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """As many vectors as asked for: the real ones first, the others mixed of two near ones each, and noise.

    Shape (n, dim), float32, rows of unit length; real has at least one row, of unit length.
    """
    n_made = max(0, n - len(real))
    made = [_mixed(real, min(10_000, n_made - start), rng) for start in range(0, n_made, 10_000)]
    return np.concatenate([real[:n], *made])


def _mixed(real: NDArray[np.float32], n: int, rng: np.random.Generator) -> NDArray[np.float32]:
    first = real[rng.integers(0, len(real), n)]
    drawn = real[rng.integers(0, len(real), (n, DRAWN))]
    second = drawn[np.arange(n), np.einsum("id,ijd->ij", first, drawn).argmax(axis=1)]
    share = rng.uniform(0.3, 0.7, (n, 1))
    noise = rng.normal(size=first.shape)
    mixed = _unit(share * first + (1 - share) * second) + NOISE * _unit(noise)
    return _unit(mixed).astype(np.float32)


def _unit(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    lengths: NDArray[np.float64] = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.maximum(lengths, 1e-12)
