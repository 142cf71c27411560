"""Evidence: what is quoted, what is left out, and what is said when there is none."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId
from rejoinder.research.candidates import candidates_in, second_at
from rejoinder.research.evidence import EvidenceRule, NoEvidence, find_evidence
from rejoinder.text.terms import index_terms

GIL = "Removing the global interpreter lock from CPython took researchers more than fifteen years of work."
FASTER = "It made threads scale across processor cores."
BREAD = "Sourdough bread needs flour, water, salt and a starter that somebody has fed for several days."
AD = "Visit example.com and get started for free."
QUESTION = "How long did removing the global interpreter lock from CPython take the researchers in the end?"
RULE = EvidenceRule()


class HashedBag:
    """An embedder that hashes index terms into a unit vector: near texts share words."""

    model = "test::hashed-bag"
    dim = 256

    def embed(self, texts, role="passage"):
        rows = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term in index_terms(text) or ["nothing"]:
                row[sum(map(ord, term)) * 31 % self.dim] += 1
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)

    def count_tokens(self, text):
        return len(text.split())


def passage(text, **changes):
    made = Passage(
        ChunkId(1), SourceId(2), "Episode", "https://example.com/1", text, 100.0, 160.0, ("Ada",), 1.0
    )
    return replace(made, **changes)


def find(claim, *passages, rule=RULE):
    return find_evidence(claim, passages, embedder=HashedBag(), rule=rule)


def test_the_sentence_that_bears_on_the_claim_is_quoted():
    found = find("Is removing the global interpreter lock from CPython done?", passage(f"{BREAD} {GIL}"))
    assert [one.quote for one in found] == [GIL]
    assert found[0].speaker == "Ada"
    assert 0.5 <= found[0].support <= 1
    assert 125 < found[0].start_s < 135


def test_a_quote_may_go_on_over_the_next_sentence():
    quotes = [candidate.text for candidate in candidates_in([passage(f"{GIL} {FASTER}")])]
    assert quotes == [GIL, f"{GIL} {FASTER}"]


def test_overlapping_quotes_are_not_both_kept():
    found = find("removing the global interpreter lock from CPython", passage(f"{GIL} {FASTER}"))
    assert len(found) == 1


def test_several_speakers_mean_nobody_is_named():
    found = find("removing the global interpreter lock", passage(GIL, speakers=("Ada", "Grace")))
    assert found[0].speaker is None


@pytest.mark.parametrize(
    ("passages", "reason"),
    [
        ((), "no passage"),
        ((passage(QUESTION),), "can be quoted"),
        (
            (passage("Welcome to the show, it is great to have all of you back here with us."),),
            "can be quoted",
        ),
        ((passage(BREAD),), "supports the post by"),
    ],
)
def test_without_evidence_there_is_a_reason(passages, reason):
    found = find("Is removing the global interpreter lock from CPython done?", *passages)
    assert isinstance(found, NoEvidence)
    assert reason in found.reason


def test_a_passage_about_something_else_is_left_unless_most_terms_are_shared():
    claim, elsewhere = "removing the global interpreter lock from CPython", passage(GIL, dense=0.1)
    assert not isinstance(find(claim, elsewhere), NoEvidence)
    found = find(claim, elsewhere, rule=replace(RULE, most_overlap=1.01))
    assert isinstance(found, NoEvidence)
    assert "none that is near enough" in found.reason


def test_sentences_beside_an_advertisement_are_left_out():
    assert candidates_in([passage(f"{AD} {GIL}")]) == []
    far = " ".join([AD, *["Nobody said much there."] * 6, GIL])
    assert [candidate.text for candidate in candidates_in([passage(far)])] == [GIL]


def test_the_first_seconds_of_a_recording_are_not_quoted():
    assert candidates_in([passage(GIL, start_s=0.0, end_s=10.0)]) == []
    assert candidates_in([passage(GIL, start_s=None, end_s=None)])


def test_a_common_term_alone_is_no_anchor():
    rarity = dict.fromkeys(index_terms("global interpreter lock CPython years"), 0.05)
    claim = "Is the global interpreter lock in CPython still there these days?"
    assert not isinstance(find(claim, passage(GIL)), NoEvidence)
    found = find_evidence(claim, [passage(GIL)], embedder=HashedBag(), rule=RULE, rarity=rarity)
    assert isinstance(found, NoEvidence)


def test_a_stemmers_collision_of_short_names_is_no_anchor():
    text = "Maybe there is a formal path of starting new projects as third-party packages on PyPI itself."
    loose = EvidenceRule(at_least=0.0, min_cosine=0.0, min_overlap=0.0, near_quality=1.01)
    assert isinstance(find("PyPy is the future", passage(text), rule=loose), NoEvidence)
    assert not isinstance(find("PyPI is the future", passage(text), rule=loose), NoEvidence)


@given(
    st.lists(
        st.sampled_from([GIL, FASTER, BREAD, AD, QUESTION, "And so.", "um, yeah"]), min_size=1, max_size=12
    ),
    st.integers(min_value=1, max_value=4),
)
def test_every_quote_stands_in_its_passage_within_its_time(sentences, k):
    text = "  ".join(sentences)
    rule = EvidenceRule(k=k, at_least=0.0, min_cosine=0.0, min_overlap=0.0, min_quality=0.0)
    found = find("removing the interpreter lock", passage(text), rule=rule)
    if isinstance(found, NoEvidence):
        assert found.reason
        return
    assert 0 < len(found) <= k
    for one in found:
        assert one.quote in " ".join(text.split())
        assert 100.0 <= one.start_s <= 160.0
        assert 0 <= one.support <= 1


def test_a_second_is_found_by_share_of_the_text():
    made = passage("x" * 100)
    assert [second_at(made, offset) for offset in (0, 50, 100)] == [100.0, 130.0, 160.0]
    assert second_at(replace(made, start_s=None), 5) is None
    assert second_at(replace(made, end_s=None), 50) == 100.0
