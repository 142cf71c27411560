"""The circuit breaker: what holds for it after any calls."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from rejoinder.llm.breaker import FAULTS, Breaker, BreakerRule, begun, health_of, may_call, settled

RULE = BreakerRule(open_after=3, open_s=30.0)
OUTCOMES = st.sampled_from(["ok", *sorted(FAULTS), "content", "key", "busy", "open", "unknown"])


class Calls(RuleBasedStateMachine):
    """Calls begin and end in any order while time goes on; one of them may be the probe."""

    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 21, tzinfo=UTC)
        self.breaker = Breaker()
        self.under_way: list[bool] = []
        self.in_a_row = 0
        self.rest = timedelta(0)

    @property
    def has_probe(self) -> bool:
        return any(self.under_way)

    @rule(seconds=st.integers(1, 4_000))
    def time_goes_on(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def begin(self) -> None:
        was = self.breaker
        if may_call(was, self.now, has_probe=self.has_probe):
            self.breaker = begun(was)
            self.under_way.append(was.state != "closed")
            assert was.opened_until is None or was.state == "half_open" or was.opened_until <= self.now
        else:
            assert was.state != "closed"
            assert self.has_probe or (was.opened_until is not None and was.opened_until > self.now)

    @precondition(lambda self: self.under_way)
    @rule(which=st.integers(0, 30), outcome=OUTCOMES)
    def end(self, which: int, outcome: str) -> None:
        was, is_probe = self.breaker, self.under_way.pop(which % len(self.under_way))
        self.breaker = settled(was, health_of(outcome), self.now, RULE, is_probe=is_probe)
        if outcome not in {"ok", *FAULTS}:
            assert self.breaker == was
        if was.state == "open" or (was.state == "half_open" and not is_probe):
            assert self.breaker == was
        if was.state == "closed" and outcome in FAULTS:
            assert self.breaker.state == ("open" if was.failures + 1 >= RULE.open_after else "closed")
        if self.breaker.state == "open" and self.breaker != was:
            assert self.breaker.opened_until is not None
            rest = self.breaker.opened_until - self.now
            assert (
                rest == timedelta(seconds=30)
                if was.state == "closed"
                else rest == min(2 * self.rest, timedelta(hours=1))
            )
            self.rest = rest

    @invariant()
    def only_a_closed_one_has_no_end(self) -> None:
        assert (self.breaker.state == "closed") == (self.breaker.opened_until is None)
        assert sum(self.under_way) <= 1
        assert self.breaker.failures >= (RULE.open_after if self.breaker.state != "closed" else 0)

    @invariant()
    def it_is_never_left_alone_for_ever(self) -> None:
        later = self.now + timedelta(hours=1)
        assert self.has_probe or may_call(self.breaker, later)


TestCalls = Calls.TestCase
