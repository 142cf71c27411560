"""From passages to evidence lines: repeats go, neighbours merge, quotas hold, the budget is never exceeded."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rejoinder.corpus.shaping.budget import ContextBudget, fit_text
from rejoinder.corpus.shaping.merging import merge_adjacent
from rejoinder.corpus.shaping.near_duplicates import DuplicateRule, without_near_duplicates
from rejoinder.corpus.shaping.prompt_context import (
    Found,
    ShapingRule,
    Summary,
    assemble,
    rendered,
    shape_evidence,
)
from rejoinder.corpus.shaping.selection import Pool, Quotas, select
from rejoinder.corpus.values import Passage
from rejoinder.errors import ConfigInvalid
from rejoinder.ids import ChunkId, SourceId

WORDS = [
    "compost",
    "heap",
    "needs",
    "air",
    "water",
    "turning",
    "smell",
    "worms",
    "leaves",
    "heat",
    "winter",
    "straw",
]
NO_QUOTAS = Quotas(1.0, 1.0)


def count_words(text: str) -> int:
    return len(text.split())


def count_with_breaks(text: str) -> int:
    """A tokenizer that is not additive: lines together count as more than each by itself."""
    return len(text.split()) + text.count("\n") ** 2


def passage(number: int, text: str = "", *, source: int = 1, index: int | None = None, **changes) -> Passage:
    fields = {
        "chunk_id": ChunkId(number),
        "source_id": SourceId(source),
        "source_title": f"Episode {source}",
        "source_url": f"https://pod.example/{source}",
        "text": text or f"Statement number {number} stands alone.",
        "start_s": 10.0 * number,
        "end_s": 10.0 * number + 9,
        "speakers": ("Mara",),
        "score": 1.0 / (60 + number),
        "chunk_index": index,
    }
    return Passage(**{**fields, **changes})


def unit(rows: list[list[float]]) -> np.ndarray:
    vectors = np.array(rows, dtype=np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def apart(n: int) -> np.ndarray:
    """Vectors that have nothing in common."""
    return np.eye(n, dtype=np.float32)


def test_of_two_copies_the_better_one_stays():
    words = "A heap without air smells of rotten eggs, so turn it every week."
    passages = [
        passage(1, words),
        passage(2, words.upper()),
        passage(3, "Straw covers it in winter, they say."),
    ]
    assert without_near_duplicates(passages, apart(3), rule=DuplicateRule()) == [0, 2]


def test_the_same_statement_in_other_words_goes_but_not_with_other_figures():
    near = unit([[1, 0], [1, 0.01], [1, 0.02]])
    passages = [
        passage(1, "It costs 5 dollars a month."),
        passage(2, "Five dollars? No: 5 dollars monthly is the price."),
        passage(3, "Monthly, the price comes to 50 dollars."),
    ]
    assert without_near_duplicates(passages, near, rule=DuplicateRule()) == [0, 2]


def test_passages_and_vectors_must_be_as_many():
    with pytest.raises(ValueError, match="1 passages for 2 vectors"):
        without_near_duplicates([passage(1)], apart(2), rule=DuplicateRule())


def test_neighbours_are_read_as_one_and_their_overlap_once():
    first = passage(1, "Air keeps it sweet. Turn it weekly.", index=4, speakers=("Mara",))
    second = passage(2, "Turn it weekly. Water helps too.", index=5, speakers=("Tobin", "Mara"))
    far = passage(3, index=7)
    merged = merge_adjacent([far, second, first])
    assert [len(stretch.passages) for stretch in merged] == [1, 2]
    assert merged[1].text == "Air keeps it sweet. Turn it weekly. Water helps too."
    assert (merged[1].place.start_s, merged[1].place.end_s) == (first.start_s, second.end_s)
    assert merged[1].speakers == ("Mara", "Tobin")


def test_a_long_run_is_cut_so_that_its_second_stays_near_its_words():
    run = [passage(i, index=i) for i in range(1, 8)]
    assert [len(stretch.passages) for stretch in merge_adjacent(run)] == [3, 3, 1]


@pytest.mark.parametrize(
    "changes", [{"source": 2}, {"chapter": "Two"}, {"index": 7}, {"index": 5}, {"index": None}]
)
def test_what_is_not_contiguous_stays_apart(changes):
    second = {"source": 1, "index": 6, "chapter": "One", **changes}
    assert len(merge_adjacent([passage(1, index=5, chapter="One"), passage(2, **second)])) == 2


def pool(relevance, vectors, costs, sources=None) -> Pool:
    n = len(costs)
    sources = sources or [1] * n
    return Pool(
        np.array(relevance, dtype=float), vectors, costs, sources, [(s, i) for i, s in enumerate(sources)]
    )


def test_what_is_covered_already_gives_way_to_something_new():
    vectors = unit([[1, 0], [1, 0.05], [0, 1]])
    chosen = select(pool([1.0, 0.95, 0.6], vectors, [10, 10, 10]), 20, quotas=NO_QUOTAS, relevance_weight=1.0)
    assert chosen == [0, 2]


def test_with_the_same_gain_the_cheaper_one_is_taken():
    assert select(pool([1.0, 1.0], apart(2), [30, 10]), 30, quotas=NO_QUOTAS, relevance_weight=1.0) == [1]


def test_a_single_passage_worth_more_than_many_small_ones_wins():
    # Gain per token alone would take the crumb and have no room for the meal.
    assert select(pool([0.2, 1.0], apart(2), [1, 10]), 10, quotas=NO_QUOTAS, relevance_weight=1.0) == [1]


def test_one_source_leaves_room_for_another_until_nothing_else_is_left():
    chosen = select(pool([1.0, 0.9, 0.8, 0.1], apart(4), [10] * 4, [1, 1, 1, 2]), 40, quotas=Quotas(0.5, 1.0))
    assert chosen == [0, 1, 3, 2]


def best_value(relevance, alike, costs, budget) -> float:
    def value(chosen) -> float:
        return float(relevance @ alike[:, chosen].max(axis=1) + relevance[chosen].sum()) if chosen else 0.0

    sets = itertools.chain.from_iterable(
        itertools.combinations(range(len(costs)), k) for k in range(len(costs) + 1)
    )
    return max(value(list(s)) for s in sets if sum(costs[i] for i in s) <= budget)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(5, 60))
def test_the_greedy_choice_is_within_its_bound(seed, budget):
    rng = np.random.default_rng(seed)
    n = 7
    vectors, relevance = unit(rng.normal(size=(n, 3)).tolist()), rng.uniform(0.05, 1, size=n)
    costs = rng.integers(2, 25, size=n).tolist()
    chosen = select(pool(relevance, vectors, costs), budget, quotas=NO_QUOTAS, relevance_weight=1.0)
    alike = np.clip(vectors @ vectors.T, 0, 1).astype(float)
    got = float(relevance @ alike[:, chosen].max(axis=1) + relevance[chosen].sum()) if chosen else 0.0
    assert got >= (1 - 1 / np.e) / 2 * best_value(relevance, alike, costs, budget) - 1e-9


@st.composite
def found_passages(draw) -> Found:
    n = draw(st.integers(0, 25))
    passages = [
        passage(
            i + 1,
            " ".join(draw(st.lists(st.sampled_from([*WORDS, "[E3]", "air.\n\n"]), min_size=1, max_size=40)))
            + f" {i}.",
            source=draw(st.integers(1, 4)),
            index=draw(st.one_of(st.none(), st.integers(0, 12))),
            chapter=draw(st.sampled_from([None, "One", "Two"])),
            speakers=tuple(draw(st.lists(st.sampled_from(["Mara", "Tobin", "Speaker 1"]), max_size=3))),
            start_s=draw(st.one_of(st.none(), st.floats(0, 9e4))),
        )
        for i in range(n)
    ]
    seed = draw(st.integers(0, 1000))
    vectors = np.random.default_rng(seed).normal(size=(n, 6)).astype(np.float32)
    return Found(passages, vectors / np.linalg.norm(vectors, axis=1, keepdims=True) if n else vectors)


@settings(max_examples=50, deadline=None)
@given(found_passages(), st.integers(1, 400), st.sampled_from([count_words, len, count_with_breaks]))
def test_the_budget_is_never_exceeded_and_every_id_resolves(found, evidence_tokens, count_tokens):
    budget = ContextBudget(evidence_tokens + 60, evidence_tokens, 30, 30)
    rule = ShapingRule(budget=budget)
    lines = shape_evidence(found, rule=rule, count_tokens=count_tokens)
    summaries = [Summary("Ep", "Heaps need air. " * 3)] * 4
    context = assemble("Why does it smell? " * 20, lines, summaries, budget=budget, count_tokens=count_tokens)
    assert count_tokens(rendered(lines)) == context.tokens.evidence <= evidence_tokens
    assert context.tokens.question <= 30 and context.tokens.summaries <= 30
    assert context.tokens.total <= budget.total_tokens
    assert [line.citation.id for line in lines] == [f"E{i}" for i in range(1, len(lines) + 1)]
    known = {p.chunk_id: p for p in found.passages}
    for line in lines:
        assert line.citation.source_id == known[line.citation.chunk_ids[0]].source_id
        assert "\n" not in line.rendered and line.rendered.count("[E") == 1
    assert shape_evidence(found, rule=rule, count_tokens=count_tokens) == lines


@settings(max_examples=40, deadline=None)
@given(found_passages(), st.integers(20, 200))
def test_a_source_is_over_its_quota_only_where_no_other_fits(found, budget):
    if not found.passages:
        return
    costs = [count_words(p.text) for p in found.passages]
    sources = [p.source_id for p in found.passages]
    scores = [1.0 / (i + 1) for i in range(len(costs))]
    chosen = select(pool(scores, found.vectors, costs, sources), budget, quotas=Quotas(0.5, 1.0))
    assert sum(costs[i] for i in chosen) <= budget
    spent, used = dict.fromkeys(sources, 0), 0
    for step, i in enumerate(chosen):
        if spent[sources[i]] + costs[i] > 0.5 * budget:
            left = [j for j in range(len(costs)) if j not in chosen[:step] and costs[j] <= budget - used]
            assert all(spent[sources[j]] + costs[j] > 0.5 * budget for j in left)
        spent[sources[i]] += costs[i]
        used += costs[i]


def test_sources_stand_by_their_best_passage_and_inside_one_by_time():
    passages = [passage(9, index=9, score=1.0), passage(1, source=2, index=1), passage(3, index=3)]
    lines = shape_evidence(Found(passages, apart(3)), rule=ShapingRule(), count_tokens=count_words)
    assert [line.citation.chunk_ids for line in lines] == [(3,), (9,), (1,)]


def test_a_text_is_cut_after_a_sentence_else_after_a_word():
    assert fit_text("One two. Three four.", 4, count_words) == "One two. Three four."
    assert fit_text("One two. Three four.", 3, count_words) == "One two."
    assert fit_text("One two three.", 2, count_words) == "One two"
    assert fit_text("Onetwothree", 2, len) == ""


def test_a_budget_whose_parts_exceed_the_whole_is_refused():
    with pytest.raises(ConfigInvalid, match="more than the 20000"):
        ContextBudget(evidence_tokens=19_000)
    with pytest.raises(ConfigInvalid, match="needs room"):
        ContextBudget(evidence_tokens=0)
