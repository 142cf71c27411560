"""Replies that a model writes and edits: what it is shown, what it may answer, and what is taken from its answer.

What belongs here: values and plain functions around the prompts ``reply`` and ``editorial``; asking a model belongs in
program.py. Whatever a model says, a quote counts only where our own check finds it in the evidence.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import regex
from pydantic import BaseModel, ConfigDict, Field

from rejoinder.drafting.checks import check_draft
from rejoinder.drafting.citations import addresses, citation, in_markdown, link_after
from rejoinder.drafting.extractive import DraftReply, QuotedEvidence, Room, room_on
from rejoinder.drafting.quotes import tidy_quote
from rejoinder.drafting.strategies import STRATEGIES
from rejoinder.listening.post import Post
from rejoinder.research.evidence import Evidence
from rejoinder.text.links import find_links

# Longest parts of an answer, so that a model cannot run on; a reply is far shorter.
MAX_TEXT, MAX_QUOTE, MAX_QUOTES, MAX_FAULT, MAX_FAULTS = 2_000, 600, 4, 300, 5
DESCRIPTIONS = {strategy.name: strategy.description for strategy in STRATEGIES}


class ReplyQuote(BaseModel):
    """A quote of a reply: the evidence's number, from 1, and the words as the reply has them."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    evidence: int = Field(ge=1, le=99)
    text: str = Field(min_length=1, max_length=MAX_QUOTE)


class ReplyAnswer(BaseModel):
    """What the prompt ``reply`` asks for; an empty text says that the evidence does not bear on the post."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    quotes: list[ReplyQuote] = Field(max_length=MAX_QUOTES)
    text: str = Field(max_length=MAX_TEXT)


class EditorialAnswer(BaseModel):
    """What the prompt ``editorial`` asks for; text is the draft, unchanged or tightened."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    unsupported: list[str] = Field(max_length=MAX_FAULTS)
    is_polite: bool
    text: str = Field(max_length=MAX_TEXT)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a reply is written from: evidence is best first, account the name that it is written for.

    allow_links: the reply carries a link, which is ours and not the model's. instead: tracked addresses, by the
    address that each leads to.
    """

    post: Post
    evidence: tuple[Evidence, ...]
    strategy: str
    account: str
    allow_links: bool
    instead: Mapping[str, str] = field(default_factory=dict)


def reply_values(brief: Brief) -> dict[str, str]:
    """The variables of the prompt ``reply``; what others wrote stands in ``material`` only."""
    return {
        "account": brief.account,
        "limit": str(_own_room(brief).limit),
        "strategy": DESCRIPTIONS[brief.strategy],
        "material": f"{_shown_post(brief.post)}\n\n{_shown_evidence(brief.evidence)}",
    }


def editorial_values(brief: Brief, draft: DraftReply) -> dict[str, str]:
    """The variables of the prompt ``editorial``; our link is not shown, it is put back afterwards."""
    shown = f"The draft:\n{_words_and_link(draft, brief)[0]}"
    return {
        "limit": str(_own_room(brief).limit),
        "material": f"{_shown_post(brief.post)}\n\n{shown}\n\n{_shown_evidence(brief.evidence)}",
    }


def written_draft(answer: ReplyAnswer, brief: Brief, prompt_version: str) -> DraftReply:
    """The draft that a model's answer makes; the link is ours, as the channel's policy has it."""
    quotes = tuple(QuotedEvidence(quote.evidence - 1, quote.text) for quote in answer.quotes)
    text = answer.text.strip()
    return DraftReply(text + _link(quotes, brief), quotes, brief.strategy, prompt_version)


def edited_draft(answer: EditorialAnswer, draft: DraftReply, brief: Brief, prompt_version: str) -> DraftReply:
    """The draft with the editor's text, and the quotes and the link of the draft before it.

    Its text is the draft's own where the editor changed nothing.
    """
    words, link = _words_and_link(draft, brief)
    edited = answer.text.strip()
    text = draft.text if edited in (words.strip(), draft.text) else edited + link
    return replace(draft, text=text, prompt_version=prompt_version)


def fault_of(draft: DraftReply, brief: Brief) -> str | None:
    """Why a model's draft cannot be used: a link of its own, or the checks that it fails; None where it can."""
    missing = [q.evidence_index + 1 for q in draft.quotes if q.evidence_index >= len(brief.evidence)]
    if missing:
        return f"it quotes evidence {missing[0]}, and there is none of that number"
    faults = ["it has a link of its own"] if any(True for _ in find_links(_own_text(draft, brief))) else []
    checks = check_draft(draft, brief.post, brief.evidence, is_written=True)
    return "; ".join([*faults, *(f"{c.name}: {c.detail}" for c in checks if not c.passed)]) or None


def objection_of(answer: EditorialAnswer) -> str | None:
    """What an editor has against a draft; None where there is nothing."""
    found = [f"the evidence does not say {fault[:80]!r}" for fault in answer.unsupported]
    return "; ".join(found if answer.is_polite else [*found, "it is not polite"]) or None


def offline_answer(draft: DraftReply) -> str:
    """The extractive drafter's reply in the form of a model's answer, as JSON."""
    quotes = [
        ReplyQuote(evidence=quote.evidence_index + 1, text=quote.text[:MAX_QUOTE]) for quote in draft.quotes
    ]
    return ReplyAnswer(quotes=quotes, text=draft.text[:MAX_TEXT]).model_dump_json()


def offline_opinion(draft: DraftReply) -> str:
    """What an editor without a model says: nothing to object, nothing to change; as JSON."""
    return EditorialAnswer(unsupported=[], is_polite=True, text=draft.text[:MAX_TEXT]).model_dump_json()


def _shown_post(post: Post) -> str:
    return f"The post:\n{post.text}"


def _shown_evidence(evidence: Sequence[Evidence]) -> str:
    """Numbered from 1, each with its source as it is to be named and its words as they may be quoted."""
    lines = [
        f"{number}. source: {citation(one)}\n   quote: {tidy_quote(one.quote)}"
        for number, one in enumerate(evidence, start=1)
    ]
    return "\n".join(["The evidence:", *lines])


def _own_room(brief: Brief) -> Room:
    """The room for a model's words: what the platform has, less the longest link that may follow."""
    room = room_on(brief.post.platform)
    links = [_link((QuotedEvidence(i, ""),), brief) for i in range(len(brief.evidence))]
    return Room(room.limit - max(map(room.measure, links), default=0), room.measure)


def _link(quotes: Sequence[QuotedEvidence], brief: Brief) -> str:
    """What follows a reply: the link to the second of its first quote; empty where there is none to give."""
    return _follows(quotes, brief, brief.instead)[1] if brief.allow_links else ""


def _follows(quotes: Sequence[QuotedEvidence], brief: Brief, instead: Mapping[str, str]) -> tuple[str, str]:
    """The address of what is quoted first, and how it follows a reply; both empty where there is none."""
    if not quotes or not 0 <= quotes[0].evidence_index < len(brief.evidence):
        return "", ""
    one = brief.evidence[quotes[0].evidence_index]
    (address,) = addresses([one], instead)
    return (address, link_after(brief.post.platform, citation(one), address)) if address else ("", "")


def _own_text(draft: DraftReply, brief: Brief) -> str:
    """The draft without the link of ours that follows it, over our own address or straight."""
    for instead in (brief.instead, {}):
        link = _follows(draft.quotes, brief, instead)[1]
        if link and draft.text.endswith(link):
            return draft.text.removesuffix(link)
    return draft.text


def _words_and_link(draft: DraftReply, brief: Brief) -> tuple[str, str]:
    """The draft without the link of ours, wherever it has that, and the link as it follows a reply."""
    words = _own_text(draft, brief)
    if words != draft.text:
        return words, draft.text[len(words) :]
    for instead in (brief.instead, {}):
        address, link = _follows(draft.quotes, brief, instead)
        linked = rf"\[([^\[\]]*)\]\({regex.escape(in_markdown(address))}\)"
        if address and regex.search(linked, words):
            return regex.sub(linked, r"\1", words), link
    return words, ""
