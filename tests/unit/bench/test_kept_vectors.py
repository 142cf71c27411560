"""Vectors kept from run to run: known by model and text, made once, written block by block."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import bench.retrieval_vectors
from bench.retrieval_vectors import KeptVectors
from rejoinder.llm.ports import Role, Vectors


class Lengths:
    """A text's vector is its length; remembers what it was asked for."""

    dim = 2

    def __init__(self, model: str = "test::lengths") -> None:
        self.model = model
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
        self.asked += texts
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def test_what_one_run_made_the_next_reads(tmp_path: Path) -> None:
    KeptVectors(Lengths(), tmp_path / "v").embed(["a", "bb"])
    later = Lengths()
    told: list[int] = []
    vectors = KeptVectors(later, tmp_path / "v").embed(["ccc", "bb", "a", "ccc"], told.append)
    assert vectors[:, 0].tolist() == [3, 2, 1, 3]
    assert vectors.dtype == np.float32
    assert later.asked == ["ccc"]
    assert sum(told) >= 3


def test_another_models_vectors_are_not_taken(tmp_path: Path) -> None:
    KeptVectors(Lengths(), tmp_path).embed(["a"])
    other = Lengths("test::other")
    KeptVectors(other, tmp_path).embed(["a"])
    assert other.asked == ["a"]


def test_an_interrupted_run_loses_one_block_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench.retrieval_vectors, "AT_ONCE", 2)

    class Stops(Lengths):
        def embed(self, texts: Sequence[str], role: Role = "passage") -> Vectors:
            if len(self.asked) >= 4:
                raise KeyboardInterrupt
            return super().embed(texts, role)

    with pytest.raises(KeyboardInterrupt):
        KeptVectors(Stops(), tmp_path).embed(["a", "b", "c", "d", "e"])
    again = Lengths()
    KeptVectors(again, tmp_path).embed(["a", "b", "c", "d", "e"])
    assert again.asked == ["e"]
    assert not list(tmp_path.glob("*.half"))


def test_without_a_folder_nothing_is_kept(tmp_path: Path) -> None:
    assert KeptVectors(Lengths(), None).embed(["a"]).tolist() == [[1, 1]]
    assert list(tmp_path.iterdir()) == []
