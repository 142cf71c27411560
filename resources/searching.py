"""Searching the corpus for passages, as programs ask for it: the product's own retrieval, each with its place."""

from dataclasses import dataclass

from rejoinder.corpus.moments import link_at_second
from rejoinder.corpus.values import Passage
from resources.asking import Question
from resources.retrieval import Retriever
from resources.wiring import asking
from resources.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Found:
    """A passage, and the address that opens at its second (None: its source has none)."""

    passage: Passage
    url: str | None


def find_passages(bench: Workbench, question: Question, top: int) -> tuple[Found, ...]:
    """The passages that fit a question best, at most top of them, best first.

    Raises:
        ConfigInvalid: there is no question in it, or no source is called so.
    """
    bench = bench.current()
    asked = asking(bench).query(question)
    retrieval = bench.tuning.retrieval
    wide = retrieval.model_copy(update={"passages": top, "candidates": max(top, retrieval.candidates)})
    found = Retriever(bench.db, wide, bench.second_stage).find(asked)
    return tuple(
        Found(p, link_at_second(p.source_url, p.start_s, bench.tuning.links.forms)) for p in found.passages
    )
