"""Whatever happens in whatever order, no post is answered twice and no sent reply is forgotten."""

import contextlib
from collections import Counter
from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from resources.commands.publications import settle_unknown
from resources.platforms.failures import AuthExpired, OutcomeUnknown, RateLimited, Refused, Unreachable

PLACES = {
    "queued": {"post_queue/pending", "post_queue/rate_limited"},
    "sending": {"post_queue/processing"},
    "unknown": {"post_queue/processing"},
    "sent": {"done/completed"},
    "refused": {"post_queue/failed"},
}


ROWS = """
select p.id, p.state, p.reason_code, o.platform_post_id, o.stage || '/' || o.status as place, a.state as part
from publication p join post o on o.id = p.post_id join publication_part a on a.publication_id = p.id
where p.channel_id = %s
"""


class Crash(BaseException):
    """The publisher is gone in the middle of a request, as after kill -9."""


def crash_before():
    raise Crash


OUTCOMES = {
    "accepted": None,
    "landed unseen": ("landed", OutcomeUnknown("503")),
    "landed, then a bug": ("landed", KeyError("tag")),
    "landed, then crashed": ("landed", Crash()),
    "crashed before": crash_before,
    "lost": OutcomeUnknown("dropped"),
    "limited": RateLimited(None),
    "unreachable": Unreachable("down"),
    "expired": AuthExpired("401"),
    "refused": Refused("blocked", "blocked"),
}


class Publishing(RuleBasedStateMachine):
    """One channel, its platform, time that passes, and a person who looks before deciding."""

    def __init__(self, desk):
        super().__init__()
        self.desk = desk
        desk.platform = type(desk.platform)()
        number = next(desk.numbers)  # an account of its own: the times of earlier runs lie ahead of this one's
        self.channel = desk.channel(f"channel{number}", account=f"account{number}")
        self.passed = timedelta()

    @rule()
    def approve(self):
        self.desk.approved(self.channel)

    @rule(
        script=st.lists(st.sampled_from(sorted(OUTCOMES)), min_size=1, max_size=3),
        minutes=st.sampled_from([0, 2, 20, 70]),
    )
    def publish(self, script, minutes):
        self.passed += timedelta(minutes=minutes)
        self.desk.platform.script = [OUTCOMES[name] for name in script]
        with contextlib.suppress(Crash):
            self.desk.run(later=self.passed)
        self.desk.platform.script = []

    @rule(hides=st.booleans())
    def let_the_timeline_lag(self, hides):
        self.desk.platform.hides = hides

    @rule(data=st.data())
    def a_person_settles_an_unknown_one(self, data):
        lost = [row["id"] for row in self.rows() if row["state"] == "unknown" and not self.arrived(row)]
        if lost:
            reply = data.draw(st.sampled_from(lost))
            settle_unknown(self.desk.db, self.desk.approver, reply, "queued", confirm=True)

    def rows(self):
        return self.desk.rows(ROWS, self.channel.id)

    def arrived(self, row):
        return [text for parent, text, _ in self.desk.platform.replies if parent == row["platform_post_id"]]

    @invariant()
    def no_post_is_answered_twice(self):
        counts = Counter(parent for parent, _, _ in self.desk.platform.replies)
        assert not counts or max(counts.values()) == 1

    @invariant()
    def what_is_written_is_what_happened(self):
        for row in self.rows():
            assert row["place"] in PLACES[row["state"]], (row["state"], row["place"])
            assert row["part"] == row["state"]
            if row["state"] in ("queued", "refused", "sent"):
                assert len(self.arrived(row)) == (row["state"] == "sent")

    def teardown(self):
        """What landed is found, unless its timeline hid it for the whole window; the rest waits for a person."""
        self.desk.platform.hides = False
        for _ in range(3):
            self.passed += timedelta(minutes=70)
            self.desk.run(later=self.passed)
        for row in self.rows():
            assert row["state"] in ("sent", "refused", "unknown")
            is_given_up = row["reason_code"] == "read_back_absent"
            assert row["state"] != "unknown" or is_given_up
            assert is_given_up or (row["state"] == "sent") == bool(self.arrived(row))
        self.no_post_is_answered_twice()
        self.desk.rows("update channel set is_enabled = false")


def test_the_publication_machine(desk):
    run_state_machine_as_test(
        lambda: Publishing(desk),
        settings=settings(
            max_examples=25,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
