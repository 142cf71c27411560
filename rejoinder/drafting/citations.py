"""Saying where a quote is from in a reply: episode, second, speaker, and the link as a platform writes it."""

from collections.abc import Mapping, Sequence

from rejoinder.corpus.moments import link_at_second, link_at_words
from rejoinder.corpus.references import is_name, short_title, timestamp
from rejoinder.listening.post import Platform
from rejoinder.research.evidence import Evidence
from rejoinder.text.links import find_links
from rejoinder.text.public_urls import is_public

# Longer ones would leave a reply on Reddit no room for its quote, and fit no index that keeps what ours lead to.
LONGEST_LINK = 600
# Titles are cut to the first of these lengths that leaves room for the quote.
TITLE_LENGTHS = (60, 45, 30)


def citation(evidence: Evidence, *, max_title: int = TITLE_LENGTHS[0]) -> str:
    """Speaker where known, title and time: what every reply carries.

    A title is cut after a word; a transcript without times is cited by title alone.
    """
    title = short_title(evidence.source_title, max_title)
    where = title if evidence.start_s is None else f"{title}, {timestamp(evidence.start_s)}"
    return f"{evidence.speaker}, {where}" if is_name(evidence.speaker) else where


def citation_address(evidence: Evidence) -> str | None:
    """Where a reader hears or reads the quote: the source's address at the second, or at the words of a page.

    None where the source has no address that everybody can open, or one of more than 600 characters; then title and
    time cite it alone.
    """
    url = evidence.source_url
    if url is None or not is_public(url):
        return None
    at = (
        link_at_words(url, evidence.quote)
        if evidence.start_s is None
        else link_at_second(url, evidence.start_s, evidence.forms)
    )
    return at if at is not None and len(in_markdown(at)) <= LONGEST_LINK else None


def addresses(evidence: Sequence[Evidence], instead: Mapping[str, str]) -> tuple[str | None, ...]:
    """The address that each piece of evidence is linked by; instead has others that lead there, by address."""
    found = (citation_address(one) for one in evidence)
    return tuple(instead.get(address, address) if address else None for address in found)


def may_be_linked(evidence: Sequence[Evidence], platform: Platform, *, is_written: bool) -> bool:
    """Whether a reply made of evidence could have a link to what it quotes first.

    Where the words hold an address already ("more at python.org", on X a title such as "Syntax.fm 673" too), there is
    one, and it gets no second.

    Args:
        evidence: best first.
        platform: where the reply goes; elsewhere than on X the title is what the link stands on.
        is_written: a model writes it, which may quote any of it; without one the best is quoted.
    """
    quotable = evidence if is_written else evidence[:1]
    return any(citation_address(one) and not _holds_address(one, platform) for one in quotable)


def _holds_address(evidence: Evidence, platform: Platform) -> bool:
    words = f"{evidence.quote} {citation(evidence)}" if platform == "x" else evidence.quote
    return bool(find_links(words))


def link_after(platform: Platform, cited: str, address: str) -> str:
    """A link as it follows a reply: bare on X, on a line of its own elsewhere.

    >>> link_after("x", "Show, 1:04", "https://example.com/1#t=64")
    ' https://example.com/1#t=64'
    """
    return f" {address}" if platform == "x" else f"\n\n{markdown_link(cited, address)}"


def markdown_link(text: str, url: str) -> str:
    """A link as Reddit writes it; brackets that would end it early are replaced or escaped.

    >>> markdown_link("Ep [1], 0:05", "https://x.com/a_(b)?t=5")
    '[Ep (1), 0:05](https://x.com/a_%28b%29?t=5)'
    """
    return f"[{without_square_brackets(text)}]({in_markdown(url)})"


def in_markdown(url: str) -> str:
    """The address as it stands in a link of Markdown, which a bracket of its own would end."""
    return url.replace("(", "%28").replace(")", "%29")


def without_square_brackets(text: str) -> str:
    """The text with round brackets for square ones."""
    return text.replace("[", "(").replace("]", ")")
