"""A post that its platform leaves out of an answer: withdrawn at once, purged only when its term is over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rejoinder.listening.post import Post
from resources.compliance import recheck_posts
from resources.platforms.port import Standing
from resources.work.stopping import StopSignal


@dataclass
class Reticent:
    """Leaves out of its answers what it does not show, as Reddit does."""

    shown: dict[str, str] = field(default_factory=dict)

    def look_up(self, ids: Sequence[str]) -> dict[str, Standing]:
        return {
            one: Standing(Post("x", one, self.shown[one], datetime(2026, 11, 1, tzinfo=UTC)))
            if one in self.shown
            else Standing(None, "left out", is_said=False)
            for one in ids
        }


def look(desk: Any, platform: Reticent, hours: float) -> dict[str, int]:
    report = recheck_posts(
        desk.db,
        open_client=lambda channel, credential: platform,
        tuning=desk.tuning,
        stop=StopSignal(),
        now=lambda: datetime.now(UTC) + timedelta(hours=hours),
    )
    return report.channels["rehearsal"]


def test_what_is_left_out_again_is_not_purged_and_comes_back(desk: Any) -> None:
    publication = desk.approved(desk.channel())
    text = desk.rows("select text from post")[0]["text"]
    assert look(desk, Reticent(), 13) == {"gone": 1}
    assert desk.publication(publication)["state"] == "cancelled"
    assert look(desk, Reticent(), 14) == look(desk, Reticent(), 18) == {"hidden": 1}
    assert look(desk, Reticent({"1001": text}), 18.5) == {"restored": 1}
    assert desk.rows("select text, stage, gone_at from post") == [
        {"text": text, "stage": "triage", "gone_at": None}
    ]


def test_what_is_left_out_until_the_term_is_over_is_purged(desk: Any) -> None:
    desk.approved(desk.channel())
    assert [look(desk, Reticent(), hours) for hours in (13, 18.9)] == [{"gone": 1}, {"hidden": 1}]
    assert look(desk, Reticent(), 19.1) == {"hidden": 1, "purged": 1}
    assert desk.rows("select text from post") == [{"text": ""}]
