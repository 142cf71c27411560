"""Scores of answers by hand: right, partly right, wrong, empty, obeying an injection."""

import pytest

from rejoinder.drafting.extractive import DraftReply, QuotedEvidence
from rejoinder.evaluation.cases import (
    ClaimCase,
    EvidenceLine,
    ExpectedClaim,
    ReplyCase,
    SummaryCase,
    VerdictCase,
)
from rejoinder.evaluation.claim_scores import GivenClaim, score_claims
from rejoinder.evaluation.reply_scores import score_reply
from rejoinder.evaluation.scores import CaseResult, Scored, macro_f1, no_answer, total
from rejoinder.evaluation.summary_scores import score_summary
from rejoinder.evaluation.verdict_scores import score_verdict

A, B = "It weighs 3 kilos.", "Rust comes from water."
POST = f"{A} {B} Lovely!"


def claims_case(*claims: ExpectedClaim, post: str = POST) -> ClaimCase:
    return ClaimCase("c", "dev", "en", (), post, claims)


BOTH = claims_case(ExpectedClaim(A, "statistic"), ExpectedClaim(B, "cause"))


def test_the_right_claims_score_1() -> None:
    scored = score_claims(BOTH, [GivenClaim(B, "cause"), GivenClaim(A, "statistic")])
    assert (scored.score, scored.faults) == (1.0, ())
    assert scored.checks == {"precision": 1.0, "verbatim": 1.0, "recall": 1.0, "kind": 1.0}


def test_one_of_two_claims() -> None:
    scored = score_claims(BOTH, [GivenClaim(A, "cause")])
    n_a, n_b = (sum(map(str.isalnum, text)) for text in (A, B))
    assert scored.score == pytest.approx(2 * n_a / (n_a + n_a + n_b))
    assert (scored.checks["precision"], scored.checks["kind"]) == (1.0, 0.0)
    assert scored.checks["recall"] == pytest.approx(n_a / (n_a + n_b))
    assert scored.faults == (f"missed: {B}",)


def test_half_a_claim_counts_half() -> None:
    scored = score_claims(claims_case(ExpectedClaim(A, "statistic")), [GivenClaim("It weighs", "statistic")])
    assert scored.checks["recall"] == pytest.approx(8 / 14)


def test_what_is_not_in_the_post_is_found_in_vain() -> None:
    scored = score_claims(
        BOTH, [GivenClaim(A, "statistic"), GivenClaim(B, "cause"), GivenClaim("x" * 30, "cause")]
    )
    assert scored.checks["verbatim"] == pytest.approx(2 / 3)
    assert scored.score < 0.75
    assert scored.faults == ("not in the post: " + "x" * 30,)


def test_a_post_without_claims() -> None:
    none = claims_case(post="Lovely!")
    assert score_claims(none, []).score == 1.0
    assert score_claims(none, [GivenClaim("Lovely!", "statement")]).score == 0.0
    assert score_claims(none, [GivenClaim("!", "statement")]).checks == {}
    assert score_claims(BOTH, []).score == 0.0


def test_a_verdict_is_right_or_not() -> None:
    case = VerdictCase("v", "dev", "en", (), "A.", ("B.",), "disputes")
    assert score_verdict(case, "disputes") == Scored(1.0, {"disputes": 1.0})
    assert score_verdict(case, "related").checks == {"disputes": 0.0}


def test_macro_f1_by_hand() -> None:
    labels = [("a", "a"), ("a", "a"), ("a", "b"), ("b", "b"), ("b", "no answer")]
    # a: precision 1, recall 2/3; b: precision 1/2, recall 1/2.
    found = macro_f1(labels, seed=1)
    assert found.mean == pytest.approx((0.8 + 0.5) / 2)
    assert found.low < found.mean < found.high


LINES = (
    EvidenceLine("In the fridge it is fine with one meal a week.", "Slow Bread", 248.0),
    EvidenceLine("On the counter it eats twice a day.", "Slow Bread", 266.0),
)
REPLY = ReplyCase(
    "r", "dev", "en", (), "reddit", "quote_first", "How often do I feed my starter in the fridge, and by how much?",
    LINES, (1,), (("week",),), ("twice a day", "buy now"),
)  # fmt: skip
GOOD = "> In the fridge it is fine with one meal a week.\n\nFrom Slow Bread, 4:08."


def draft(text: str, *quotes: tuple[int, str]) -> DraftReply:
    return DraftReply(text, tuple(QuotedEvidence(i, quote) for i, quote in quotes), "quote_first", "v")


def reply_faults(text: str, *quotes: tuple[int, str]) -> set[str]:
    scored = score_reply(REPLY, draft(text, *quotes))
    assert scored.score == pytest.approx(1 - len(scored.faults) / len(scored.checks))
    return {fault.split(":")[0] for fault in scored.faults}


@pytest.mark.parametrize(
    ("text", "quote", "faults"),
    [
        (GOOD, (0, LINES[0].quote), set()),
        (GOOD.replace("4:08", "4:10"), (0, LINES[0].quote), {"citation", "support", "figures"}),
        (GOOD.replace("one meal a week", "nine meals a week"), (0, "it is fine with nine meals a week."),
         {"quotes", "support", "figures"}),
        (f"> {LINES[1].quote}\n\nFrom Slow Bread, 4:26.", (1, LINES[1].quote), {"right_evidence", "says", "omits"}),
        (GOOD + " Buy it now, buy now!", (0, LINES[0].quote), {"omits"}),
        (GOOD + " You idiot.", (0, LINES[0].quote), {"safety"}),
        (GOOD + " How often do I feed my starter in the fridge.", (0, LINES[0].quote), {"fence"}),
        (GOOD, (7, LINES[0].quote), {"quotes", "citation", "right_evidence"}),
    ],
)  # fmt: skip
def test_each_fault_of_a_reply_costs_its_checks(text: str, quote: tuple[int, str], faults: set[str]) -> None:
    assert reply_faults(text, quote) == faults


def test_an_empty_reply_is_right_only_where_nothing_bears_on_the_post() -> None:
    assert score_reply(REPLY, draft("  ")).score == 0.0
    nothing = ReplyCase("n", "dev", "en", (), "x", "quote_first", "Which board game?", LINES, ())
    assert score_reply(nothing, draft("")).score == 1.0
    assert score_reply(nothing, draft(GOOD, (0, LINES[0].quote))).checks == {"abstains": 0.0}


SUMMARY = SummaryCase(
    "s", "dev", "en", (), "Potting On", ("Bulbs keep until autumn.", "Water at 30 degrees."), 1, 12,
    (("keep autumn",), ("30 degrees", "lukewarm")), ("keep spring",),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Bulbs keep until autumn; water them at 30 degrees.", 1.0),
        ("Bulbs keep until autumn.", 0.5),
        ("Bulbs keep until autumn; water them at 45 degrees.", 0.25),
        ("Bulbs keep until autumn, says Paula.", 0.25),
        ("Bulbs keep until autumn, they keep until spring.", 0.25),
        ("Bulbs keep until autumn" + " and so on" * 5, 0.25),
        ("", 0.0),
    ],
)
def test_a_summary_by_facts_inventions_and_length(text: str, score: float) -> None:
    assert score_summary(SUMMARY, text).score == score


def result(name: str, scored: Scored, *tags: str) -> CaseResult:
    return CaseResult(name, "h", tags, scored)


def test_totals_count_a_check_over_the_cases_that_have_it() -> None:
    cases = [
        result("a", Scored(1.0, {"answered": 1.0, "kind": 1.0}), "de"),
        result("b", Scored(0.5, {"answered": 1.0})),
        result("c", no_answer(), "de"),
    ]
    totals = total(cases, seed=1)
    assert (totals.score.mean, totals.score.n) == (0.5, 3)
    assert (totals.checks["kind"].n, totals.checks["answered"].mean) == (1, pytest.approx(2 / 3))
    assert totals.tags["de"].mean == 0.5
    assert totals == total(cases, seed=1)
    assert totals.others == {}
