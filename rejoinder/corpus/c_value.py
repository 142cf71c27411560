"""How much a run of words is a term: C-value, which knows that terms hold other terms.

Source: Frantzi, Ananiadou & Mima, "Automatic recognition of multi-word terms: the C-value/NC-value
method", International Journal on Digital Libraries 3, 2000; log2(length + 1), so that single words
have a value too, as in Barrón-Cedeño et al., "An improved automatic term recognition method for
Spanish", CICLing 2009.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping

Run = tuple[str, ...]

# A longer run said once is an accident and takes nothing from the runs inside it.
_MIN_LONGER_COUNT = 2


def c_values(counts: Mapping[Run, int]) -> dict[Run, float]:
    """C-value of each run of words; higher is more of a term, 0 where it lives only inside one longer run.

    A run's count is lessened by the mean count of the longer runs that hold it, and weighed by
    log2(words + 1).

    Args:
        counts: how often each run of words is said, also inside longer runs.

    >>> c_values({("heat", "pump"): 5, ("air", "heat", "pump"): 2})
    {('heat', 'pump'): 4.754887502163468, ('air', 'heat', 'pump'): 4.0}
    """
    longer: defaultdict[Run, list[int]] = defaultdict(list)
    for run, count in counts.items():
        if count >= _MIN_LONGER_COUNT:
            for part in parts(run):
                longer[part].append(count)
    return {run: math.log2(len(run) + 1) * (count - _mean(longer.get(run))) for run, count in counts.items()}


def parts(run: Run) -> Iterator[Run]:
    """Every shorter run inside a run.

    >>> list(parts(("a", "b", "c")))
    [('a',), ('b',), ('c',), ('a', 'b'), ('b', 'c')]
    """
    for length in range(1, len(run)):
        for i in range(len(run) - length + 1):
            yield run[i : i + length]


def _mean(values: list[int] | None) -> float:
    return sum(values) / len(values) if values else 0.0
