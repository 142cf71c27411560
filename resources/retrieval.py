"""Retrieval as the product does it: hybrid search, then, where one is configured, a re-scorer.

What belongs here: the joining of the two stages, and loading what rejoinder.toml names. Research, contexts and
evaluations all come here, so that what is measured is what runs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rejoinder.corpus.retrieval.ports import Reranker
from rejoinder.corpus.retrieval.reranking import rerank
from rejoinder.corpus.retrieval.rescorer import LearnedReranker, load
from rejoinder.corpus.values import Passage
from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.postgres import Database
from resources.search import SearchQuery, rarity, search
from resources.tuning import NO_RESCORER, Retrieval

HOW_TO_TRAIN = (
    "Make one with `rejoinder eval retrieval --data DIR --rescorer SPLIT --save-rescorer FILE`, or set it to "
    f"{NO_RESCORER!r}."
)


@dataclass(frozen=True, slots=True)
class Retrieved:
    """Passages, best first, and how rare the question's terms are in the corpus, in (0, 1]."""

    passages: tuple[Passage, ...]
    rarity: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Retriever:
    """Finds passages; without a reranker the order of the fused search stands."""

    db: Database
    retrieval: Retrieval
    reranker: Reranker | None = None

    def find(self, asked: SearchQuery) -> Retrieved:
        """As many passages as retrieval.passages, best first."""
        found = self.order(asked, self.gather(asked))
        return Retrieved(found.passages[: self.retrieval.passages], found.rarity)

    def gather(self, asked: SearchQuery) -> Retrieved:
        """The first stage: what search finds, in its order; enough of it for the second."""
        wanted = max(self.retrieval.passages, self.retrieval.rescored if self.reranker else 0)
        wide = self.retrieval.model_copy(update={"passages": wanted})
        with self.db.transaction() as tx:
            passages = search(tx, asked, wide)
            rare = rarity(tx, asked.text, project_id=asked.project_id, language=asked.language)
        return Retrieved(tuple(passages), rare)

    def order(self, asked: SearchQuery, found: Retrieved) -> Retrieved:
        """The second stage: the first retrieval.rescored in the reranker's order. No transaction is open."""
        if self.reranker is None:
            return found
        depth = self.retrieval.rescored
        ordered = rerank(asked.text, found.passages, self.reranker, rarity=found.rarity, depth=depth)
        return Retrieved(tuple(ordered), found.rarity)


def configured_reranker(retrieval: Retrieval, embedding_model: str) -> LearnedReranker | None:
    """The re-scorer that retrieval.rescorer names; None where it is off.

    Args:
        retrieval: as rejoinder.toml has it.
        embedding_model: URI of the model that searches are to go by.

    Raises:
        ConfigInvalid: the file is not there, cannot be read, or holds no re-scorer over the features of today, or
            one that learned with another embedding model.
    """
    if retrieval.rescorer == NO_RESCORER:
        return None
    path = Path(retrieval.rescorer)
    try:
        made = LearnedReranker(load(path.read_bytes()))
        if fits(made, embedding_model):
            return made
        reason = f"{path} learned with {made.rescorer.embedding_model}, not with {embedding_model}"
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
    except InputUnreadable as error:
        reason = f"{path} is {error}"
    raise ConfigInvalid(f"rejoinder.toml: retrieval.rescorer: {reason}.", fix=HOW_TO_TRAIN)


def fits(reranker: Reranker | None, embedding_model: str) -> bool:
    """Whether a reranker can order what this model found: a trained one reads the cosines that it learned with."""
    return not isinstance(reranker, LearnedReranker) or reranker.rescorer.embedding_model == embedding_model
