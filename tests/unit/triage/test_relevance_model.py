"""Training, using and storing the relevance classifier."""

import json
from dataclasses import replace

import numpy as np
import pytest

from rejoinder.errors import InputUnreadable
from rejoinder.triage.classifier import Example, data_hash, dump, is_held_out, load, predict
from rejoinder.triage.features import (
    PLAIN_FEATURES,
    RULE_FEATURES,
    feature_matrix,
    keyword_hits,
    plain_features,
)
from rejoinder.triage.model import ENOUGH_REVIEWS, train
from rejoinder.triage.weak_labels import Label

WIDTH = len(PLAIN_FEATURES) + 8


def examples(n=200, source="weak", seed=1):
    rng = np.random.default_rng(seed)
    made = []
    for i in range(n):
        relevant = bool(i % 2)
        x = rng.normal(size=WIDTH).astype(np.float32)
        x[-1] += 2.0 if relevant else -2.0
        made.append(Example(f"{source}{i}", x, Label(relevant, source, 1.0, "")))
    return made


def test_training_learns_and_scores_only_held_out_posts():
    data = examples()
    classifier = train(data, seed=0)
    held_out = [e for e in data if is_held_out(e.post_key)]
    assert classifier.metrics.n_held_out == len(held_out)
    assert classifier.metrics.n_train == len(data) - len(held_out)
    assert classifier.metrics.roc_auc > 0.9
    assert classifier.metrics.labels_from == "weak"


def test_a_score_on_noise_is_near_one_half():
    rng = np.random.default_rng(5)
    noise = [replace(e, x=rng.normal(size=WIDTH).astype(np.float32)) for e in examples(600)]
    assert 0.3 < train(noise, seed=0).metrics.roc_auc < 0.7


def test_the_rules_own_features_are_withheld_until_reviewers_have_spoken():
    assert min(train(examples(), seed=0).columns) == len(RULE_FEATURES)
    reviewed = train(examples(8 * ENOUGH_REVIEWS, source="review") + examples(), seed=0)
    assert min(reviewed.columns) == 0


def test_reviews_judge_once_there_are_enough_of_them():
    many = train(examples(12 * ENOUGH_REVIEWS, source="review") + examples(), seed=0)
    assert many.metrics.labels_from == "review"
    few = train(examples(10, source="review") + examples(), seed=0)
    assert few.metrics.labels_from == "weak"


def test_same_data_and_seed_give_the_same_classifier_in_any_order():
    data = examples()
    assert train(data, seed=0) == train(data[::-1], seed=0)
    assert data_hash(data) == data_hash(data[::-1])
    assert data_hash(data) != data_hash(data[1:])


def test_one_class_cannot_be_trained_on():
    with pytest.raises(InputUnreadable, match="one kind"):
        train([e for e in examples() if e.label.is_relevant], seed=0)


def test_a_stored_classifier_predicts_the_same():
    classifier = train(examples(), seed=0)
    again = load(dump(classifier))
    x = np.stack([e.x for e in examples(20, seed=9)])
    assert again == classifier
    assert np.array_equal(predict(again, x), predict(classifier, x))
    assert ((predict(classifier, x) > 0) & (predict(classifier, x) < 1)).all()


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":"x"}', b"\x80\x04K\x01.", b"null"])
def test_what_is_no_classifier_is_refused(data):
    with pytest.raises(InputUnreadable):
        load(data)


def test_a_classifier_with_columns_that_do_not_exist_is_refused():
    fields = json.loads(dump(train(examples(), seed=0)))
    with pytest.raises(InputUnreadable):
        load(json.dumps({**fields, "columns": [10_000] * len(fields["weights"])}).encode())


def test_another_number_of_features_is_refused():
    with pytest.raises(ValueError, match="features"):
        predict(train(examples(), seed=0), np.zeros((2, 3), np.float32))


def test_features_have_their_order_and_range():
    row = plain_features("How do you run 3 tests? https://x.com", similarities=[0.2, 0.6, 0.4], hits=3)
    named = dict(zip(PLAIN_FEATURES, row.tolist(), strict=True))
    assert named["top1_similarity"] == pytest.approx(0.6)
    assert named["top3_similarity"] == pytest.approx(0.4)
    assert named["keyword_overlap"] == 0.5
    assert named["has_question_mark"] == named["opens_with_question_word"] == named["has_link"] == 1
    assert named["second_person"] > 0 == named["first_person"]
    assert (np.abs(plain_features("", similarities=[], hits=0)) <= 1).all()


def test_keywords_count_by_their_terms():
    text = "Running durable workflows in Python"
    assert keyword_hits(text, ["workflow", "durable execution", "python workflows", "the"]) == 2


def test_rows_and_vectors_must_match():
    plain = [plain_features("a", similarities=[], hits=0)]
    assert feature_matrix(plain, np.ones((1, 4), np.float32)).shape == (1, len(PLAIN_FEATURES) + 4)
    with pytest.raises(ValueError, match="rows"):
        feature_matrix(plain, np.ones((2, 4), np.float32))
