"""Whatever learns from posts reads them through the views that the channels' policies guard."""

import re
from pathlib import Path

import pytest

from resources.mart_facts import FACTS
from resources.queries import load_statements

ROOT = Path(__file__).resolve().parents[2]
# Modules that make training sets, profiles, and what leaves the database for notebooks and MLflow.
LEARNERS = (
    "resources/training.py",
    "resources/store/training_examples.py",
    "resources/tracked_relevance_model.py",
    "resources/prompt_registry.py",
    "resources/mlflow_rows.py",
)
CALLS = re.compile(r"tx\.(?:rows|row|value|execute)\(\s*\"(\w+)\"")
CONTENT = re.compile(
    r"\b(?:from|join|using)\s+(?:post|post_embedding|post_context|claim|draft|review|review_part|publication_part"
    r"|stage_decision|stage_result|evidence)\b"
)
DOOR = re.compile(r"\b(?:trainable_post|profilable_post)\b")
WORDS_AND_PEOPLE = {"text", "author", "url", "quote", "note", "platform_post_id", "conversation_id", "title"}


def called(path: str) -> set[str]:
    return set(CALLS.findall((ROOT / path).read_text("utf-8")))


def test_the_learners_are_looked_at():
    assert {"training_posts", "training_reviews"} <= set().union(*map(called, LEARNERS))


@pytest.mark.parametrize("path", LEARNERS)
def test_a_learner_reads_content_through_a_view(path):
    for name in called(path):
        text = load_statements()[name].text
        assert not CONTENT.search(text) or DOOR.search(text), f"{path}: {name} reads content past the policy"


def test_every_statement_of_training_goes_through_the_view():
    text = (ROOT / "resources/sql/queries/training.sql").read_text("utf-8")
    for statement in text.split("-- name: ")[1:]:
        assert not CONTENT.search(statement) or DOOR.search(statement), statement.splitlines()[0]


def test_the_marts_hold_counts_and_nobodys_words_or_names():
    columns = {column for fact in FACTS.values() for column in fact}
    assert not columns & WORDS_AND_PEOPLE
    assert "day" in columns
