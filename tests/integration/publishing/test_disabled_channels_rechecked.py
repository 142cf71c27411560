"""What was heard on a channel that is disabled is looked up and purged like the rest, or purged because nobody can."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from resources.compliance import count_to_recheck, recheck_posts
from resources.platforms.failures import AuthExpired, PlatformFailure, Unreachable
from resources.platforms.port import Standing
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)


class Platform:
    """Says that every post is gone, or why it says nothing."""

    def __init__(self, failure: PlatformFailure | None = None) -> None:
        self.failure, self.asked = failure, 0

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        self.asked += 1
        if self.failure:
            raise self.failure
        return dict.fromkeys(ids, Standing(None))


class Edited(Platform):
    """Says that every post stands, in other words."""

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        self.asked += 1
        now = datetime(2026, 11, 1, tzinfo=UTC)
        return {one: Standing(Post("x", one, "said otherwise", now)) for one in ids}


@pytest.fixture
def resting(desk: Any) -> Any:
    """A desk with one post on a disabled channel of the real X, and one on a disabled rehearsal."""
    real = desk.channel("real", is_sandbox=False, base_url=None, policy=default_policy("x/enterprise"))
    desk.approved(real)
    desk.approved(desk.channel("rehearsal"))
    desk.rows("update channel set is_enabled = false")
    return desk


def look(desk: Any, platform: Platform, *, later: timedelta) -> Any:
    return recheck_posts(
        desk.db,
        open_client=lambda channel, credential: platform,
        tuning=desk.tuning,
        stop=StopSignal(),
        now=lambda: datetime.now(UTC) + later,
    )


def texts(desk: Any) -> dict[str, str]:
    rows = desk.rows("select c.name, p.text from post p join channel c on c.id = p.channel_id")
    return {row["name"]: row["text"] for row in rows}


def due(desk: Any, later: timedelta) -> int:
    return count_to_recheck(desk.db, lambda: datetime.now(UTC) + later)


def test_a_deletion_is_honoured_after_the_channel_was_disabled(resting: Any) -> None:
    assert due(resting, 13 * HOUR) == 1
    look(resting, Platform(), later=13 * HOUR)
    first = resting.rows("select state, reason_code from publication order by id limit 1")
    assert first == [{"state": "abandoned", "reason_code": "withdrawn"}] and texts(resting)["real"]
    assert look(resting, Platform(), later=13.5 * HOUR).channels["real"] == {"purged": 1}
    assert texts(resting)["real"] == "" and texts(resting)["rehearsal"]


def test_without_a_credential_the_retention_time_purges(resting: Any) -> None:
    resting.rows("delete from channel_read_credential")
    platform = Platform()
    assert due(resting, 23 * HOUR) == 0
    assert look(resting, platform, later=23 * HOUR).errors == {} and texts(resting)["real"]
    assert due(resting, 25 * HOUR) == 1
    report = look(resting, platform, later=25 * HOUR)
    assert report.errors == {} and report.channels == {"real": {"purged": 1}}
    assert texts(resting) == {"real": "", "rehearsal": texts(resting)["rehearsal"]} and platform.asked == 0
    assert texts(resting)["rehearsal"] and due(resting, 25 * HOUR) == 0


def test_a_credential_that_is_taken_no_more_is_none(resting: Any) -> None:
    platform = Platform(AuthExpired("the token was revoked"))
    for hours in (13, 20, 23.5):
        assert look(resting, platform, later=hours * HOUR).errors
        assert texts(resting)["real"]
    look(resting, platform, later=24.5 * HOUR)
    assert texts(resting)["real"] == "" and platform.asked == 4


def test_while_the_platform_is_away_nothing_is_purged_and_the_check_says_so(resting: Any) -> None:
    resting.rows("update post set checked_at = now() - interval '25 hours'")
    platform = Platform(Unreachable("no answer"))
    look(resting, platform, later=0 * HOUR)
    assert texts(resting)["real"]
    with resting.db.transaction() as tx:
        (late,) = tx.rows("check_post_standings")
    assert late["key"] == "x:1001" and "not looked up" in late["problem"]
    look(resting, platform, later=0.1 * HOUR)
    assert platform.asked == 1
    look(resting, platform, later=0.2 * HOUR)
    assert platform.asked == 2


def test_an_enabled_channel_without_an_answer_keeps_its_posts(resting: Any) -> None:
    resting.rows("update channel set is_enabled = true where name = 'real'")
    look(resting, Platform(AuthExpired("the token was revoked")), later=25 * HOUR)
    assert texts(resting)["real"]
    look(resting, Edited(), later=25.5 * HOUR)
    assert texts(resting)["real"] == "said otherwise"
