"""Saying where a quote is from in a reply: episode, second, speaker, and the link as a platform writes it."""

from rejoinder.corpus.references import is_name, short_title, timestamp
from rejoinder.research.evidence import Evidence

# Titles are cut to the first of these lengths that leaves room for the quote.
TITLE_LENGTHS = (60, 45, 30)


def citation(evidence: Evidence, *, max_title: int = TITLE_LENGTHS[0]) -> str:
    """Speaker where known, title and time: what every reply carries.

    A title is cut after a word; a transcript without times is cited by title alone.
    """
    title = short_title(evidence.source_title, max_title)
    where = title if evidence.start_s is None else f"{title}, {timestamp(evidence.start_s)}"
    return f"{evidence.speaker}, {where}" if is_name(evidence.speaker) else where


def markdown_link(text: str, url: str) -> str:
    """A link as Reddit writes it; brackets that would end it early are replaced or escaped.

    >>> markdown_link("Ep [1], 0:05", "https://x.com/a_(b)?t=5")
    '[Ep (1), 0:05](https://x.com/a_%28b%29?t=5)'
    """
    address = url.replace("(", "%28").replace(")", "%29")
    return f"[{without_square_brackets(text)}]({address})"


def without_square_brackets(text: str) -> str:
    """The text with round brackets for square ones."""
    return text.replace("[", "(").replace("]", ")")
