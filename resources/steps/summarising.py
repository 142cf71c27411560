"""The one step of an epoch: a summary of the month, made of what its sources' summaries say."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass

from rejoinder.corpus.keywords import Keyword
from rejoinder.corpus.speech import Sentence
from rejoinder.corpus.summaries import EPOCH_SENTENCES, Material, Summariser, input_hash
from rejoinder.errors import LeaseLost
from resources.model_tasks.summaries import MadeSummary, write_summary
from resources.postgres import Transaction
from resources.store.summaries import CitedSentence, cite, save_sentences

# Terms of an epoch that its sentences are weighed with.
_KEYWORDS = 30


@dataclass(frozen=True, slots=True)
class StoredEpoch:
    """An epoch with what its sources say; input_hash is what its summary was made from, empty without one."""

    id: int
    input_hash: str
    material: Material


@dataclass(frozen=True, slots=True)
class EpochDigest:
    """An epoch's summary and the hash of what it was made from."""

    sentences: list[CitedSentence]
    input_hash: str
    made: MadeSummary


@dataclass(frozen=True, slots=True)
class Summarising:
    """Summaries of epochs; one whose sources say the same keeps its own."""

    summariser: Summariser
    name: str = "summarise"
    table: str = "epoch"

    def load(self, tx: Transaction, ids: Sequence[int]) -> list[StoredEpoch]:
        """Epochs with the sentences of their sources' summaries."""
        known = {row["id"]: row["input_hash"] for row in tx.rows("load_epochs", ids=list(ids))}
        return [StoredEpoch(epoch_id, known[epoch_id], _material(tx, epoch_id)) for epoch_id in ids]

    def work(self, items: Sequence[StoredEpoch]) -> list[EpochDigest | None]:
        """One summary per epoch; None where nothing changed since the last."""
        return [self._digest(item) for item in items]

    def _digest(self, item: StoredEpoch) -> EpochDigest | None:
        material = item.material
        made_from = input_hash(
            self.summariser.method,
            [
                [astuple(candidate) for candidate in material.candidates],
                list(material.sources),
                [astuple(keyword) for keyword in material.keywords],
            ],
        )
        if made_from == item.input_hash:
            return None
        made = write_summary(self.summariser, material)
        cited = [cite(statement, material.candidates, material.sources) for statement in made.statements]
        return EpochDigest(cited, made_from, made)

    def save(self, tx: Transaction, item: StoredEpoch, result: EpochDigest | None, worker: int) -> str:
        """Replace the summary where it was made anew.

        Raises:
            LeaseLost: another worker holds the epoch, or a source of it changed meanwhile.
        """
        if result is not None:
            summary_id = tx.value(
                "upsert_epoch_summary",
                epoch_id=item.id,
                text=" ".join(sentence.text for sentence in result.sentences),
                method=self.summariser.method,
                input_hash=result.input_hash,
                model=result.made.model,
                prompt_version=result.made.prompt_version,
                note=result.made.note,
            )
            save_sentences(tx, summary_id, result.sentences)
        if not tx.execute("complete_epoch", id=item.id, worker=worker):
            raise LeaseLost(f"epoch {item.id} is held by another worker, or has changed")
        return "unchanged" if result is None else "summarised"


def _material(tx: Transaction, epoch_id: int) -> Material:
    rows = tx.rows("epoch_sentences", epoch_id=epoch_id)
    terms = tx.rows("epoch_keywords", epoch_id=epoch_id, top=_KEYWORDS)
    return Material(
        candidates=[Sentence(row["text"], row["start_s"], row["end_s"], row["speaker"]) for row in rows],
        sources=[row["source_id"] for row in rows],
        keywords=[Keyword(row["term"], round(row["score"], 4)) for row in terms],
        n_sentences=EPOCH_SENTENCES,
        ref=f"epoch:{epoch_id}",
    )
