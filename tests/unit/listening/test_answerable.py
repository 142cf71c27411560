"""Who may be answered: each rule alone, and which comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rejoinder.listening.answerable import Answerable, History, Unanswerable, may_answer
from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.listening.quiet_hours import read_quiet_hours

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = replace(default_policy("x/enterprise"), operator="Ada Lovelace")
POST = Post("x", "1", "heat pumps?", NOW, author="sceptic", conversation_id="c")


def ask(history=None, *, policy=POLICY, post=POST, account="@Us"):
    return may_answer(post, policy, account, history or History(), NOW)


def test_a_stranger_without_history_is_answered():
    assert ask() == Answerable("api")


@pytest.mark.parametrize(
    ("history", "rule"),
    [
        (History(is_opted_out=True), "opted_out"),
        (History(is_answered=True), "one_per_post"),
        (History(in_conversation=2), "conversation_cap"),
    ],
)
def test_what_is_refused_for_good(history, rule):
    found = ask(history)
    assert isinstance(found, Unanswerable) and (found.rule, found.until) == (rule, None)


def test_our_own_post_is_not_answered():
    assert ask(post=replace(POST, author="us")).rule == "own_post"
    assert ask(post=replace(POST, platform="reddit", author="US"), account="u/us").rule == "own_post"


def test_one_author_hears_from_us_once_a_day():
    found = ask(History(replied_at=(NOW - timedelta(hours=20),)))
    assert found.rule == "author_window" and found.until == NOW + timedelta(hours=4)
    assert "2026-07-01 16:00 UTC" in found.reason and "24 hours" in found.reason
    assert ask(History(replied_at=(NOW - DAY,))) == Answerable("api"), "the window is over to the second"


def test_a_reply_that_is_only_on_its_way_counts_from_when_it_may_leave():
    found = ask(History(replied_at=(NOW + timedelta(hours=2),)))
    assert found.until == NOW + DAY + timedelta(hours=2)


def test_several_replies_within_the_window():
    policy = replace(POLICY, replies_per_author_window=2)
    replies = tuple(NOW - timedelta(hours=h) for h in (1, 5))
    assert ask(History(replied_at=replies[:1]), policy=policy) == Answerable("api")
    assert ask(History(replied_at=replies), policy=policy).until == NOW + timedelta(hours=19)


def test_no_window_and_no_cap_stop_nothing():
    policy = replace(POLICY, author_window_s=0, replies_per_conversation=None)
    assert ask(History(replied_at=(NOW,), in_conversation=99), policy=policy) == Answerable("api")


def test_an_unknown_author_has_no_window():
    assert ask(History(replied_at=(NOW,)), post=replace(POST, author=None)) == Answerable("api")


def test_an_opt_out_comes_before_everything_that_passes():
    both = History(is_opted_out=True, replied_at=(NOW,))
    assert ask(both).rule == "opted_out"


def test_x_without_an_operator_is_posted_by_hand_and_says_how_to_name_one():
    found = ask(policy=default_policy("x/enterprise"))
    assert found.way == "handoff" and "rejoinder policy set CHANNEL operator=NAME" in found.why_by_hand


def test_who_did_not_call_is_answered_by_hand_where_a_call_is_needed():
    policy = replace(default_policy("x/self_serve"), operator="Ada")
    assert ask(policy=policy).way == "handoff"
    assert ask(policy=policy, post=replace(POST, mentions=("us",))).way == "api"
    assert ask(policy=replace(POLICY, reply_mode="handoff")).way == "handoff"


def test_quiet_hours_say_when_they_are_over():
    policy = replace(POLICY, quiet_hours=read_quiet_hours("13:00-15:00 Europe/Berlin"))
    assert ask(policy=policy) == Answerable("api", not_before=NOW + timedelta(hours=1))
