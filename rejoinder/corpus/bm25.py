"""BM25 in the two halves that the postings table keeps: weights of terms, and their idf.

The formula is Lucene's: idf x f / (f + k1 (1 - b + b len/avg)), with the factor (k1 + 1) of
Robertson's original kept, which scales every score alike.

Source: Robertson & Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009;
the idf that is never negative is that of Lucene's BM25Similarity.
"""

import math
from collections import Counter
from collections.abc import Sequence

K1 = 1.5
B = 0.75


def term_weights(terms: Sequence[str], *, avg_terms: float, k1: float = K1, b: float = B) -> dict[str, float]:
    """Weight of each term of one text, idf left out; a score is the sum of weight x idf.

    Args:
        terms: the text's terms with repeats (``rejoinder.text.terms.index_terms``).
        avg_terms: mean number of terms of the collection's texts, > 0.
        k1: how fast repeats stop counting, >= 0.
        b: how much a text longer than the mean loses, in [0, 1].

    Returns:
        term -> weight in (0, k1 + 1).

    Raises:
        ValueError: an argument is out of its range.

    >>> {term: round(w, 3) for term, w in term_weights(["ink", "ink", "pen"], avg_terms=3).items()}
    {'ink': 1.429, 'pen': 1.0}
    """
    if avg_terms <= 0 or k1 < 0 or not 0 <= b <= 1:
        raise ValueError("need avg_terms > 0, k1 >= 0 and 0 <= b <= 1")
    damping = k1 * (1 - b + b * len(terms) / avg_terms)
    return {term: count * (k1 + 1) / (count + damping) for term, count in Counter(terms).items()}


def idf(n_docs: int, n_with_term: int) -> float:
    """How rare a term is: ln(1 + (N - n + 0.5) / (n + 0.5)), > 0.

    Raises:
        ValueError: not 0 <= n_with_term <= n_docs.

    >>> round(idf(1000, 10), 3), round(idf(1000, 1000), 6)
    (4.557, 0.0005)
    """
    if not 0 <= n_with_term <= n_docs:
        raise ValueError("need 0 <= n_with_term <= n_docs")
    return math.log1p((n_docs - n_with_term + 0.5) / (n_with_term + 0.5))
