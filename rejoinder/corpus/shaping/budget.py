"""How many tokens a model call may be sent, part by part, and cutting text so that it stays within.

Counts come from a function, so that they are those of the tokenizer of the very model that is called.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rejoinder.errors import ConfigInvalid
from rejoinder.text.sentences import sentence_spans

CountTokens = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class ContextBudget:
    """The most tokens of one model call and of its parts; what the parts leave is for instructions and answer.

    Raises:
        ConfigInvalid: a part is not positive, or the parts exceed the total.
    """

    total_tokens: int = 20_000
    evidence_tokens: int = 12_000
    summary_tokens: int = 1_500
    question_tokens: int = 2_500

    def __post_init__(self) -> None:
        parts = (self.evidence_tokens, self.summary_tokens, self.question_tokens)
        if min(self.evidence_tokens, self.question_tokens) <= 0 or self.summary_tokens < 0:
            raise ConfigInvalid("every part of a context's budget needs room")
        if sum(parts) > self.total_tokens:
            raise ConfigInvalid(
                f"evidence, summaries and question may take {sum(parts)} tokens,"
                f" more than the {self.total_tokens} of the whole context"
            )

    @property
    def rest_tokens(self) -> int:
        """What is left for instructions and the answer.

        >>> ContextBudget().rest_tokens
        4000
        """
        return self.total_tokens - self.evidence_tokens - self.summary_tokens - self.question_tokens


def fit_text(text: str, max_tokens: int, count_tokens: CountTokens) -> str:
    """The beginning of a text that is within the limit: whole sentences, or whole words of the first one.

    >>> fit_text("One two. Three four five.", 3, lambda t: len(t.split()))
    'One two.'
    >>> fit_text("One two three four", 3, lambda t: len(t.split()))
    'One two three'
    """
    if count_tokens(text) <= max_tokens:
        return text
    sentence_ends = [span.end for span in sentence_spans(text)]
    at = _last_that_fits(text, sentence_ends, max_tokens, count_tokens)
    if at == 0:
        words = [i for i, character in enumerate(text) if character.isspace()]
        at = _last_that_fits(text, words, max_tokens, count_tokens)
    return text[:at].rstrip()


def _last_that_fits(text: str, ends: list[int], max_tokens: int, count_tokens: CountTokens) -> int:
    """The last of the growing ends before which the text is within the limit, 0 where there is none."""
    low, high = 0, len(ends)
    while low < high:
        middle = (low + high) // 2
        if count_tokens(text[: ends[middle]]) <= max_tokens:
            low = middle + 1
        else:
            high = middle
    return ends[low - 1] if low else 0
