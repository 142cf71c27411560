"""What the relevance classifier sees of a post: a few features a person can read, and its embedding.

What belongs here: the features, their names and their order. Rows are float32; every plain feature
lies in [0, 1] or [-1, 1], so that coefficients can be compared.
"""

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from rejoinder.llm.ports import Vectors
from rejoinder.text.terms import index_terms
from rejoinder.text.word_lists import word_set

FIRST_PERSON = word_set("i me my mine myself we us our ours")
SECOND_PERSON = word_set("you your yours yourself")
ASKING = word_set("how what why when where which who can could should does is are anyone")
LONG_POST_WORDS = 200
# How many of the corpus's best keywords are looked for: a feature must mean the same in training and in use.
KEYWORDS_LISTENED_FOR = 60

PLAIN_FEATURES = (
    "top1_similarity",
    "top3_similarity",
    "keyword_overlap",
    "has_question_mark",
    "opens_with_question_word",
    "length",
    "first_person",
    "second_person",
    "has_link",
    "has_number",
)
# Read by the weak-label rule too; withheld until reviewers have labelled enough (weak_labels.py).
RULE_FEATURES = PLAIN_FEATURES[:3]


def keyword_hits(text: str, keywords: Collection[str]) -> int:
    """How many distinct keywords of the corpus occur in the text, compared by index terms.

    A keyword of several words counts when all its terms occur.
    """
    terms = set(index_terms(text))
    wanted = [set(index_terms(keyword)) for keyword in keywords]
    return sum(1 for need in wanted if need and need <= terms)


def plain_features(text: str, *, similarities: Sequence[float], hits: int) -> NDArray[np.float32]:
    """The readable features of one post, in the order of `PLAIN_FEATURES`.

    Args:
        text: the post.
        similarities: its cosines to the nearest chunks of the corpus, in any order; may be empty.
        hits: `keyword_hits` of the post.

    Returns:
        Shape (len(PLAIN_FEATURES),), float32, each value in [-1, 1].
    """
    top = sorted(similarities, reverse=True)[:3] or [0.0]
    words = text.lower().split()
    bare = [word.strip(".,!?;:'\"()") for word in words]
    values = (
        top[0],
        sum(top) / len(top),
        hits / (hits + 3),
        "?" in text,
        bool(bare) and bare[0] in ASKING,
        min(len(words), LONG_POST_WORDS) / LONG_POST_WORDS,
        _share(bare, FIRST_PERSON),
        _share(bare, SECOND_PERSON),
        "http" in text or "www." in text,
        any(map(str.isdigit, text)),
    )
    return np.array(values, dtype=np.float32)


def feature_matrix(plain: Sequence[NDArray[np.float32]], vectors: Vectors) -> NDArray[np.float32]:
    """Join plain features and embeddings; shape (n_posts, len(PLAIN_FEATURES) + dim), float32.

    Raises:
        ValueError: the two do not have the same number of rows.
    """
    if len(plain) != len(vectors):
        raise ValueError(f"{len(plain)} feature rows for {len(vectors)} vectors")
    return np.hstack([np.stack(list(plain)), vectors]).astype(np.float32)


def _share(words: Sequence[str], wanted: Collection[str]) -> float:
    return sum(word in wanted for word in words) / len(words) if words else 0.0
