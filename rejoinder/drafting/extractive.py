"""The extractive drafter: a reply made of quoted evidence, its source, and a frame of plain words.

What belongs here: composing and fitting. It states nothing of its own, so what it writes is as true as the
episode it quotes; it works without any model and gives the same draft for the same input.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rejoinder.drafting.citations import (
    TITLE_LENGTHS,
    addresses,
    citation,
    markdown_link,
    may_be_linked,
)
from rejoinder.drafting.frames import choose_frame, frames, shared_topic
from rejoinder.drafting.quotes import shorten_quote, tidy_quote
from rejoinder.listening.post import Platform, Post
from rejoinder.prompts.loader import VARIABLE, Prompt, load_prompt
from rejoinder.research.evidence import Evidence
from rejoinder.text.weighted_length import X_LIMIT, weighted_length

REDDIT_COMFORT = 900
MIN_QUOTE = 60


@dataclass(frozen=True, slots=True)
class QuotedEvidence:
    """What was quoted: the evidence's place in the given order, and the quote as the reply has it."""

    evidence_index: int
    text: str


@dataclass(frozen=True, slots=True)
class DraftReply:
    """A draft, what it quotes, and which strategy and which version of the frames made it."""

    text: str
    quotes: tuple[QuotedEvidence, ...]
    strategy: str
    prompt_version: str


@dataclass(frozen=True, slots=True)
class Room:
    """How long a reply may be on a platform, and how that is measured."""

    limit: int
    measure: Callable[[str], int]


def room_on(platform: Platform) -> Room:
    """X's weighted limit; on Reddit a length that people still read."""
    return Room(X_LIMIT, weighted_length) if platform == "x" else Room(REDDIT_COMFORT, len)


def draft_reply(
    post: Post,
    evidence: Sequence[Evidence],
    strategy: str,
    *,
    allow_links: bool,
    instead: Mapping[str, str] = MappingProxyType({}),
    prompt: Prompt | None = None,
) -> DraftReply:
    """Compose a reply from the best evidence.

    Args:
        post: the post to answer; only its platform, id and shared names matter.
        evidence: best first, at least one.
        strategy: one of `strategies.safe_strategies`.
        allow_links: the reply carries a link, and keeps room for it, unless what it quotes has one itself.
        instead: tracked addresses, by the address that each leads to.
        prompt: the frames; the shipped ones when None.

    Returns:
        A reply within the platform's room that cites source and, where there are times, the second.

    Raises:
        ValueError: there is no evidence.
        ConfigInvalid: the frames lack the strategy.
    """
    if not evidence:
        raise ValueError("a reply needs evidence")
    frames_file = prompt or load_prompt("reply_extractive", 1)
    best, quote = evidence[0], tidy_quote(evidence[0].quote)
    topic = shared_topic(post.text, quote, best.source_title)
    key = f"{post.platform}:{post.platform_post_id}"
    frame = choose_frame(frames(frames_file, strategy, post.platform), key=key, topic=topic)
    # Words that hold an address already get no second one.
    is_linked = allow_links and may_be_linked(evidence, post.platform, is_written=False)
    (address,) = addresses([best], instead) if is_linked else (None,)
    composing = _Composing(post.platform, frame, best, topic or "", address)
    text, shown = composing.fit(quote)
    return DraftReply(text, (QuotedEvidence(0, shown),), strategy, frames_file.version)


@dataclass(frozen=True, slots=True)
class _Composing:
    platform: Platform
    frame: str
    evidence: Evidence
    topic: str
    link: str | None

    def fit(self, quote: str) -> tuple[str, str]:
        """The text and the quote in it, with the title cut first and the quote after it."""
        room = room_on(self.platform)
        for max_title in TITLE_LENGTHS:
            left = room.limit - room.measure(self.fill("", max_title))
            if left >= min(room.measure(quote), 2 * MIN_QUOTE):
                break
        shown = shorten_quote(quote, left, room.measure)
        return self.fill(shown, max_title), shown

    def fill(self, quote: str, max_title: int) -> str:
        """Put quote, source and topic into the frame; on X the link follows, on Reddit it is the source."""
        link, source = self.link, citation(self.evidence, max_title=max_title)
        if link and self.platform == "reddit":
            source = markdown_link(source, link)
        values = {"quote": quote, "source": source, "topic": self.topic}
        text = VARIABLE.sub(lambda found: values[found[1]], self.frame)
        text = text[:1].upper() + text[1:]
        return f"{text} {link}" if link and self.platform == "x" else text
