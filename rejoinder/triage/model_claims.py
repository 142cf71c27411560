"""Claims that a model finds: what it is shown, what it may answer, and what is taken from its answer.

What belongs here: values and plain functions around the prompt ``claims``; asking a model belongs in program.py.
Whatever a model says, a claim counts only where it stands in the post word for word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import regex
from pydantic import BaseModel, ConfigDict, Field

from rejoinder.text.terms import index_terms
from rejoinder.triage.claims import Claim, ClaimKind, main_claim

MAX_CLAIMS = 5
# Longest parts of an answer, so that a model cannot run on.
_MAX_TEXT, _MAX_TOLD = 600, 10
# Of fewer terms nothing can be looked for.
_LEAST_TERMS = 2
# The same mark as a keyboard and as a typesetter has it.
_SAME = {"'": "['’‘]", "’": "['’‘]", "‘": "['’‘]", '"': '["“”„]', "“": '["“”„]', "”": '["“”„]'}


class ToldClaim(BaseModel):
    """A claim as a model tells it; score from 0 to 1 is how much it is worth checking."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    text: str = Field(min_length=1, max_length=_MAX_TEXT)
    kind: ClaimKind
    score: float = Field(ge=0, le=1)


class ClaimsAnswer(BaseModel):
    """What the prompt ``claims`` asks for, best first; empty where there is nothing to check or to answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    claims: list[ToldClaim] = Field(max_length=_MAX_TOLD)


class Checked(NamedTuple):
    """The claims that stand in the post, best first, and how many of those told were dropped."""

    claims: tuple[Claim, ...]
    n_dropped: int


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int

    def overlaps(self, claims: Sequence[Claim]) -> bool:
        return any(self.start < claim.end and claim.start < self.end for claim in claims)


def claims_values(text: str, max_claims: int = MAX_CLAIMS) -> dict[str, str]:
    """The variables of the prompt ``claims``; the post stands in ``material`` only."""
    return {"max_claims": str(max_claims), "material": text}


def checked_claims(answer: ClaimsAnswer, text: str, max_claims: int = MAX_CLAIMS) -> Checked:
    """The told claims that stand in the post in whole words, in the post's own writing.

    White space and the form of quotation marks may differ. What stands nowhere, says too little to look for, lies
    over a better claim, or is one too many is dropped.

    Args:
        answer: a model's.
        text: the post.
        max_claims: how many are kept.
    """
    kept: list[Claim] = []
    for told in sorted(answer.claims, key=lambda one: -one.score):
        span = _find(told.text, text)
        if span is None or span.overlaps(kept) or len(kept) == max_claims:
            continue
        own = text[span.start : span.end]
        if len(set(index_terms(own))) >= _LEAST_TERMS:
            kept.append(Claim(own, span.start, span.end, told.kind, round(told.score, 4)))
    return Checked(tuple(kept), len(answer.claims) - len(kept))


def claims_by_rules(text: str) -> tuple[Claim, ...]:
    """What is found without a model: the main claim, or nothing."""
    found = main_claim(text)
    return () if found is None else (found,)


def offline_claims(text: str) -> str:
    """`claims_by_rules` in the form of a model's answer, as JSON."""
    told = [
        ToldClaim(text=claim.text[:_MAX_TEXT], kind=claim.kind, score=claim.score)
        for claim in claims_by_rules(text)
    ]
    return ClaimsAnswer(claims=told).model_dump_json()


def _find(told: str, text: str) -> _Span | None:
    """Where the told words stand in the text, as whole words; None where they do not."""
    words = told.strip().split()
    pattern = r"\s+".join("".join(_SAME.get(c, regex.escape(c)) for c in word) for word in words)
    found = regex.search(rf"(?<!\w){pattern}(?!\w)", text) if words else None
    return _Span(found.start(), found.end()) if found else None
