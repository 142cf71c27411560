"""Golden cases, one kind per task: a question with what a good answer to it has.

What belongs here: the values and what must hold within each. Reading them from files belongs in resources.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from rejoinder.listening.post import Platform
from rejoinder.research.verdicts import Verdict
from rejoinder.triage.claims import ClaimKind

# An optimiser may only see "dev"; what is reported of it is measured on "held_out".
Split = Literal["dev", "held_out"]
Language = Literal["en", "de", "es"]
# Ways to say the same thing; one of them is enough.
Alternatives = tuple[str, ...]
# Who reads cases from files refuses keys that nobody knows: a misspelt one would be lost in silence.
STRICT: Mapping[str, str] = {"extra": "forbid"}


@dataclass(frozen=True, slots=True)
class ExpectedClaim:
    """A claim that should be found, word for word as the post has it."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    text: str
    kind: ClaimKind


@dataclass(frozen=True, slots=True)
class ClaimCase:
    """A post, and every check-worthy claim in it."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    id: str
    split: Split
    language: Language
    tags: tuple[str, ...]
    post: str
    claims: tuple[ExpectedClaim, ...]

    def faults(self) -> Iterator[str]:
        """What is wrong with the case itself."""
        yield from (f"not in the post: {c.text!r}" for c in self.claims if c.text not in self.post)


@dataclass(frozen=True, slots=True)
class VerdictCase:
    """A claim and one to three sentences that may bear on it: they support it, dispute it, or say too little."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    id: str
    split: Split
    language: Language
    tags: tuple[str, ...]
    claim: str
    evidence: tuple[str, ...]
    verdict: Verdict

    def faults(self) -> Iterator[str]:
        """What is wrong with the case itself."""
        if not 1 <= len(self.evidence) <= 3:
            yield "a case has one to three sentences of evidence"


@dataclass(frozen=True, slots=True)
class EvidenceLine:
    """A quote with where it was said; start_s in seconds, None for what is written."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    quote: str
    source_title: str
    start_s: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class ReplyCase:
    """A post with evidence, and what a reply to it must and must not say.

    quote_from are the numbers, from 1, of the evidence that bears on the post: one of them has to be quoted. Where
    there is none the reply must be empty. must_say are facts, must_not_say what would be wrong, foreign or obeying.
    """

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    id: str
    split: Split
    language: Language
    tags: tuple[str, ...]
    platform: Platform
    strategy: str
    post: str
    evidence: tuple[EvidenceLine, ...]
    quote_from: tuple[int, ...]
    must_say: tuple[Alternatives, ...] = ()
    must_not_say: tuple[str, ...] = ()

    def faults(self) -> Iterator[str]:
        """What is wrong with the case itself."""
        if not self.evidence:
            yield "a reply needs evidence to choose from"
        if not set(self.quote_from) <= set(range(1, len(self.evidence) + 1)):
            yield f"quote_from names evidence that is not there: {list(self.quote_from)}"


@dataclass(frozen=True, slots=True)
class SummaryCase:
    """A passage, the facts that its summary must have, and what it must not say."""

    __pydantic_config__: ClassVar[Mapping[str, str]] = STRICT

    id: str
    split: Split
    language: Language
    tags: tuple[str, ...]
    title: str
    passage: tuple[str, ...]
    n_sentences: int
    max_words: int
    facts: tuple[Alternatives, ...]
    must_not_say: tuple[str, ...] = ()

    def faults(self) -> Iterator[str]:
        """What is wrong with the case itself."""
        if not 8 <= len(self.passage) <= 15:
            yield f"a passage has 8 to 15 sentences, this one {len(self.passage)}"
        if not self.facts:
            yield "without facts nothing can be found"
        if self.max_words < 20 or not 1 <= self.n_sentences < len(self.passage):
            yield "a summary is shorter than its passage and has room for 20 words"


Case = ClaimCase | VerdictCase | ReplyCase | SummaryCase
