"""Whether a verdict on a claim is the right one."""

from rejoinder.evaluation.cases import VerdictCase
from rejoinder.evaluation.scores import Scored


def score_verdict(case: VerdictCase, given: str) -> Scored:
    """1 for the expected verdict, else 0; the check of the expected verdict's name says the same.

    Over cases those checks are the recall of each verdict, and the score is the accuracy.
    """
    right = float(given == case.verdict)
    faults = () if right else (f"{given} instead of {case.verdict}",)
    return Scored(right, {case.verdict: right}, faults)
