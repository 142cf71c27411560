"""Strategies: which are safe, and choices that can be evaluated later."""

from collections import Counter
from datetime import UTC, datetime
from random import Random

import pytest

from rejoinder.drafting.frames import frames, shared_topic
from rejoinder.drafting.strategies import STRATEGY_NAMES, ChoiceContext, UniformChooser, safe_strategies
from rejoinder.ids import ChunkId, SourceId
from rejoinder.listening.post import Post
from rejoinder.prompts.loader import load_prompt
from rejoinder.research.evidence import Evidence


def post(text):
    return Post("x", "1", text, datetime(2026, 1, 1, tzinfo=UTC))


def evidence(verdict="related", support=0.5, start_s=5.0):
    return Evidence(ChunkId(1), SourceId(1), "T", None, "Quote here.", start_s, None, support, verdict, "")


@pytest.mark.parametrize(
    ("text", "found", "safe"),
    [
        ("Python is slow these days.", [evidence()], {"quote_first", "add_context", "offer_listen"}),
        ("Python is slow these days.", [evidence(start_s=None)], {"quote_first", "add_context"}),
        (
            "Is Python slow these days?",
            [evidence(support=0.7)],
            {"quote_first", "add_context", "answer_then_source", "offer_listen"},
        ),
        (
            "Is Python slow these days?",
            [evidence(support=0.5)],
            {"quote_first", "add_context", "offer_listen"},
        ),
        (
            "Python is slow these days.",
            [evidence("supports")],
            {"quote_first", "add_context", "back_up", "offer_listen"},
        ),
        ("Python is slow these days.", [evidence("disputes")], {"correct_gently"}),
        ("Python is slow these days.", [], set()),
    ],
)
def test_safe_strategies(text, found, safe):
    assert set(safe_strategies(post(text), found)) == safe


def test_uniform_choices_are_even_and_carry_their_propensity():
    candidates, rng = ("a", "b", "c", "d"), Random(7)
    choices = [UniformChooser().choose(ChoiceContext(), candidates, rng) for _ in range(4000)]
    counts = Counter(choice.action for choice in choices)
    assert all(900 < counts[name] < 1100 for name in candidates)
    assert {choice.propensity for choice in choices} == {0.25}
    assert {choice.candidate_set for choice in choices} == {candidates}


def test_the_same_seed_chooses_the_same():
    picks = [UniformChooser().choose(ChoiceContext(), STRATEGY_NAMES, Random(3)) for _ in range(2)]
    assert picks[0] == picks[1]


def test_nothing_to_choose_from_is_an_error():
    with pytest.raises(ValueError, match="no strategy"):
        UniformChooser().choose(ChoiceContext(), (), Random(1))


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize("strategy", STRATEGY_NAMES)
def test_each_strategy_has_frames_with_and_without_a_topic(strategy, platform):
    found = frames(load_prompt("reply_extractive", 1), strategy, platform)
    assert any("{{topic}}" not in frame for frame in found)


@pytest.mark.parametrize(
    ("text", "quote", "topic"),
    [
        ("is github actions slow", "We moved to GitHub Actions in May.", "GitHub Actions"),
        ("time is short", "Time is short, we use Rust.", None),
        ("I like rust", "We use Rust.", "Rust"),
        ("trust me", "We use Rust.", None),
    ],
)
def test_shared_topics(text, quote, topic):
    assert shared_topic(text, quote) == topic
