"""Corpora of the context benchmark in the database: documents, distractors, and questions put to them."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from bench.context_documents import Document
from rejoinder.corpus.chunks import chunk_transcript, content_hash
from rejoinder.corpus.shaping.prompt_context import PromptContext
from rejoinder.corpus.values import Chunk, Cue, Transcript
from rejoinder.ids import sha256_hex
from rejoinder.llm.ports import Vectors
from resources.context import context_builder
from resources.search import SearchQuery
from resources.steps.chunking import cutting_rule, save_chunks
from resources.store.embedding_indexes import keep_vectors
from resources.store.sources import NewSource, save_source

if TYPE_CHECKING:
    from resources.workbench import Workbench

DISTRACTOR_CHUNKS = 3
# The first so many documents are those that hold the evidence.
ASKED_ABOUT = 100
# Cosine between a distractor's vector and the mean of its parents': near enough to compete, never a copy.
NOISE = 0.35


class Shelf:
    """Corpora by name, each a project of its own in one database."""

    def __init__(self, bench: "Workbench", vectors: Path | None, advance: Callable[[int], None]) -> None:
        self.bench, self.folder, self.advance = bench, vectors, advance
        self.contexts = context_builder(bench.db, bench.tuning, bench.embedder.count_tokens, bench.reranker)
        self.stored: dict[tuple[str, str], int] = {}
        self.cut: dict[str, tuple[list[Chunk], Vectors]] = {}
        self.n_chunks = 0
        if vectors:
            vectors.mkdir(parents=True, exist_ok=True)

    def store(self, corpus: str, documents: Sequence[Document]) -> None:
        """Put the documents into the corpus that are not there yet."""
        for document in documents:
            if (corpus, document.name) not in self.stored:
                chunks, vectors = self._embedded(document)
                self._save(corpus, document.name, document.transcript, chunks, vectors)
                self.advance(1)

    def distract(self, corpus: str, n: int, rng: Random) -> None:
        """Put so many documents of spliced chunks into the corpus."""
        # Evidence stays with the documents that were asked about: their chunks are no parents.
        parents = [
            (chunk, vector)
            for name in list(self.cut)[ASKED_ABOUT:] or list(self.cut)
            for chunk, vector in zip(*self.cut[name], strict=True)
        ]
        noise = np.random.default_rng(n)
        for i in range(n):
            spliced = [
                _splice(k, rng.choice(parents), rng.choice(parents), noise) for k in range(DISTRACTOR_CHUNKS)
            ]
            title = f"Distractor {i}"
            transcript = Transcript(title, "distractor", (Cue(spliced[0][0].text, 0.0, 1.0),), "en")
            vectors = np.stack([vector for _, vector in spliced])
            self._save(corpus, title, transcript, [chunk for chunk, _ in spliced], vectors)
            self.advance(1)

    def context(self, corpus: str, question: str) -> PromptContext:
        """The context of a question put to the corpus."""
        asked = SearchQuery(
            question,
            self.bench.embedder.embed([question], "query")[0],
            index_id=self.bench.index_id,
            project_id=self._project(corpus),
        )
        return self.contexts.build(asked).context

    def source_id(self, corpus: str, name: str) -> int:
        """The row of a document in a corpus."""
        return self.stored[corpus, name]

    def _save(
        self, corpus: str, name: str, transcript: Transcript, chunks: Sequence[Chunk], vectors: Vectors
    ) -> None:
        project_id = self._project(corpus)
        with self.bench.db.transaction() as tx:
            plain = replace(
                transcript, cues=transcript.cues[:1]
            )  # contexts are built from chunks; cues are not read
            new = NewSource(project_id, name, plain, sha256_hex(f"{corpus}/{name}"), f"bench/{name}")
            source_id = save_source(tx, new).id
            ids = save_chunks(tx, source_id, chunks, transcript.language)
            stored = [{"id": i, "indexed_text": c.indexed_text} for i, c in zip(ids, chunks, strict=True)]
            keep_vectors(tx, self.bench.index_id, stored, vectors)
        self.stored[corpus, name] = source_id
        self.n_chunks += len(chunks)

    def _project(self, corpus: str) -> int:
        with self.bench.db.transaction() as tx:
            creator_id = tx.value("ensure_creator", name="bench")
            return int(tx.value("ensure_project", creator_id=creator_id, name=corpus))

    def _embedded(self, document: Document) -> tuple[list[Chunk], Vectors]:
        """The document's chunks with their vectors, cut and embedded once."""
        if document.name not in self.cut:
            embedder = self.bench.embedder
            chunks = chunk_transcript(
                document.transcript,
                count_tokens=embedder.count_tokens,
                rule=cutting_rule(self.bench.tuning),
                embed=embedder.embed,
            )
            self.cut[document.name] = chunks, self._vectors([chunk.indexed_text for chunk in chunks])
        return self.cut[document.name]

    def _vectors(self, texts: Sequence[str]) -> Vectors:
        """The texts' vectors, out of the folder where they were made before."""
        if self.folder is None:
            return self.bench.embedder.embed(texts)
        key = hashlib.sha256("\0".join([self.bench.embedder.model, *texts]).encode()).hexdigest()[:32]
        path = self.folder / f"{key}.npy"
        if not path.exists():
            np.save(path, self.bench.embedder.embed(texts))
        kept: Vectors = np.load(path)
        return kept


def _splice(
    index: int, one: tuple[Chunk, Vectors], other: tuple[Chunk, Vectors], noise: np.random.Generator
) -> tuple[Chunk, Vectors]:
    """Half the words of each of two chunks, and a vector between theirs with noise added."""
    words, more = one[0].text.split(), other[0].text.split()
    text = " ".join([*words[: len(words) // 2], *more[len(more) // 2 :]])
    direction = noise.normal(size=len(one[1]))
    mixed = (one[1] + other[1]) / np.linalg.norm(one[1] + other[1]) + NOISE * direction / np.linalg.norm(
        direction
    )
    n_tokens = (one[0].n_tokens + other[0].n_tokens) // 2
    vector = (mixed / np.linalg.norm(mixed)).astype(np.float32)
    return Chunk(index, text, content_hash(text), n_tokens, float(index), index + 1.0), vector
