"""One case as lines for a terminal, in the order in which a person reads before deciding."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from cli.output import clock, printable

if TYPE_CHECKING:
    from resources.store.review_values import CaseDraft, CaseEvidence, CasePublication, ReviewCase


def case_lines(case: "ReviewCase") -> Iterator[str]:
    """The post, what was found, the draft with its checks, the decisions, the publications."""
    for line in _lines(case):
        yield printable(line)


def _lines(case: "ReviewCase") -> Iterator[str]:
    post = case.post
    sandbox = ", sandbox" if case.channel.is_sandbox else ""
    yield f"Post {case.id}, version {case.version}, {case.place} ({case.channel.name}{sandbox})"
    yield f"{post.author or 'unknown author'}, {post.created_at:%Y-%m-%d %H:%M} UTC {post.url or ''}"
    yield from _indented(post.text)
    yield from _thread_lines(case)
    if case.rejection_reason:
        yield f"Rejected: {case.rejection_reason}"
    for decision in case.stage_decisions:
        yield f"- {decision.step}: {decision.verdict}; {decision.reason}"
    for claim in case.claims:
        yield f"- claim ({claim.kind}, check-worthiness {claim.check_worthiness:.2f}): {claim.text}"
    if case.evidence:
        yield "Evidence"
    for found in case.evidence:
        yield from _evidence_lines(found)
    if case.draft:
        yield from _draft_lines(case.draft)
    yield from _decided_lines(case)


def _thread_lines(case: "ReviewCase") -> Iterator[str]:
    """What it answers, oldest first."""
    if case.thread:
        yield "Above it"
    for above in case.thread:
        yield f"- {above.author or 'unknown author'}, {above.created_at:%Y-%m-%d %H:%M} UTC"
        yield from _indented(above.text)


def _evidence_lines(found: "CaseEvidence") -> Iterator[str]:
    at = clock(found.start_s)
    where = f"{found.source_title}{', ' + at if at else ''}{', ' + found.speaker if found.speaker else ''}"
    yield f"- {found.verdict} ({found.score:.2f}) {where}"
    yield from _indented(found.quote)


def _draft_lines(draft: "CaseDraft") -> Iterator[str]:
    yield f"Draft {draft.version}, {draft.strategy}, by {draft.author or draft.model}"
    yield from _indented(draft.text)
    for check in draft.checks:
        yield f"- {'passed' if check.is_passed else 'FAILED'}: {check.name}; {check.detail}"


def _decided_lines(case: "ReviewCase") -> Iterator[str]:
    for review in case.reviews:
        extra = ", simulated" if review.is_simulated else ""
        why = "; ".join(filter(None, (review.reason, review.note)))
        yield f"{review.decision} by {review.reviewer}{extra}, {review.created_at:%Y-%m-%d %H:%M} UTC {why}"
    for publication in case.publications:
        yield from _publication_lines(publication)
    if case.handoff:
        opening = "opens with the text in it" if case.handoff.is_prefilled else "copy the text above into it"
        yield f"Post it here ({opening}): {case.handoff.url or 'no address is known'}"
        for text in case.handoff.rest:
            yield "Then, in answer to it:"
            yield from _indented(text)
    elif case.place.stage == "review":
        yield _way_line(case)
        yield _link_line(case)


def _way_line(case: "ReviewCase") -> str:
    from rejoinder.listening.answerable import Unanswerable

    if isinstance(case.standing, Unanswerable):
        word = "Not to be answered" if case.standing.until is None else "Not yet"
        return f"{word}: {case.standing.reason}."
    if case.standing.way == "handoff":
        return f"Once approved, the reply is handed to you to post: {case.standing.why_by_hand}."
    price = f" for {case.price_usd:.3f} USD" if case.price_usd else ""
    quiet = case.standing.not_before
    wait = f", not before {quiet:%Y-%m-%d %H:%M} UTC (quiet hours)" if quiet else ""
    return f"Once approved, the reply is sent by the publisher{price}{wait}."


def _link_line(case: "ReviewCase") -> str:
    """What the reply may link to, at which prices, and what was decided before it was drafted."""
    if case.link is None or case.link.address is None:
        return "No link: the source has no address that everybody can open."
    now, proposal = case.link.now, case.link.proposal
    prices = (
        f"{now.price_usd:.3f} USD without a link, {now.price_with_link_usd:.3f} USD with {case.link.address}"
    )
    if proposal is None:
        return f"{prices}."
    word = "with" if proposal.is_proposed else "without"
    return f"{prices}; drafted {word} one: {proposal.reason}."


def _publication_lines(publication: "CasePublication") -> Iterator[str]:
    known = publication.platform_url or publication.platform_id or ""
    yield f"Publication {publication.id}: {publication.state} {known} {publication.detail or ''}".rstrip()
    for part in publication.parts:
        if len(publication.parts) > 1:
            yield f"  part {part.position + 1}: {part.state} {part.platform_url or part.platform_id or ''}".rstrip()
        yield from _indented(part.text)


def _indented(text: str) -> Iterator[str]:
    yield from (f"    {line}" for line in text.splitlines() or [""])
