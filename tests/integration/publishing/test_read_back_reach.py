"""How far a reply in doubt is looked for: to the end where the account has said a lot, whatever the clock did since."""

from datetime import UTC, datetime, timedelta

import pytest

from resources.clients import open_client
from resources.publishing.reconcile import reconcile_next
from resources.publishing.report import PublishReport
from resources.publishing.run import publish_due
from resources.store.channels import channels_of, write_credential
from resources.work.stopping import StopSignal

MORE_THAN_IS_LISTED = 1050  # our clients read 800 posts of X and 1,000 comments of Reddit
MORE_THAN_A_PAGE = 150
LATER = timedelta(minutes=20)


def publish(desk, reply):
    """One pass in which nothing else is due."""
    desk.rows("update publication set due_at = now() + interval '1 day' where state = 'queued'")
    desk.rows("update publication set due_at = now() where id = %s", reply)
    return publish_due(desk.publisher, open_client=open_client, tuning=desk.tuning, stop=StopSignal())


def read_back(desk):
    """What is found once the window is over."""
    with desk.publisher.transaction() as tx:
        [channel] = channels_of(tx, "rehearsal")
        credential = write_credential(tx, channel.id)
    report = PublishReport()
    client = open_client(channel, credential)
    assert reconcile_next(desk.publisher, channel, client, now=datetime.now(UTC) + LATER, report=report)
    return report


def say(server, platform, parent_id, count):
    """The account says so much more, now."""
    order = {"platform": platform, "count": count, "author": "rejoinder", "parent_id": parent_id}
    where = {"community": "heating"} if platform == "reddit" else {}
    server.post("/sandbox/posts", {"generate": {**order, **where}})


@pytest.mark.parametrize("platform", ["x", "reddit"])
@pytest.mark.parametrize("fault", ["503", "commit_then_503"])
def test_a_reply_in_doubt_is_settled_though_the_account_said_much_and_the_clock_was_moved(
    desk, live, platform, fault
):
    server, [first, second] = live(platform, 2)
    parent_id = "1001" if platform == "x" else "t3_1001"
    say(server, platform, parent_id, MORE_THAN_IS_LISTED)
    server.post("/sandbox/clock", {"advance_s": 3600})
    assert publish(desk, first).sent == 1
    endpoint = {"x": "create", "reddit": "comment"}[platform]
    server.post("/sandbox/faults", {"endpoint": endpoint, "kind": fault})
    assert publish(desk, second).unknown == 1
    say(server, platform, parent_id, MORE_THAN_A_PAGE)
    server.post("/sandbox/clock", {"advance_s": 3 * 24 * 3600})
    report = read_back(desk)
    if fault == "503":
        assert report.absent == 1 and desk.publication(second)["reason_code"] == "read_back_absent"
    else:
        assert report.found == 1 and desk.publication(second)["state"] == "sent"


def test_an_account_that_has_sent_nothing_from_here_is_read_back_to_the_post_it_answers(desk, live):
    server, [reply] = live("x")
    say(server, "x", "1001", MORE_THAN_IS_LISTED)
    desk.rows("update post set created_at = %s", server_time(server) + timedelta(seconds=200))
    server.post("/sandbox/clock", {"advance_s": 3600})
    server.post("/sandbox/faults", {"endpoint": "create", "kind": "503"})
    assert publish(desk, reply).unknown == 1
    server.post("/sandbox/clock", {"advance_s": 3600})
    assert read_back(desk).absent == 1


def server_time(server):
    """What the sandbox's clock shows."""
    return datetime.fromisoformat(server.get("/sandbox/clock")["now"])
