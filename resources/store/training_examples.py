"""Labelled posts to train the relevance classifier on: rows -> values.

What belongs here: which posts may teach, and whose word labels them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rejoinder.triage.classifier import Example
from rejoinder.triage.features import KEYWORDS_LISTENED_FOR, feature_matrix, keyword_hits, plain_features
from rejoinder.triage.relevance import TOP_K, corpus_similarity
from rejoinder.triage.weak_labels import Label, LabelRule, review_label, settle_label, weak_label
from resources.postgres import Transaction
from resources.queries import vectors_of

MOST_POSTS = 20_000


def collect_examples(tx: Transaction, *, index_id: int | None, rule: LabelRule) -> list[Example]:
    """Labelled posts, newest first: a person's word where there is one, else the weak label, else left out.

    Only posts of channels whose policy has ``may_train``; never withdrawn posts, authors who opted out, or
    what a simulated reviewer decided.
    """
    index_id = index_id if index_id is not None else tx.value("active_embedding_index")
    if index_id is None:
        return []
    vectors = vectors_of(index_id)
    rows = tx.rows("training_posts", vectors=vectors, index_id=index_id, top=TOP_K, most=MOST_POSTS)
    if not rows:
        return []
    keywords = [row["term"] for row in tx.rows("best_keywords", top=KEYWORDS_LISTENED_FOR)]
    hits = [keyword_hits(row["text"], keywords) for row in rows]
    reviews = _review_labels(tx, [row["id"] for row in rows], rule)
    weak = [
        weak_label(corpus_similarity(r["similarities"]), n, rule=rule)
        for r, n in zip(rows, hits, strict=True)
    ]
    labels = [settle_label(w, reviews[row["id"]]) for w, row in zip(weak, rows, strict=True)]
    x = _features(rows, hits)
    keys = [f"{row['platform']}:{row['platform_post_id']}" for row in rows]
    return [Example(k, v, label) for k, v, label in zip(keys, x, labels, strict=True) if label]


def _features(rows: Sequence[dict[str, Any]], hits: Sequence[int]) -> NDArray[np.float32]:
    plain = [
        plain_features(row["text"], similarities=row["similarities"], hits=n)
        for row, n in zip(rows, hits, strict=True)
    ]
    return feature_matrix(plain, np.stack([row["embedding"].to_numpy() for row in rows]).astype(np.float32))


def _review_labels(tx: Transaction, post_ids: list[int], rule: LabelRule) -> dict[int, list[Label]]:
    found: dict[int, list[Label]] = defaultdict(list)
    for row in tx.rows("training_reviews", post_ids=post_ids):
        if label := review_label(row["decision"], row["reason"] or "", rule=rule):
            found[row["post_id"]].append(label)
    return found
