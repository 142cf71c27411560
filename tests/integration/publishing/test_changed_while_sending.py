"""Posts that are deleted or edited while a reply to them is on its way: it does not go out a second time unseen."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.listening.post import Post
from resources.compliance import recheck_posts
from resources.platforms.failures import OutcomeUnknown, RateLimited, SpendStopped, Unreachable
from resources.platforms.port import Standing
from resources.publishing.claim import Idle, claim
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)


@dataclass
class Readings:
    """How posts read now, by id (None: gone); an id that is left out is not said. Counts how often it was asked."""

    texts: dict[str, str | None] = field(default_factory=dict)
    failure: Exception | None = None
    asked: int = 0

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return {i: Standing(reading(i, self.texts[i])) for i in ids if i in self.texts}


def reading(post_id: str, text: str | None) -> Post | None:
    return None if text is None else Post("x", post_id, text, datetime(2026, 11, 1, tzinfo=UTC))


def recheck(desk: Any, readings: Readings, *, later: timedelta) -> Any:
    return recheck_posts(
        desk.db,
        open_client=lambda channel, credential: readings,
        tuning=desk.tuning,
        stop=StopSignal(),
        now=lambda: datetime.now(UTC) + later,
    )


def lets_look(desk: Any, readings: Readings) -> None:
    """The platform of the desk answers lookups from now on."""
    desk.platform.capabilities = frozenset({"look_up"})
    desk.platform.look_up = readings.look_up


def text_of(desk: Any, post_id: str) -> str:
    return str(desk.rows("select text from post where platform_post_id = %s", post_id)[0]["text"])


@pytest.mark.parametrize(("text_now", "reason"), [(None, "withdrawn"), ("said otherwise", "edited")])
def test_what_changed_while_a_reply_was_sent_is_not_answered_by_the_next_try(desk, text_now, reason):
    publication = desk.approved(desk.channel())
    changed = Readings({"1001": text_now})

    def limited() -> Exception:
        recheck(desk, changed, later=13 * HOUR)
        return RateLimited(None)

    desk.platform.script = [limited]
    desk.run(later=13 * HOUR)
    assert desk.publication(publication)["state"] == "queued", "the platform surely did not take it"
    lets_look(desk, changed)
    desk.run(later=13 * HOUR + timedelta(minutes=5))
    assert desk.publication(publication)["state"] == "cancelled" and not desk.platform.replies
    assert desk.publication(publication)["reason_code"] == reason


def test_a_gone_post_is_not_answered_where_a_person_sends_an_unknown_reply_again(desk):
    from resources.commands.publications import settle_unknown

    publication = desk.approved(desk.channel())
    desk.platform.script = [OutcomeUnknown("cut")]
    desk.platform.hides = True
    desk.run()
    assert desk.publication(publication)["state"] == "unknown"
    recheck(desk, Readings({"1001": None}), later=13 * HOUR)
    settle_unknown(desk.db, desk.approver, publication, "queued", confirm=True)
    desk.run(later=13 * HOUR)
    assert desk.platform.requests == 1 and desk.publication(publication)["state"] == "cancelled"


def test_a_platform_that_cannot_say_is_asked_again_after_a_while_and_not_at_once(desk):
    publication = desk.approved(desk.channel())
    away = Readings(failure=Unreachable("away"))
    lets_look(desk, away)
    assert desk.run(later=HOUR).deferred == 1
    desk.run(later=HOUR)
    assert away.asked == 1
    (waits,) = desk.outlook(later=HOUR)
    assert (waits.reason, waits.waiting, desk.publication(publication)["state"]) == (
        "parent_unseen",
        1,
        "queued",
    )
    lets_look(desk, Readings({"1001": text_of(desk, "1001")}))
    assert desk.run(later=HOUR + timedelta(minutes=2)).sent == 1


def test_a_spent_budget_or_a_limit_is_waited_out_as_it_says(desk):
    channel = desk.channel()
    [desk.approved(channel) for _ in range(2)]
    now = datetime.now(UTC)
    lets_look(desk, Readings(failure=RateLimited(desk.platform.now() + 3 * HOUR)))
    desk.run(later=HOUR)
    (limited,) = desk.outlook(later=HOUR)
    assert (limited.reason, limited.waiting) == ("rate_limited", 2) and limited.allowed_from > now + 2 * HOUR
    until = now + 9 * HOUR
    lets_look(desk, Readings(failure=SpendStopped(until, "today's budget is spent")))
    desk.run(later=5 * HOUR)
    (spent,) = desk.outlook(later=5 * HOUR)
    assert (spent.reason, spent.waiting, spent.allowed_from) == ("spend_cap", 2, until)


def test_a_post_of_which_nothing_is_said_keeps_no_other_reply_back(desk):
    channel = desk.channel()
    unsaid, other = desk.approved(channel), desk.approved(channel)
    lets_look(desk, Readings({"1002": text_of(desk, "1002")}))
    report = desk.run(later=HOUR)
    assert (report.sent, report.deferred) == (1, 1)
    assert [desk.publication(i)["state"] for i in (unsaid, other)] == ["queued", "sent"]


def test_a_reply_whose_post_was_not_looked_at_is_not_taken(desk):
    channel = desk.channel()
    desk.approved(channel)
    now = datetime.now(UTC) + HOUR
    named = {"worker": 1, "lease_s": 60, "seen_since": now - timedelta(minutes=15)}
    assert claim(desk.publisher, channel, clock=desk.clock_at(now), **named) == Idle("nothing_due")
