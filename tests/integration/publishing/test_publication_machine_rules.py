"""Threads and single replies under crashes, faults, pauses and people, on a real PostgreSQL: what always holds.

Each example is a random walk. The platform keeps what stands on it and, as X does, refuses a text that stands already;
the database keeps what is believed. After every step the two are compared.
"""

import contextlib
import itertools
import json
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from rejoinder.errors import IllegalMove
from rejoinder.posting.states import PUBLICATION_MOVES
from resources.commands import publications as people
from resources.commands.review import approve
from resources.platforms.failures import AuthExpired, OutcomeUnknown, RateLimited, Refused, Unreachable
from resources.platforms.port import Sent
from resources.publishing.clock import Clock
from resources.publishing.run import publish_due
from resources.standings import note_gone
from resources.work.stopping import StopSignal

EXAMPLES, STEPS = 10, 16
IDS = itertools.count(10_000)  # of the platform, in all examples
FINAL = {"sent", "refused", "cancelled", "abandoned"}
PLACES = {
    "queued": {"post_queue/pending", "post_queue/rate_limited"},
    "handoff": {"post_queue/pending"},
    "sending": {"post_queue/processing"},
    "unknown": {"post_queue/processing"},
    "refused": {"post_queue/failed"},
    "sent": {"done/completed"},
    "cancelled": {"review/pending", "post_queue/rejected", "post_queue/withdrawn"},
    "abandoned": {"post_queue/rejected", "post_queue/withdrawn"},
}
# What the parts of a publication may look like: those that stand, the one in hand, those that wait.
SHAPES = {
    "queued": ({"queued"}, True),
    "handoff": ({"queued", "refused"}, True),
    "sending": ({"sending"}, True),
    "unknown": ({"unknown"}, True),
    "refused": ({"refused"}, True),
    "sent": (set(), False),
    "cancelled": ({"queued"}, True),
    "abandoned": ({"unknown", "queued", "refused"}, True),
}
ROWS = """
select p.id, p.state, p.reason_code, p.post_id, o.platform_post_id as parent, o.stage || '/' || o.status as place,
       o.version, o.gone_at, p.parts_sent,
       (select jsonb_agg(jsonb_build_array(a.state, a.text, a.platform_id) order by a.position)
          from publication_part a where a.publication_id = p.id) as parts,
       (select jsonb_agg(jsonb_build_array(e.from_state, e.to_state) order by e.id)
          from publication_event e where e.publication_id = p.id) as moves,
       (p.id = max(p.id) over (partition by p.post_id)) as is_latest
from publication p join post o on o.id = p.post_id where p.channel_id = %s order by p.id
"""


class Crash(BaseException):
    """The publisher is gone, as after kill -9."""


def crash():
    raise Crash


FAULTS = {
    "accepted": None,
    "landed unseen": ("landed", OutcomeUnknown("503")),
    "landed, then a bug": ("landed", KeyError("tag")),
    "landed, then crashed": ("landed", Crash()),
    "crashed before": crash,
    "lost": OutcomeUnknown("dropped"),
    "limited": RateLimited(None),
    "unreachable": Unreachable("down"),
    "expired": AuthExpired("401"),
    "refused": Refused("blocked", "blocked"),
    "not a twin": Refused("duplicate_content", "duplicate"),
}


@dataclass
class Believed:
    """One publication as the database has it."""

    row: dict

    def __getattr__(self, name):
        return self.row[name]

    @property
    def states(self):
        return [state for state, _, _ in self.parts]

    @property
    def texts(self):
        return [text for _, text, _ in self.parts]

    @property
    def in_hand(self):
        return next(i for i, state in enumerate(self.states) if state != "sent")


class Publishing(RuleBasedStateMachine):
    """One channel, its platform, publishers that die, time that passes, and people."""

    walked: ClassVar[Counter[str]] = Counter()

    def __init__(self, desk):
        super().__init__()
        self.desk = desk
        number = next(desk.numbers)
        self.channel = desk.channel(f"channel{number}", account=f"account{number}")
        desk.platform = type(desk.platform)()
        self.accept = desk.platform.publish
        desk.platform.publish = self.publish
        self.passed = timedelta()
        self.stalls = False
        Publishing.walked["examples"] += 1

    # What happens.

    @rule(
        approved=st.lists(st.integers(1, 3), max_size=2),
        script=st.lists(st.sampled_from(sorted(FAULTS)), min_size=1, max_size=5),
        minutes=st.sampled_from([2, 20, 70]),
        dies_at=st.none() | st.integers(1, 30),
        stalls=st.booleans(),
    )
    def a_publisher_passes(self, approved, script, minutes, dies_at, stalls):
        for n_parts in approved:
            self.approve(n_parts)
        self.passed += timedelta(minutes=minutes)
        steps = [FAULTS[name] for name in script]
        self.desk.platform.script, self.stalls = steps, stalls
        with contextlib.suppress(Crash):
            self.run_pass(dies_at)
        self.desk.platform.script = []

    @rule(n_parts=st.integers(1, 3), fault=st.sampled_from(sorted(FAULTS)), n_accepted=st.integers(0, 2))
    def a_reply_meets_a_fault(self, n_parts, fault, n_accepted):
        self.a_publisher_passes([n_parts], ["accepted"] * n_accepted + [fault], 70, None, False)

    @rule(hides=st.booleans(), is_complete=st.booleans())
    def the_timeline_lags(self, hides, is_complete):
        self.desk.platform.hides, self.desk.platform.is_complete = hides, is_complete

    @rule(is_on=st.booleans())
    def somebody_turns_the_switch(self, is_on):
        self.desk.rows("update pause set resumed_at = now() where resumed_at is null")
        if is_on:
            self.desk.rows("insert into pause (reason) values ('stop')")

    @rule(data=st.data(), is_hasty=st.booleans(), gives_up=st.booleans())
    def a_person_settles_an_unknown_one(self, data, is_hasty, gives_up):
        for one in self.pick(data, "unknown"):
            self.settle(one, is_hasty=is_hasty, gives_up=gives_up)

    @rule(data=st.data())
    def a_person_goes_on_after_a_refusal(self, data):
        for one in self.pick(data, "refused", is_latest=True):
            if one.parts_sent:
                people.finish_by_hand(self.desk.db, self.desk.approver, one.id)
                self.refuses_words(one)
            else:
                self.say_again(one)

    @rule(data=st.data(), drops=st.booleans())
    def a_person_posts_by_hand(self, data, drops):
        for one in self.pick(data, "handoff"):
            if drops:
                people.abandon_handoff(self.desk.db, self.desk.approver, one.id)
                return
            first = self.post_by_hand(one)
            people.record_handoff(self.desk.db, self.desk.approver, one.id, first)

    @rule(data=st.data())
    def an_approval_is_taken_back(self, data):
        for one in self.pick(data, "queued"):
            people.take_back(self.desk.db, self.desk.approver, one.id)

    @rule(data=st.data())
    def a_post_is_deleted(self, data):
        for one in self.pick(data, "queued", "sending", "unknown"):
            with self.desk.db.transaction() as tx:
                note_gone(tx, [one.post_id], datetime.now(UTC))

    # How it happens.

    def approve(self, n_parts):
        number = next(self.desk.numbers)
        texts = [f"At 12:04 of episode {number}, part {n}." for n in range(1, n_parts + 1)]
        self.desk.approved(self.channel, text="\n---\n".join(texts))

    def publish(self, parent_id, text):
        """X refuses a text of the account that stands already; no two posts have one id."""
        Publishing.walked["requests"] += 1
        if self.stalls:
            self.stalls = False
            self.stall()
        if text in self.standing():
            raise Refused("duplicate_content", "duplicate")
        replies = self.desk.platform.replies
        before = len(replies)
        try:
            sent = self.accept(parent_id, text)
        finally:
            for at in range(before, len(replies)):
                parent, said, made = replies[at]
                replies[at] = (parent, said, replace(made, platform_id=str(next(IDS))))
        return replace(sent, platform_id=self.standing()[text][1])

    def stall(self):
        """The request hangs until the lease has run out and another publisher has looked."""
        self.desk.rows("update publication set lease_until = now() - interval '1 s' where state = 'sending'")
        script, self.desk.platform.script = self.desk.platform.script, []
        self.run_pass(None)
        self.desk.platform.script = script

    def run_pass(self, dies_at):
        calls = itertools.count(1)

        class Mortal(Clock):
            def look(self, tx):
                self.live()
                return super().look(tx)

            def now(self):
                self.live()
                return super().now()

            def live(self):
                if next(calls) == dies_at:
                    raise Crash

        self.desk.platform.advanced = self.passed
        publish_due(
            self.desk.publisher,
            open_client=lambda channel, credential: self.desk.platform,
            tuning=self.desk.tuning,
            stop=StopSignal(),
            clock=Mortal(lambda tx: datetime.now(UTC) + self.passed),
        )

    def settle(self, one, *, is_hasty, gives_up):
        """A careful person looks at the platform first; a hasty one says that it is not there."""
        there = self.standing().get(one.texts[one.in_hand])
        outcome = "sent" if there and not is_hasty else "abandoned" if gives_up else "queued"
        url = there[1] if there else None
        people.settle_unknown(self.desk.db, self.desk.approver, one.id, outcome, url, confirm=True)

    def say_again(self, one):
        text = "\n---\n".join(one.texts)
        approve(self.desk.db, self.desk.approver, one.post_id, version=one.version, text=text)

    def refuses_words(self, one):
        """What stands in part cannot be approved anew."""
        with contextlib.suppress(IllegalMove):
            approve(self.desk.db, self.desk.approver, one.post_id, version=one.version + 1, text="Anew.")
            raise AssertionError("a second answer was approved")

    def post_by_hand(self, one):
        """A person posts what does not stand; the address of the first of it."""
        standing, ids = self.standing(), []
        parent = standing[one.texts[one.in_hand - 1]][1] if one.in_hand else one.parent
        for text in one.texts[one.in_hand :]:
            ids.append(str(next(IDS)))
            self.desk.platform.replies.append((parent, text, Sent(ids[-1], self.desk.platform.now())))
            parent = ids[-1]
        return ids[0]

    def pick(self, data, *states, **facts):
        wanted = [
            one
            for one in self.believed()
            if one.state in states and all(one.row[k] == v for k, v in facts.items())
        ]
        return [data.draw(st.sampled_from(wanted))] if wanted else []

    def believed(self):
        return [Believed(row) for row in self.desk.rows(ROWS, self.channel.id)]

    def standing(self):
        return {text: (parent, sent.platform_id) for parent, text, sent in self.desk.platform.replies}

    # What always holds.

    @invariant()
    def no_text_stands_twice_and_nothing_is_answered_twice(self):
        replies = self.desk.platform.replies
        assert len({text for _, text, _ in replies}) == len(replies)
        assert not replies or max(Counter(parent for parent, _, _ in replies).values()) == 1
        Publishing.walked["steps"] += 1

    @invariant()
    def all_that_stands_was_approved_and_stands_in_its_place(self):
        standing, places = self.standing(), {}
        for one in self.believed():
            parent = one.parent
            for text in one.texts:
                places[text] = parent
                parent = standing.get(text, (None, None))[1]
        assert {text: parent for text, (parent, _) in standing.items()} == {
            text: places[text] for text in standing
        }

    @invariant()
    def what_is_believed_is_so(self):
        standing = self.standing()
        for one in self.believed():
            for state, text, _ in one.parts:
                if state in ("sent", "refused", "queued"):
                    assert (text in standing) == (state == "sent") or self.is_excused(one, state), (
                        one.row,
                        state,
                    )

    def is_excused(self, one, state):
        """Words of a refused try may stand by a later one; a hasty person's word stands until the next request."""
        return not one.is_latest or (state == "queued" and ["unknown", "queued"] in one.moves)

    @invariant()
    def each_is_where_somebody_moves_it_on(self):
        for one in self.believed():
            in_hand, may_wait = SHAPES[one.state]
            stands = list(itertools.takewhile(lambda state: state == "sent", one.states))
            rest = one.states[len(stands) :]
            assert one.parts_sent == len(stands) == one.states.count("sent"), one.row
            assert rest[:1] == [] or rest[0] in in_hand, one.row
            assert set(rest[1:]) <= ({"queued"} if may_wait else set()), one.row
            assert bool(rest) == may_wait, one.row
            assert not one.is_latest or one.place in PLACES[one.state], one.row

    @invariant()
    def only_legal_moves_are_walked(self):
        for one in self.believed():
            pairs = {(before, after) for before, after in one.moves if before}
            assert pairs <= PUBLICATION_MOVES, json.dumps(one.moves)

    def teardown(self):
        """Everything comes to an end: by machine where that is possible, by a person who looks where not."""
        self.somebody_turns_the_switch(False)
        self.the_timeline_lags(False, True)
        for _ in range(6):
            self.passed += timedelta(hours=26)
            self.run_pass(None)
            for one in self.believed():
                if one.state == "unknown" and one.reason_code == "read_back_absent":
                    self.settle(one, is_hasty=False, gives_up=True)
        for one in self.believed():
            assert one.state in FINAL | {"handoff"}, one.row
            Publishing.walked[one.state] += 1
        self.what_is_believed_is_so()
        self.no_text_stands_twice_and_nothing_is_answered_twice()
        self.all_that_stands_was_approved_and_stands_in_its_place()
        self.desk.rows("update channel set is_enabled = false")


def test_the_rules_of_the_publication_machine_hold(desk):
    run_state_machine_as_test(
        lambda: Publishing(desk),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
    assert Publishing.walked["sent"]
