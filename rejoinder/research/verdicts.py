"""What a sentence says of a claim: a verdict from words alone, modest on purpose.

What belongs here: the rules by which a sentence may be called more than related. They look at numbers and
negations only where claim and sentence speak of nearly the same thing, because a wrong "disputes" insults
the author, while "related" only says less.
"""

from typing import Literal, NamedTuple

import regex

Verdict = Literal["supports", "disputes", "related"]

STRONG_COSINE = 0.70
STRONG_OVERLAP = 0.60

NUMBER = regex.compile(r"(?<![\p{L}\d.])\d+(?:[.,]\d+)*(?=\s*(%|percent|times|x\b)?)")
NEGATION = regex.compile(
    r"(?i)\b(?:not|no|never|none|nothing|neither|nor|without|cannot|\p{L}+n['’]t|isnt|dont)\b"
)


class Finding(NamedTuple):
    """A verdict and why."""

    verdict: Verdict
    reason: str


def verdict_of(claim: str, sentence: str, *, cosine: float, overlap: float) -> Finding:
    """Judge a sentence against a claim.

    ``supports``: near in meaning, most terms shared, same numbers, same negation. ``disputes``: as near,
    but numbers or negation differ. Everything else, and every question, is ``related``.

    Args:
        claim: a statement or a question.
        sentence: the evidence.
        cosine: between the two, in [-1, 1].
        overlap: share of the claim's terms in the sentence, in [0, 1].

    >>> verdict_of("PyPy is 5 times faster", "PyPy is 5 times faster.", cosine=0.9, overlap=1.0).verdict
    'supports'
    >>> verdict_of("Python has no GIL", "Python has a GIL.", cosine=0.9, overlap=1.0).verdict
    'disputes'
    """
    if claim.rstrip().endswith("?"):
        return Finding("related", "the post asks, so there is nothing to support")
    if cosine < STRONG_COSINE or overlap < STRONG_OVERLAP:
        return Finding("related", "not near enough to say more")
    ours, theirs = set(_numbers(sentence)), set(_numbers(claim))
    if ours and theirs and not ours & theirs:
        return Finding(
            "disputes", f"figures differ: {', '.join(sorted(theirs))} and {', '.join(sorted(ours))}"
        )
    if bool(NEGATION.search(claim)) != bool(NEGATION.search(sentence)):
        return Finding("disputes", "one of the two is negated")
    return Finding("supports", "same terms, same figures, same sense")


def _numbers(text: str) -> list[str]:
    return [found[0].replace(",", "") for found in NUMBER.finditer(text)]
