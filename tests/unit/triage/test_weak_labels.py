"""Who says that a post is relevant: the rule, and people over the rule."""

import pytest

from rejoinder.errors import ConfigInvalid
from rejoinder.triage.weak_labels import LabelRule, review_label, settle_label, weak_label

RULE = LabelRule()


@pytest.mark.parametrize(
    ("similarity", "hits", "relevant"),
    [(0.6, 1, True), (0.6, 0, None), (0.35, 3, None), (0.35, 0, None), (0.1, 0, False), (0.1, 1, None)],
)
def test_the_rule_abstains_between_its_ends(similarity, hits, relevant):
    label = weak_label(similarity, hits, rule=RULE)
    assert (label.is_relevant if label else None) is relevant


def test_only_decisions_about_the_post_label_it():
    assert review_label("approved", "", rule=RULE).is_relevant
    assert not review_label("rejected", "off_topic", rule=RULE).is_relevant
    assert review_label("rejected", "bad_tone", rule=RULE) is None


def test_people_outweigh_the_rule_and_the_latest_counts():
    weak = weak_label(0.6, 2, rule=RULE)
    yes, no = review_label("approved", "", rule=RULE), review_label("rejected", "off_topic", rule=RULE)
    assert settle_label(weak, [yes, no]) == no
    assert no.weight > weak.weight
    assert settle_label(weak, []) == weak
    assert settle_label(None, []) is None


@pytest.mark.parametrize("wrong", [{"near": 0.2, "far": 0.3}, {"min_keywords": 0}])
def test_a_rule_that_could_say_both_is_refused(wrong):
    with pytest.raises(ConfigInvalid):
        LabelRule(**wrong)
