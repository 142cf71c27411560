"""What changes while the publisher is under way: switches, rules, clocks of other people, errors of one channel."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rejoinder.listening.policy import default_policy
from resources.commands.publications import settle_unknown
from resources.platforms.failures import OutcomeUnknown, RateLimited
from resources.publishing.pacing import LIMITED, hold_channel
from resources.publishing.resting import Rest
from resources.publishing.run import publish_due
from resources.work.stopping import StopSignal

MINUTE = timedelta(minutes=1)
THREAD = "It works below zero.\n---\nAt 12:04 they measure it."
ONE_EACH = replace(
    default_policy("sandbox/x/enterprise"), replies_per_author_window=1, author_window_s=7 * 86_400
)


@pytest.fixture
def begun(desk):
    """A thread of which the first part stands; its author is author1."""
    reply = desk.approved(desk.channel(policy=ONE_EACH), text=THREAD)
    desk.platform.script = [None, RateLimited(None)]
    desk.run()
    assert desk.publication(reply)["parts"] == "sent,queued"
    return reply


def of_the_same_author(desk):
    other = desk.approved(desk.channel("other", account="other", policy=ONE_EACH))
    return other, lambda: desk.rows(
        "update post set author = 'author1' where id = (select post_id from publication where id = %s)", other
    )


def test_a_thread_of_which_a_part_stands_counts_as_a_reply_to_its_author(desk, begun):
    other, rename = of_the_same_author(desk)
    rename()
    desk.run()
    assert (desk.publication(other)["state"], desk.publication(other)["reason_code"]) == (
        "queued",
        "author_window",
    )


def test_no_cap_on_replies_holds_back_what_is_left_of_a_thread(desk, begun):
    other, rename = of_the_same_author(desk)
    assert desk.run().sent == 1 and desk.publication(other)["state"] == "sent"
    rename()
    assert desk.run(later=120 * MINUTE).sent == 1
    assert desk.publication(begun)["parts"] == "sent,sent"


def test_a_read_back_says_nothing_of_an_attempt_that_came_after_it(desk):
    reply = desk.approved(desk.channel(), text=THREAD)
    desk.platform.script, search = [OutcomeUnknown("503")], desk.platform.read_back

    def person_is_faster(parent_id, text, since):
        desk.platform.read_back = search
        settle_unknown(desk.db, desk.approver, reply, "sent", "7777")
        desk.platform.script = [OutcomeUnknown("503")]
        desk.run(later=2 * MINUTE)
        return search(parent_id, text, since)

    desk.run()
    desk.platform.read_back = person_is_faster
    assert not desk.run(later=2 * MINUTE).errors
    assert (desk.publication(reply)["state"], desk.publication(reply)["parts"]) == ("unknown", "sent,unknown")


def test_a_channel_that_is_switched_off_sends_no_further_reply(desk):
    channel = desk.channel()
    replies = [desk.approved(channel) for _ in range(2)]
    desk.platform.script = [lambda: desk.rows("update channel set is_enabled = false") or None]
    desk.run()
    assert [desk.publication(reply)["state"] for reply in replies] == ["sent", "queued"]


def test_a_hold_is_not_shortened_by_who_was_told_less(desk):
    channel, now = desk.channel(), datetime.now(UTC)
    with desk.publisher.transaction() as tx:
        for minutes in (15, 1):
            hold_channel(tx, channel, now + minutes * MINUTE, now, LIMITED)
    held = desk.rows("select reset_at from rate_window where name = 'hold:rate_limited'")
    assert [row["reset_at"] for row in held] == [now + 15 * MINUTE]


class Broken:
    @property
    def capabilities(self):
        raise RuntimeError("of one channel")


def run(desk, **arguments):
    return publish_due(
        desk.publisher,
        open_client=lambda channel, _: Broken() if channel.name == "broken" else desk.platform,
        tuning=desk.tuning,
        stop=StopSignal(),
        **arguments,
    )


@pytest.mark.parametrize("account", ["rejoinder", "other"])
def test_an_unforeseen_error_ends_the_turns_of_its_channel_only(desk, account):
    desk.approved(desk.channel("broken"))
    reply = desk.approved(desk.channel("well", account=account))
    assert run(desk).errors == {"channel broken: unforeseen: RuntimeError": 1}
    assert desk.publication(reply)["state"] == "sent"


def test_a_short_pass_leaves_the_rest_to_the_next(desk):
    desk.approved(desk.channel())
    assert run(desk, longest_s=0.0).sent == 0
    assert run(desk).sent == 1


def test_after_a_pass_that_came_to_nothing_something_new_is_not_kept_waiting():
    rest = Rest(poll_s=60.0)
    assert rest.is_over(1) and not rest.is_over(0)
    rest.note(1, has_done=False)
    assert (rest.is_over(1), rest.is_over(2)) == (False, True)
    rest.note(2, has_done=True)
    assert rest.is_over(1)
