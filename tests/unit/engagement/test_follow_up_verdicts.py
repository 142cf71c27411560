"""Answers to our replies: a stop, a summons, a question, or a remark that is only kept."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.engagement.follow_ups import judge_follow_up
from rejoinder.listening.post import Post
from rejoinder.listening.stop_words import REQUESTS
from resources.platforms.reddit_answers import mentions_in

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def on_x(text: str, **more: str) -> Post:
    # X names whom an answer answers, also where the text does not.
    return Post("x", "2", text, NOW, author="b", parent_id="1", mentions=("rejoinder",), **more)  # type: ignore[arg-type]


def on_reddit(text: str) -> Post:
    return Post("reddit", "t1_2", text, NOW, author="b", parent_id="t1_1", mentions=mentions_in(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("@rejoinder Thanks, that helps.", "remark"),
        ("@rejoinder @other I still do not believe it", "remark"),
        ("@rejoinder No! https://x.example/a?b=1", "remark"),
        ("@rejoinder And below zero?", "question"),
        ("@rejoinder ¿Y en invierno?", "question"),
        ("@rejoinder 本当ですか？", "question"),
        ("@rejoinder هل هذا صحيح؟", "question"),
        ("@rejoinder Είναι αλήθεια;", "question"),
        ("@rejoinder good; then bad", "remark"),
        ('@rejoinder Who said "why?"', "question"),
        ("I do wonder what @Rejoinder says to that", "summons"),
        ("@other ask @rejoinder", "summons"),
        ("@rejoinderly knows", "remark"),
        ("@rejoinder stop", "stop"),
        ("@rejoinder please stop.", "stop"),
    ],
)
def test_an_answer_on_x(text: str, kind: str) -> None:
    assert judge_follow_up(on_x(text), "@Rejoinder").kind == kind


def test_whoever_quotes_us_under_our_reply_calls_us() -> None:
    assert judge_follow_up(on_x("See this.", quoted_author="rejoinder"), "rejoinder").kind == "summons"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("Thanks.", "remark"), ("Why is that?", "question"), ("u/rejoinder look", "summons"), ("Stop.", "stop")],
)
def test_an_answer_on_reddit(text: str, kind: str) -> None:
    assert judge_follow_up(on_reddit(text), "rejoinder").kind == kind


@pytest.mark.parametrize(
    ("lang", "words"), [(lang, words) for lang, all_words in REQUESTS.items() for words in all_words]
)
def test_every_request_to_be_left_alone_is_one_under_our_reply_too(lang: str, words: str) -> None:
    assert judge_follow_up(on_x(f"@rejoinder {words}"), "rejoinder").kind == "stop"
    assert judge_follow_up(on_reddit(f"{words}!"), "rejoinder").kind == "stop"


@given(st.text(max_size=200))
def test_every_text_has_a_verdict_with_a_reason(text: str) -> None:
    verdict = judge_follow_up(on_x(f"@rejoinder {text}"), "rejoinder")
    assert verdict.reason and verdict.is_worked_on == (verdict.kind in ("summons", "question"))
