"""Deletions and edits over HTTP, on both platforms: from the sandbox through the adapter to the rows."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.clients import open_client
from resources.compliance import recheck_posts
from resources.listening import hear_all
from resources.work.stopping import StopSignal

HOUR = timedelta(hours=1)


def record(platform: str, number: int) -> dict[str, Any]:
    return {
        "platform": platform,
        "platform_post_id": str(1001 + number) if platform == "x" else f"t3_{1001 + number}",
        "community": None if platform == "x" else "heating",
        "author": f"author{number}",
        "text": f"@rejoinder is it so, no {number}?",
        "created_at": "2026-11-01T00:00:00Z",
        "mentions": ["rejoinder"],
    }


def look(desk: Any, later: timedelta) -> dict[str, int]:
    report = recheck_posts(
        desk.db,
        open_client=open_client,
        tuning=desk.tuning,
        stop=StopSignal(),
        now=lambda: datetime.now(UTC) + later,
    )
    assert not report.errors
    counts: dict[str, int] = report.channels["rehearsal"]
    return counts


@pytest.fixture(params=["x", "reddit"])
def heard(request: pytest.FixtureRequest, desk: Any, sandbox: Any) -> Any:
    """A sandbox whose four posts were heard; its server, and the ids by number."""
    platform = request.param
    server = sandbox([record(platform, number) for number in range(4)])
    credential = server.get("/sandbox/credentials")[platform]
    desk.channel(platform=platform, base_url=server.url, credential=credential, communities=("heating",))
    report = hear_all(desk.db, open_client=open_client, tuning=desk.tuning, stop=StopSignal())
    assert report.new == 4 and not report.errors
    return server, [record(platform, number)["platform_post_id"] for number in range(4)]


def texts(desk: Any) -> dict[str, tuple[str, str]]:
    rows = desk.rows("select platform_post_id as id, text, stage || '/' || status as place from post")
    return {row["id"]: (row["text"], row["place"]) for row in rows}


def test_what_changed_there_changes_here(desk: Any, heard: Any) -> None:
    server, ids = heard
    stands, edited, deleted, hidden = ids
    before = texts(desk)
    server.post(f"/sandbox/posts/{edited}", {"text": "said otherwise"})
    server.post(f"/sandbox/posts/{deleted}", {"deleted": True})
    server.post(f"/sandbox/posts/{hidden}", {"deleted": True})
    assert look(desk, 13 * HOUR) == {"stands": 1, "edited": 1, "gone": 2}
    now = texts(desk)
    assert now[stands] == before[stands] and now[edited] == ("said otherwise", "triage/pending")
    assert now[deleted][1] == now[hidden][1] == "triage/withdrawn"
    server.post(f"/sandbox/posts/{hidden}", {"deleted": False})
    assert look(desk, 14 * HOUR) == {"restored": 1, "purged": 1}
    now = texts(desk)
    assert now[deleted] == ("", "triage/withdrawn") and now[hidden] == (before[hidden][0], "triage/pending")
    hear_all(desk.db, open_client=open_client, tuning=desk.tuning, stop=StopSignal())
    assert len(texts(desk)) == 4 and texts(desk)[deleted][0] == ""


@pytest.mark.parametrize("heard", ["x"], indirect=True)
def test_on_x_a_newer_version_takes_the_place_of_the_older(desk: Any, heard: Any) -> None:
    server, (post_id, *_) = heard
    newer = server.post(f"/sandbox/posts/{post_id}", {"text": "@rejoinder said better", "new_id": True})["id"]
    assert look(desk, 13 * HOUR)["replaced"] == 1
    now = texts(desk)
    assert now[post_id][1] == "triage/withdrawn"
    assert now[newer] == ("@rejoinder said better", "triage/pending")
