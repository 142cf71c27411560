"""Check-worthy claims: by example, by property, and measured on labelled sentences."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.triage.claims import check_worthiness, extract_claims, main_claim

CLAIMBUSTER = (
    Path(__file__).parents[4] / "shared" / "data" / "claims_claimbuster" / "two_class" / "train.json"
)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Unemployment rose from 4 percent to 9 percent last year.", "statistic"),
        ("Rust programs are always faster than the same Python programs.", "comparison"),
        ("The outage was caused by a missing index, the study found.", "cause"),
        ("How do I speed up a Python loop?", "question"),
        ("what is the best book on networks", "question"),
    ],
)
def test_kinds_of_claims(text, kind):
    assert extract_claims(text)[0].kind == kind


@pytest.mark.parametrize(
    "text",
    ["", "Nice!", "I love it so much, thank you!", "https://example.com/a/b", "Good morning to all of you"],
)
def test_what_is_no_claim(text):
    assert extract_claims(text) == []


def test_a_title_leads_unless_the_body_claims_much_more():
    assert main_claim(
        "Notes on the global lock\n\nI had fun. It is what it is, said someone."
    ).text.startswith("Notes")
    assert (
        main_claim("Look at this thing here. Inflation rose 9 percent in 2023 according to data.").kind
        == "statistic"
    )
    assert main_claim("PyPy 2.0!") is None


@given(st.text(max_size=400))
def test_claims_are_spans_of_the_text_best_first(text):
    claims = extract_claims(text, at_least=0.0)
    assert all(text[claim.start : claim.end] == claim.text for claim in claims)
    assert all(0 <= claim.score <= 1 for claim in claims)
    assert [claim.score for claim in claims] == sorted((claim.score for claim in claims), reverse=True)


@pytest.mark.skipif(not CLAIMBUSTER.exists(), reason="the labelled sentences are not here")
def test_ranking_beats_length_by_far_on_sentences_the_weights_were_not_set_on():
    from sklearn.metrics import average_precision_score

    rows = json.loads(CLAIMBUSTER.read_text())
    held = [row for row in rows if int(sha256(str(row["sentence_id"]).encode()).hexdigest()[:8], 16) % 2]
    truth = [row["label"] for row in held]
    ours = average_precision_score(truth, [check_worthiness(row["text"]) for row in held])
    length = average_precision_score(truth, [len(row["text"].split()) for row in held])
    assert ours > 0.70
    assert ours > length + 0.30
