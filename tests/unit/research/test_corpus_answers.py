"""Answers from evidence lines: the corpus's own sentences, or none where nothing speaks for it."""

from collections.abc import Sequence

import numpy as np
import pytest

from rejoinder.corpus.shaping.citations import EvidenceLine, cite, number_lines
from rejoinder.corpus.shaping.merging import Stretch
from rejoinder.corpus.shaping.prompt_context import PromptContext, TokenCounts
from rejoinder.corpus.values import Passage
from rejoinder.ids import ChunkId, SourceId
from rejoinder.research.answer_rules import AnswerRule, Signs, probability
from rejoinder.research.answers import QuotingAnswerer, read_context
from rejoinder.text.terms import index_terms

TERMS = ["heap", "smell", "egg", "air", "water", "backup", "replica", "restor", "turn", "week"]


class BagEmbedder:
    """Vectors that count known terms: alike are texts that share them."""

    model, dim = "test::bag", len(TERMS)

    def embed(self, texts: Sequence[str], role: str = "passage") -> np.ndarray:
        rows = np.array([[index_terms(t).count(term) for term in TERMS] for t in texts], dtype=np.float32)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def count_tokens(self, text: str) -> int:
        return len(text.split())


SAID = (
    "A heap that smells of rotten eggs has too much water and no air. Turn the heap every week to bring air in.",
    "A replica of the database is no backup of the database. Restore every backup once to know that it works.",
)


def lines(dense: float = 0.6) -> tuple[EvidenceLine, ...]:
    passages = [
        Passage(ChunkId(i), SourceId(i), f"Show {i}", None, text, 0.0, 9.0, (), 1.0 / (i + 1), dense=dense)
        for i, text in enumerate(SAID)
    ]
    return number_lines([Stretch((passage,)) for passage in passages])


def answer_to(question: str, rule: AnswerRule) -> str:
    evidence = lines()
    reading = read_context(question, evidence, embedder=BagEmbedder(), rarity={}, rule=rule)
    context = PromptContext(question, evidence, (), TokenCounts(0, 0, 0))
    return QuotingAnswerer(rule).answer(reading, context)


def test_an_answer_is_made_of_the_sources_sentences_with_their_ids():
    answer = answer_to("Why does my heap smell of eggs?", AnswerRule(k=1))
    assert answer == "A heap that smells of rotten eggs has too much water and no air. [E1]"


def test_every_statement_is_verbatim_and_cited():
    evidence = lines()
    answer = answer_to("How do I restore a backup, and is a replica a backup?", AnswerRule(share_of_best=0.0))
    cited = cite(answer, [line.citation for line in evidence])
    assert len(cited.statements) == 3 and not cited.uncited and not cited.notes
    for statement in cited.statements:
        (citation,) = statement.citations
        assert statement.text in SAID[int(citation.id[1:]) - 1]


def test_what_says_the_same_is_quoted_once():
    twice = (*lines(), *number_lines([Stretch(line.passages) for line in lines()]))
    rule = AnswerRule(share_of_best=0.0, k=8)
    reading = read_context("heap smell eggs", twice, embedder=BagEmbedder(), rarity={}, rule=rule)
    context = PromptContext("", twice, (), TokenCounts(0, 0, 0))
    answer = QuotingAnswerer(rule).answer(reading, context)
    assert answer.count("rotten eggs") == 1


def test_no_evidence_gives_no_answer_and_a_low_probability():
    reading = read_context("heap", (), embedder=BagEmbedder(), rarity={}, rule=AnswerRule())
    assert reading.signs == Signs(0.0, 0.0, 0.0)
    assert (
        QuotingAnswerer(AnswerRule()).answer(reading, PromptContext("", (), (), TokenCounts(0, 0, 0))) == ""
    )
    assert probability(reading.signs, AnswerRule()) < 0.01


@pytest.mark.parametrize("sign", range(3))
def test_every_sign_speaks_for_an_answer(sign):
    weak = [0.5, 0.5, 0.5]
    strong = [*weak]
    strong[sign] = 0.9
    assert probability(Signs(*strong), AnswerRule()) > probability(Signs(*weak), AnswerRule())


def test_a_term_that_the_corpus_lacks_counts_against_it():
    known = read_context(
        "heap smell", lines(), embedder=BagEmbedder(), rarity={"heap": 0.5, "smell": 0.5}, rule=AnswerRule()
    )
    odd = read_context(
        "heap smell zeppelin", lines(), embedder=BagEmbedder(), rarity={"heap": 0.5, "smell": 0.5}, rule=AnswerRule()
    )  # fmt: skip
    assert odd.signs.passage_terms < known.signs.passage_terms == 1.0
