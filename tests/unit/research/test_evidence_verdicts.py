"""Verdicts: more than related only on strong overlap."""

import pytest

from rejoinder.research.verdicts import verdict_of

NEAR = {"cosine": 0.9, "overlap": 0.9}


@pytest.mark.parametrize(
    ("claim", "sentence", "nearness", "verdict"),
    [
        ("The build takes 40 minutes", "The build takes 40 minutes.", NEAR, "supports"),
        ("The build takes 40 minutes", "The build takes 12 minutes.", NEAR, "disputes"),
        ("The build takes 40 minutes", "The build takes long.", NEAR, "supports"),
        ("CPython has no lock", "CPython has a lock.", NEAR, "disputes"),
        ("CPython doesn't have a lock", "CPython has never had a lock.", NEAR, "supports"),
        (
            "The build takes 40 minutes",
            "The build takes 12 minutes.",
            {"cosine": 0.69, "overlap": 0.9},
            "related",
        ),
        (
            "The build takes 40 minutes",
            "The build takes 12 minutes.",
            {"cosine": 0.9, "overlap": 0.5},
            "related",
        ),
        ("Does the build take 40 minutes?", "The build takes 12 minutes.", NEAR, "related"),
        ("It cost 1,000 dollars", "It cost 1000 dollars.", NEAR, "supports"),
    ],
)
def test_verdicts(claim, sentence, nearness, verdict):
    finding = verdict_of(claim, sentence, **nearness)
    assert finding.verdict == verdict
    assert finding.reason
