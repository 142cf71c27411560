"""What can be quoted out of a conversation."""

import pytest

from rejoinder.research.sentence_quality import is_quotable, standalone_quality

PLAIN = "A web framework is a conceptual idea across many different programming languages."


@pytest.mark.parametrize(
    "sentence",
    [
        PLAIN,
        "I think free threading will take three more releases before most people notice the change.",
        "Red teaming generative models differs from red teaming classic software in several ways.",
    ],
)
def test_sentences_worth_quoting(sentence):
    assert is_quotable(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Short one here.",
        "Have you ever tried to explain a web framework to people in your family?",
        "Welcome back to the podcast where we explain web frameworks to people everywhere.",
        "Visit talkpython.fm and sign up for our courses about web frameworks and databases today.",
        "a web framework is a conceptual idea across many different programming languages.",
        "A web framework is a conceptual idea across many different programming",
        "Um, you know, a web framework is, I mean, kind of, you know, basically an idea, sort of.",
        "It is a good time to write frameworks now, a good time to write frameworks now, people say.",
        "A web framework is a conceptual idea. across many different programming languages.",
    ],
)
def test_sentences_to_leave(sentence):
    assert not is_quotable(sentence)


@pytest.mark.parametrize(
    "worse",
    [
        "And that is a conceptual idea across many different programming languages and teams.",
        "I was telling my guys here about my framework the other day and you know what I did.",
        "One, push your Python code to a public or private GitHub repository and wait for it.",
    ],
)
def test_a_sentence_that_leans_on_others_is_worth_less(worse):
    assert standalone_quality(worse) < 0.6 < standalone_quality(PLAIN)
