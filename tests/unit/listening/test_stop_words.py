"""Requests to be left alone: what counts, in which languages, and what does not."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.listening.post import Post
from rejoinder.listening.stop_words import REQUESTS, asks_to_stop, is_addressed, plain_words

POST = Post("x", "1", "stop", datetime(2026, 1, 1, tzinfo=UTC), author="ada")


@pytest.mark.parametrize(
    ("language", "request_"), [(lang, text) for lang, texts in REQUESTS.items() for text in texts]
)
def test_every_request_counts_as_people_write_it(language, request_):
    for text in (
        request_,
        request_.upper(),
        f"@rejoinder {request_}!!",
        f"  {request_} … 🛑",
        f"u/us {request_}.",
    ):
        assert asks_to_stop(text), (language, text)


@pytest.mark.parametrize(
    "text",
    [
        "@rejoinder @else STOP!",
        "Please stop.",
        "stop, please. Thank you!",
        "Don’t reply to me, please",
        "Ｓｔｏｐ",
        "Arrête, s'il te plaît",
        "Bitte hör auf",
        "Não me responda mais!",
        "返信しないでください",
        "Пожалуйста, не отвечайте мне",
        "stop https://example.org/why",
    ],
)
def test_politeness_handles_addresses_and_accents_do_not_hide_it(text):
    assert asks_to_stop(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "please",
        "@stop",
        "Stop telling people that heat pumps work",
        "You can't stop progress",
        "The bus stop is closed",
        "stop " + "x" * 400,
        "Where do I opt out of the newsletter?",
    ],
)
def test_a_text_that_says_more_or_nothing_does_not_count(text):
    assert asks_to_stop(text) is None


@given(st.text(max_size=400))
def test_any_text_can_be_asked_about(text):
    found = asks_to_stop(text)
    assert found is None or found in plain_words(text)


def test_it_is_addressed_by_a_mention_a_name_or_an_answer_to_our_reply():
    assert is_addressed(replace(POST, mentions=("us",)), "@Us", ())
    assert is_addressed(replace(POST, platform="reddit", text="u/Us stop"), "us", ())
    assert is_addressed(replace(POST, parent_id="77"), "us", {"77"})
    assert not is_addressed(replace(POST, parent_id="78"), "us", {"77"})
    assert not is_addressed(replace(POST, text="u/us-too stop"), "us", ())
