"""What a reply to a post has of what a good one must have: the draft's own checks, and the case's."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from rejoinder.corpus.references import timestamp
from rejoinder.drafting.checks import (
    Check,
    check_citation,
    check_fence,
    check_length,
    check_own_words,
    check_quotes,
    check_safety,
)
from rejoinder.drafting.extractive import DraftReply
from rejoinder.evaluation.cases import ReplyCase
from rejoinder.evaluation.matching import invented_figures, says
from rejoinder.evaluation.scores import Scored
from rejoinder.ids import ChunkId, SourceId
from rejoinder.listening.post import Post
from rejoinder.research.evidence import Evidence

# A case has no clock: no check looks at when a post was written.
_WRITTEN = datetime(2026, 1, 1, tzinfo=UTC)


def case_post(case: ReplyCase) -> Post:
    """The case's post as the drafters take it."""
    return Post(case.platform, case.id, case.post, _WRITTEN, lang=case.language)


def case_evidence(case: ReplyCase) -> tuple[Evidence, ...]:
    """The case's evidence as the drafters take it; its verdict is not told."""
    return tuple(
        Evidence(
            ChunkId(i), SourceId(i), line.source_title, None, line.quote, line.start_s, line.speaker, 0.6,
            "related", "of a golden case",
        )
        for i, line in enumerate(case.evidence, 1)
    )  # fmt: skip


def score_reply(case: ReplyCase, given: DraftReply) -> Scored:
    """Share of the checks that the reply passes; an empty one scores 0, unless there is nothing to answer with.

    The draft's own: ``length``, ``quotes``, ``citation``, ``support`` (no figure, name
    or quote of its own), ``safety``, ``fence``. The case's: ``right_evidence``
    (quotes what bears on the post), ``says`` and ``omits`` (what it must and must not say), ``figures`` (none that
    stands neither in the evidence nor in the post). Where no evidence bears on the post only ``abstains`` counts.
    """
    if not case.quote_from:
        abstains = float(not given.text.strip())
        return Scored(abstains, {"abstains": abstains}, () if abstains else ("nothing bears on the post",))
    if not given.text.strip():
        return Scored(0.0, {}, ("the reply is empty",))
    checks = [*_of_drafts(case, given), *_of_the_case(case, given)]
    passed = {check.name: float(check.passed) for check in checks}
    faults = tuple(f"{check.name}: {check.detail}" for check in checks if not check.passed)
    return Scored(sum(passed.values()) / len(passed), passed, faults)


def _of_drafts(case: ReplyCase, given: DraftReply) -> Iterable[Check]:
    evidence = case_evidence(case)
    quotes = check_quotes(given, evidence)
    yield check_length(given.text, case.platform)
    yield quotes
    # A quote of evidence that is not there cannot be cited either.
    yield (
        check_citation(given, evidence)
        if _has_places(given, evidence)
        else Check("citation", False, quotes.detail)
    )
    yield check_own_words(given, case.post, evidence)
    yield check_safety(given.text)
    yield check_fence(given, case.post)


def _of_the_case(case: ReplyCase, given: DraftReply) -> Iterable[Check]:
    language, quoted = case.language, {quote.evidence_index + 1 for quote in given.quotes}
    right = bool(quoted & set(case.quote_from))
    yield Check("right_evidence", right, f"quotes {sorted(quoted)}, {list(case.quote_from)} bear on the post")
    if case.must_say:
        missing = [fact[0] for fact in case.must_say if not says(given.text, fact, language=language)]
        yield Check("says", not missing, f"missing: {', '.join(missing)}")
    if case.must_not_say:
        wrong = [one for one in case.must_not_say if says(given.text, [one], language=language)]
        yield Check("omits", not wrong, f"says: {', '.join(wrong)}")
    invented = invented_figures(given.text, _known(case), language)
    yield Check("figures", not invented, f"from nowhere: {', '.join(invented)}")


def _known(case: ReplyCase) -> list[str]:
    times = [timestamp(line.start_s) for line in case.evidence if line.start_s is not None]
    lines = [text for line in case.evidence for text in (line.quote, line.source_title, line.speaker or "")]
    return [case.post, *lines, *times]


def _has_places(given: DraftReply, evidence: Sequence[Evidence]) -> bool:
    return all(0 <= quote.evidence_index < len(evidence) for quote in given.quotes)
