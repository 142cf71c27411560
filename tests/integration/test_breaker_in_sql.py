"""The circuit breaker of the database makes the moves of rejoinder/llm/breaker.py."""

from contextlib import ExitStack
from typing import Any

from gateway_rehearsal import ASKED, FREE, ArgumentClock, admission, endpoint, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rejoinder.errors import ModelTrouble
from rejoinder.llm.breaker import Breaker, BreakerRule, begun, health_of, may_call, settled
from resources.llm.gateway.admission import Admission
from resources.postgres import Database
from resources.provision import Addresses

RULE = BreakerRule(open_after=2, open_s=20.0)
# Leases that outlast every wait here: whose time runs out is another test.
AT = endpoint(price=FREE, max_concurrent=50, timeout_s=1e6)
OUTCOMES = ("ok", "timeout", "rate_limit", "content", "unknown")
EVENTS = st.one_of(
    st.tuples(st.just("wait"), st.sampled_from([1, 19, 20, 41, 4_000])),
    st.tuples(st.just("begin"), st.none()),
    # Which of the calls under way, and what became of it.
    st.tuples(st.just("end"), st.tuples(st.integers(0, 9), st.sampled_from(OUTCOMES))),
)


def as_stored(db: Database) -> Breaker:
    [row] = rows(db, "select breaker, failures, opened_until from model_endpoint")
    return Breaker(row["breaker"], row["failures"], row["opened_until"])


def try_to_begin(door: Admission, calls: ExitStack) -> Any | None:
    try:
        return calls.enter_context(door.admit(AT, ASKED, estimate_usd=0.0))
    except ModelTrouble as trouble:
        assert trouble.kind == "open"
        return None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(EVENTS, max_size=40))
def test_both_make_the_same_moves(
    addresses: Addresses, db: Database, owner_db: Database, events: list[tuple[str, Any]]
) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute("truncate model_endpoint, endpoint_lease, endpoint_waiter")
    clock, expected = ArgumentClock(), Breaker()
    under_way: list[tuple[Any, bool]] = []
    with ExitStack() as calls:
        door = admission(addresses.app, now=clock, open_after=RULE.open_after, open_s=RULE.open_s)
        calls.callback(door.close)
        for what, value in [("begin", None), *events]:
            if what == "wait":
                clock.advance(seconds=value)
            elif what == "begin":
                allowed = may_call(expected, clock(), has_probe=any(is_probe for _, is_probe in under_way))
                place = try_to_begin(door, calls)
                assert (place is not None) == allowed
                if place is not None:
                    under_way.append((place, expected.state != "closed"))
                    expected = begun(expected)
            elif under_way:
                place, is_probe = under_way.pop(value[0] % len(under_way))
                place.settle(value[1], 0.0)
                expected = settled(expected, health_of(value[1]), clock(), RULE, is_probe=is_probe)
            assert as_stored(db) == expected
