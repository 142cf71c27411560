"""Checks that a draft must pass before a person sees it, and that an edited text passes again.

What belongs here: plain functions from a text to a `Check`. They look at the text alone, so they hold for a
draft from any drafter and for a reviewer's edit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from rejoinder.corpus.references import short_title, timestamp
from rejoinder.drafting.citations import TITLE_LENGTHS, citation, without_square_brackets
from rejoinder.drafting.extractive import DraftReply, room_on
from rejoinder.drafting.frames import all_frames, shared_topic
from rejoinder.drafting.quotes import ELLIPSIS, is_verbatim, spoken_words, tidy_quote
from rejoinder.listening.post import Platform, Post
from rejoinder.prompts.loader import VARIABLE, Prompt, load_prompt
from rejoinder.research.evidence import Evidence
from rejoinder.text.near_duplicates import most_similar
from rejoinder.text.quotations import quotations
from rejoinder.text.sentences import split_sentences
from rejoinder.text.weighted_length import length_limit
from rejoinder.text.word_lists import word_set

NEAR_DUPLICATE = 0.9
ECHO_WORDS = 6

EMAIL = regex.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")
PHONE = regex.compile(r"(?<![\w/=.:?&-])\+?\d(?:[ ().-]{0,2}\d){8,14}(?![\w/])")
CARD_OR_ID = regex.compile(r"\b(?:\d{4}[ -]){3}\d{4}\b|\b\d{3}-\d{2}-\d{4}\b")
LINK = regex.compile(r"https?://\S+")
# Fewer words between quotation marks are a title or a term, unless a quote is among them.
QUOTED_WORDS = 4
# Up to the next empty line, as Markdown has it.
BLOCK_QUOTE = regex.compile(r"(?m)^ {0,3}>.*(?:\n(?!\s*$).+)*")
# Figures, and words with a capital letter inside a sentence.
OWN_NAME = regex.compile(r"\d[\d:.,]*\d|\d|(?<=[\p{Ll}\p{N},;:] [“\"(]?)\p{Lu}[\p{L}\p{N}+#-]*[\p{L}\p{N}+#]")
# A short list of words that no reply should carry whatever the evidence says; a person still reads each draft.
INSULTS = word_set(
    "idiot idiots idiotic moron morons moronic stupid dumb dumbass retard retarded imbecile loser losers scum bastard "
    "bitch cunt asshole fuck fucking fucker shit bullshit dick slut whore faggot fag nigger nigga kike spic chink "
    "tranny dyke coon gook wetback paki raghead"
)
INSTRUCTION = regex.compile(
    r"(?i)\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instructions?|prompts?|rules|above|previous|prior)\b"
    r"|\bsystem prompt\b|\byou are (?:now|no longer)\b|\bas an ai\b|<<<|>>>|\bDATA [0-9a-f]{8}\b"
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check's outcome; detail says what was found, for a person."""

    name: str
    passed: bool
    detail: str


def check_draft(
    draft: DraftReply,
    post: Post,
    evidence: Sequence[Evidence],
    *,
    earlier_replies: Sequence[str] = (),
    prompt: Prompt | None = None,
    is_written: bool = False,
) -> tuple[Check, ...]:
    """All checks of one draft, always the same ones in the same order.

    Args:
        draft: the draft.
        post: the post that it answers.
        evidence: what it was drafted from, in the order that its quotes count.
        earlier_replies: texts already drafted or sent, to compare with.
        prompt: the frames it was made with; the shipped ones when None.
        is_written: a model wrote it in words of its own, so no frame holds them.
    """
    quotes = check_quotes(draft, evidence)
    if is_written:
        support = check_own_words(draft, post.text, evidence)
    else:
        support = check_support(draft, post.text, evidence, prompt=prompt)
    return (
        check_length(draft.text, post.platform),
        quotes,
        support,
        check_citation(draft, evidence),
        check_duplicates(draft.text, earlier_replies),
        check_safety(draft.text),
        check_fence(draft, post.text),
    )


def check_length(text: str, platform: Platform) -> Check:
    """The text is not empty and fits the platform's limit; over a comfortable length it passes with a note."""
    limit, measure = length_limit(platform)
    length, comfort = measure(text), room_on(platform).limit
    note = ", longer than people like to read" if comfort < length <= limit else ""
    return Check("length", bool(text.strip()) and length <= limit, f"{length} of {limit}{note}")


def check_quotes(draft: DraftReply, evidence: Sequence[Evidence]) -> Check:
    """Every quote stands in the text and, up to tidying, word for word in its evidence."""
    faults = []
    for quote in draft.quotes:
        if not 0 <= quote.evidence_index < len(evidence):
            faults.append(f"evidence {quote.evidence_index} does not exist")
        elif not is_verbatim(quote.text, evidence[quote.evidence_index].quote):
            faults.append(f"not in the evidence: {quote.text[:60]!r}")
        elif quote.text not in draft.text:
            faults.append(f"not in the draft: {quote.text[:60]!r}")
    if not draft.quotes:
        faults.append("nothing is quoted")
    return Check("quotes", not faults, "; ".join(faults) or f"{len(draft.quotes)} verbatim")


def check_support(
    draft: DraftReply, post_text: str, evidence: Sequence[Evidence], *, prompt: Prompt | None = None
) -> Check:
    """Every sentence is a quote, a citation or a known frame: nothing else is stated.

    Quotes, citations and the topic that post and quote share are taken out; each sentence that is left
    must be a run of the words of one frame.
    """
    rest = _without_quotes(draft)
    for quote in draft.quotes:
        one = evidence[quote.evidence_index]
        rest = _without_citation(rest, one)
        topic = shared_topic(post_text, tidy_quote(one.quote), one.source_title)
        for name in (topic, topic[:1].upper() + topic[1:]) if topic else ():
            rest = _without_first(name, rest)
    known = [
        f" {_joined(VARIABLE.sub(' ', f))} " for f in all_frames(prompt or load_prompt("reply_extractive", 1))
    ]
    own = [sentence for sentence in split_sentences(rest) if spoken_words(sentence)]
    foreign = [one for one in own if not any(f" {_joined(one)} " in frame for frame in known)]
    detail = f"not supported: {foreign[0].strip()[:80]!r}" if foreign else "every sentence is supported"
    return Check("support", not foreign, detail)


def check_own_words(draft: DraftReply, post_text: str, evidence: Sequence[Evidence]) -> Check:
    """A written draft marks its quotes as such, quotes nothing else, and names no figure and no name of its own.

    All that it puts between quotation marks must stand in some evidence in one piece; every figure, and every
    capitalised word that does not open a sentence, in the post or in the evidence with its source. What plain words say
    is left to the editor and to the person who reads.
    """
    rest = _without_quotes(draft)
    times = [timestamp(one.start_s) for one in evidence if one.start_s is not None]
    told = [part for one in evidence for part in (one.quote, one.source_title, one.speaker or "")]
    known = set(spoken_words(" ".join([post_text, *told]))) | set(times)
    own = [found[0] for found in OWN_NAME.finditer(LINK.sub(" ", rest))]
    foreign = [one for one in own if one not in times and not set(spoken_words(one)) <= known]
    faults = [f"quoted, but in no evidence: {one[:60]!r}" for one in _made_up(draft, evidence)]
    faults += [f"not between quotation marks: {one[:60]!r}" for one in _unmarked(draft)]
    faults += [f"neither in the post nor in the evidence: {one!r}" for one in foreign]
    return Check(
        "support", not faults, "; ".join(faults[:3]) or "nothing is named that is not in the evidence"
    )


def check_citation(draft: DraftReply, evidence: Sequence[Evidence]) -> Check:
    """For every quote the text names the source and, where there are times, the second."""
    missing, text = [], without_square_brackets(draft.text)
    for one in (evidence[quote.evidence_index] for quote in draft.quotes):
        if not any(title in text for title in _titles(one)):
            missing.append(f"title {one.source_title[:40]!r}")
        if one.start_s is not None and timestamp(one.start_s) not in text:
            missing.append(f"time {timestamp(one.start_s)}")
    detail = f"missing: {', '.join(missing)}" if missing else "source and time are named"
    return Check("citation", bool(draft.quotes) and not missing, detail)


def check_duplicates(text: str, earlier_replies: Sequence[str]) -> Check:
    """No earlier reply says the same in nearly the same words (similarity in [0, 1], 0.9 is too near)."""
    nearest = most_similar(text, earlier_replies)
    if nearest is None:
        return Check("duplicates", True, "no earlier reply")
    return Check(
        "duplicates", nearest.similarity < NEAR_DUPLICATE, f"nearest earlier reply {nearest.similarity:.2f}"
    )


def check_safety(text: str) -> Check:
    """No insult from a short list, no e-mail address, phone number, card or identity number.

    The list is modest by design: it is a net under a person's reading, not a judgement of tone.
    """
    plain = LINK.sub(" ", text)
    found = sorted(set(spoken_words(plain)) & INSULTS)
    private = [("e-mail address", EMAIL), ("card or identity number", CARD_OR_ID), ("phone number", PHONE)]
    found += [name for name, pattern in private if pattern.search(plain)]
    return Check("safety", not found, "found: " + ", ".join(found) if found else "nothing found")


def check_fence(draft: DraftReply, post_text: str) -> Check:
    """The draft carries no instruction, and outside its quotes no stretch of the post's own words.

    Six of the post's words in a row outside the quotes mean that the post speaks through the draft.
    """
    rest = _without_quotes(draft)
    if found := INSTRUCTION.search(rest):
        return Check("fence", False, f"an instruction: {found[0][:60]!r}")
    own, theirs = spoken_words(LINK.sub(" ", rest)), f" {_joined(post_text)} "
    runs = (" ".join(own[i : i + ECHO_WORDS]) for i in range(len(own) - ECHO_WORDS + 1))
    echo = next((run for run in runs if f" {run} " in theirs), None)
    return Check("fence", echo is None, f"repeats the post: {echo!r}" if echo else "nothing of the post")


def _made_up(draft: DraftReply, evidence: Sequence[Evidence]) -> list[str]:
    """What the draft says that somebody said, and no evidence has in one piece: around a quote it may add no word."""
    said = [(one, one) for one in quotations(draft.text)]
    said += [(block, _without_quotations(block, evidence)) for block in _blocks(draft.text)]
    return [
        bare.strip()
        for whole, bare in said
        if _counts_as_said(bare, draft)
        and not any(_is_in_one_piece(one, e.quote) for one in (whole, bare) for e in evidence)
    ]


def _unmarked(draft: DraftReply) -> list[str]:
    marked = [*quotations(draft.text), *_blocks(draft.text)]
    return [quote.text for quote in draft.quotes if not any(quote.text in one for one in marked)]


def _blocks(text: str) -> list[str]:
    return [regex.sub(r"(?m)^ {0,3}>+", "", found[0]) for found in BLOCK_QUOTE.finditer(text)]


def _without_quotations(block: str, evidence: Sequence[Evidence]) -> str:
    """What a block quote holds beside quotation marks, which are looked at by themselves, and sources."""
    for one in quotations(block):
        block = block.replace(one, " ", 1)
    for named in evidence:
        block = _without_citation(block, named)
    return block


def _counts_as_said(text: str, draft: DraftReply) -> bool:
    return len(spoken_words(text)) >= QUOTED_WORDS or any(quote.text in text for quote in draft.quotes)


def _is_in_one_piece(text: str, source: str) -> bool:
    """Whether the source has it with no word left out: who leaves out a "not" quotes the opposite."""
    return is_verbatim(text.replace(ELLIPSIS, " "), source)


def _without_quotes(draft: DraftReply) -> str:
    rest = draft.text
    for quote in draft.quotes:
        rest = rest.replace(quote.text, " ")
    return rest


def _without_citation(text: str, one: Evidence) -> str:
    text = without_square_brackets(LINK.sub(" ", text))
    for length in TITLE_LENGTHS:
        whole = without_square_brackets(citation(one, max_title=length))
        if (rest := _without_first(whole, text)) != text:
            return rest
    at = [timestamp(one.start_s)] if one.start_s is not None else []
    for part in [*_titles(one), *at]:
        text = _without_first(part, text)
    return text


def _without_first(part: str, text: str) -> str:
    # As a whole word only: an episode called "Ada" is not the beginning of "Adam".
    return regex.sub(rf"(?<!\w){regex.escape(part)}(?!\w)", " ", text, count=1)


def _titles(one: Evidence) -> list[str]:
    return [without_square_brackets(short_title(one.source_title, length)) for length in TITLE_LENGTHS]


def _joined(text: str) -> str:
    return " ".join(spoken_words(text))
