"""Passages that stand next to each other in their source, read as one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rejoinder.corpus.values import Passage

# Chunks may overlap by a few sentences; a longer repetition is not looked for.
LONGEST_OVERLAP_WORDS = 120
# A longer line would be cited by a second that is minutes away from the words.
MOST_PASSAGES = 3


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive passages of one source, at least one, in order of their place."""

    passages: tuple[Passage, ...]

    @property
    def text(self) -> str:
        """What is said, the overlap of two passages once."""
        text = self.passages[0].text
        for passage in self.passages[1:]:
            text = joined(text, passage.text)
        return text

    @property
    def speakers(self) -> tuple[str, ...]:
        """Who speaks, in order of appearance."""
        return tuple(dict.fromkeys(name for passage in self.passages for name in passage.speakers))

    @property
    def place(self) -> Passage:
        """The whole stretch's seconds, with the first passage's source and chapter."""
        return replace(self.passages[0], end_s=self.passages[-1].end_s)


def merge_adjacent(passages: Sequence[Passage]) -> list[Stretch]:
    """Stretches of passages that follow each other in a source and a chapter, each as good as its best passage.

    At most three passages make a stretch.

    Args:
        passages: best first; a passage without chunk_index stays alone.

    Returns:
        Best first; every passage is in exactly one stretch.
    """
    placed = sorted(passages, key=lambda p: (p.source_id, -1 if p.chunk_index is None else p.chunk_index))
    runs: list[list[Passage]] = []
    for passage in placed:
        if runs and len(runs[-1]) < MOST_PASSAGES and _follows(runs[-1][-1], passage):
            runs[-1].append(passage)
        else:
            runs.append([passage])
    rank = {passage.chunk_id: i for i, passage in enumerate(passages)}
    runs.sort(key=lambda run: min(rank[passage.chunk_id] for passage in run))
    return [Stretch(tuple(run)) for run in runs]


def joined(first: str, second: str) -> str:
    """Two texts as one; the words that end the first and begin the second stand once.

    >>> joined("Air keeps it sweet. Turn it.", "Turn it. Weekly is enough.")
    'Air keeps it sweet. Turn it. Weekly is enough.'
    """
    ours, theirs = first.split(), second.split()
    for n in range(min(len(ours), len(theirs), LONGEST_OVERLAP_WORDS), 0, -1):
        if ours[-n:] == theirs[:n]:
            return " ".join([*ours, *theirs[n:]])
    return " ".join([*ours, *theirs])


def _follows(first: Passage, second: Passage) -> bool:
    if first.chunk_index is None or second.chunk_index is None or first.source_id != second.source_id:
        return False
    return second.chunk_index == first.chunk_index + 1 and first.chapter == second.chapter
