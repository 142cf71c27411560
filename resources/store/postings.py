"""The words that search finds chunks by: counting them, and putting them into the index."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rejoinder.text.terms import TERMS_VERSION
from resources.postgres import Transaction


@dataclass(frozen=True, slots=True)
class Postings:
    """The terms of some chunks, counted.

    lengths has a chunk's number of terms, repeats counted. numbers, places and counts are of one length: term (its
    place in terms, from 1), chunk (its place in lengths, from 1) and how often that has it.
    """

    terms: list[str]
    lengths: list[int]
    numbers: list[int]
    places: list[int]
    counts: list[int]


def count_postings(chunks: Iterable[Sequence[str]]) -> Postings:
    """The postings of chunks by their terms, repeats kept.

    >>> count_postings([["heap", "lid", "heap"], ["lid"]])
    Postings(terms=['heap', 'lid'], lengths=[3, 1], numbers=[1, 2, 2], places=[1, 1, 2], counts=[2, 1, 1])
    """
    known: dict[str, int] = {}
    lengths, numbers, places, counts = list[int](), list[int](), list[int](), list[int]()
    for place, terms in enumerate(chunks, 1):
        counted = Counter(terms)
        lengths.append(len(terms))
        numbers += [known.setdefault(term, len(known) + 1) for term in counted]
        places += [place] * len(counted)
        counts += counted.values()
    return Postings(list(known), lengths, numbers, places, counts)


def index_chunks(tx: Transaction, source_id: int, chunk_ids: Sequence[int], postings: Postings) -> None:
    """Put a source's chunks into the index, in the order of the postings' lengths; none may have postings yet.

    The statistics that searches weigh with follow in the same transaction. From here to its end other writers of the
    project wait.
    """
    if chunk_ids:
        tx.execute(
            "insert_postings",
            source_id=source_id,
            chunk_ids=list(chunk_ids),
            terms=postings.terms,
            lengths=postings.lengths,
            numbers=postings.numbers,
            places=postings.places,
            counts=postings.counts,
        )
    tx.execute("set_terms_version", source_id=source_id, version=TERMS_VERSION)
