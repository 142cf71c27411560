"""Loading, clock, credentials, limits, engagement and signatures of the sandbox, without a server."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import oauthlib.oauth1
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resources.sandbox.clock import Clock
from resources.sandbox.credentials import ensure_credentials
from resources.sandbox.engagement import TIME_CONSTANT_S, engagement
from resources.sandbox.limits import Windows
from resources.sandbox.load import load_posts, parse_line
from resources.sandbox.oauth import X_BASES, parse_oauth_header, sign
from resources.sandbox.posts import find_post, insert_post
from resources.sandbox.reads import DAY_S, Reads
from resources.sandbox.state import State
from resources.sandbox.x_ids import new_ids, next_id

GOOD = {
    "platform": "reddit",
    "platform_post_id": "t3_abc",
    "community": "python",
    "author": None,
    "text": "hello",
    "created_at": "2013-08-15T19:07:41+00:00",
    "url": None,
    "metrics": {"score": -3},
}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "deep" / "state.db")
    yield opened
    opened.close()


def write(path: Path, *lines: Any) -> Path:
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"platform": "myspace"}, "platform must be"),
        ({"platform_post_id": 7}, "platform_post_id must be"),
        ({"platform_post_id": "abc"}, "platform_post_id must be"),
        ({"platform": "x", "platform_post_id": "9" * 19}, "larger than any"),
        ({"text": None}, "text must be text"),
        ({"text": "\ud800"}, "half a surrogate pair"),
        ({"created_at": "yesterday"}, "ISO 8601"),
        ({"created_at": "2013-08-15T19:07:41"}, "time zone"),
        ({"created_at": "0001-01-01T00:00:00+14:00"}, "between the years"),
        ({"created_at": "9999-12-31T23:59:59-12:00"}, "between the years"),
        ({"lang": "a language"}, "lang must be"),
        ({"metrics": {"score": "many"}}, "metrics must"),
        ({"metrics": [1]}, "metrics must"),
        ({"mentions": "alice"}, "mentions must"),
        ({"author_followers": -1}, "author_followers must"),
        ({"community": None}, "community must"),
    ],
)
def test_bad_line_is_skipped_with_its_reason(state: State, tmp_path: Path, change: Any, reason: str) -> None:
    report = load_posts(state, write(tmp_path / "p.jsonl", {**GOOD, **change}, "", GOOD, "[1]", "{"))
    assert (report.loaded, report.known) == (1, 0)
    assert [bad.line_number for bad in report.skipped] == [1, 4, 5]
    assert reason in report.skipped[0].reason


def test_loading_twice_and_from_a_second_opening(state: State, tmp_path: Path) -> None:
    path = write(tmp_path / "p.jsonl", GOOD, GOOD)
    assert load_posts(state, path).loaded == 1
    other = State(state.path)
    assert (load_posts(other, path).loaded, load_posts(other, path).known) == (0, 2)
    other.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=60),
        st.dictionaries(st.sampled_from(sorted(GOOD)), st.none() | st.integers() | st.text(max_size=9)).map(
            lambda change: json.dumps({**GOOD, **change}).encode()
        ),
    )
)
def test_any_line_is_a_post_or_a_reason(line: bytes) -> None:
    try:
        post = parse_line(line)
    except ValueError as error:
        assert str(error)
    else:
        assert post.platform in ("x", "reddit") and post.text is not None


def test_clock_starts_after_the_newest_post_and_only_goes_forward(state: State, tmp_path: Path) -> None:
    real = [1_800_000_000.0]
    clock = Clock(state, wall=lambda: real[0])
    assert clock.now() == real[0]
    load_posts(state, write(tmp_path / "p.jsonl", GOOD))
    newest = find_post(state, "reddit", "t3_abc").created_at  # type: ignore[union-attr]
    state.set_meta("clock_offset_s", repr(newest + 60 - real[0]))
    assert clock.now() == pytest.approx(newest + 60)
    real[0] += 5
    assert clock.now() == pytest.approx(newest + 65)
    assert clock.advance(3600) == pytest.approx(newest + 3665)
    clock.start_after(newest)
    assert Clock(state, wall=lambda: real[0]).now() == pytest.approx(newest + 3665)
    with pytest.raises(ValueError, match="0 or more"):
        clock.advance(-1)
    with pytest.raises(ValueError, match="0 or more"):
        clock.advance(float("nan"))


def test_credentials_are_made_once(state: State) -> None:
    first = ensure_credentials(state, None)
    assert ensure_credentials(state, None) == first
    renamed = ensure_credentials(state, "other")
    assert (renamed.account, renamed.reddit["username"]) == ("other", "other")
    assert renamed.x == first.x


@settings(deadline=None)
@given(st.text(max_size=12), st.integers(0, 50_000), st.lists(st.floats(0, 1e7), min_size=2, max_size=8))
def test_engagement_repeats_grows_and_saturates(reply_id: str, score: int, ages: list[float]) -> None:
    values = [engagement(reply_id, {"score": score}, age) for age in sorted(ages)]
    assert values == [engagement(reply_id, {"score": score}, age) for age in sorted(ages)]
    for before, after in itertools.pairwise(values):
        assert all(early <= late for early, late in zip(before, after, strict=True))
    assert engagement(reply_id, {"score": score}, 50 * TIME_CONSTANT_S) == engagement(
        reply_id, {"score": score}, 60 * TIME_CONSTANT_S
    )
    assert engagement(reply_id, {"score": score}, -5) == (0, 0, 0, 0)


def test_popular_parents_bring_more() -> None:
    quiet = [engagement(str(n), {"score": 1}, 1e6).impressions for n in range(200)]
    loud = [engagement(str(n), {"score": 5000}, 1e6).impressions for n in range(200)]
    assert sum(loud) > 2 * sum(quiet)


def test_window_opens_again() -> None:
    windows = Windows()
    seen = [windows.take("search", "app", 2, 100.0 + n).is_allowed for n in range(3)]
    assert seen == [True, True, False]
    quota = windows.take("search", "app", 2, 1000.0)
    assert (quota.is_allowed, quota.remaining, quota.reset) == (True, 1, 1900.0)


@settings(deadline=None)
@given(st.dictionaries(st.text("abc~é &=+%", min_size=1, max_size=5), st.text(max_size=8), max_size=4))
def test_signature_agrees_with_oauthlib(query: dict[str, str]) -> None:
    keys = {"consumer_secret": "c s&", "access_token_secret": "t/s"}
    client = oauthlib.oauth1.Client("key", "c s&", "token", "t/s", nonce="1", timestamp="2")
    address = f"{X_BASES[0]}/2/tweets"
    request = oauthlib.common.Request(address, "GET")
    request.oauth_params = [("oauth_nonce", "1"), ("oauth_timestamp", "2"), ("oauth_token", "token")]
    parameters = [*request.oauth_params, *query.items()]
    base = oauthlib.oauth1.rfc5849.signature.signature_base_string(
        "GET", address, oauthlib.oauth1.rfc5849.signature.normalize_parameters(parameters)
    )
    expected = oauthlib.oauth1.rfc5849.signature.sign_hmac_sha1_with_client(base, client)
    assert sign("get", address, parameters, keys) == expected


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_oauth_header_is_read(value: str) -> None:
    assert isinstance(parse_oauth_header(value), dict)


def test_a_post_that_was_read_today_counts_once_over_a_restart(state: State) -> None:
    now, real = 20_000 * DAY_S, [100.0]
    reads = Reads(lambda: real[0])
    reads.add(state, now, [1, 2])
    reads.add(state, now + 1, [2, 3])
    assert (reads.day(state, 20_000), Reads().day(state, 20_000)) == (3, 0)  # written once a second
    real[0] += 1
    reads.flush_due(state)
    again = Reads(lambda: real[0])
    again.add(state, now + 60, [1, 2, 3, 4])
    assert (again.day(state, 20_000), again.month(state, now + 60)) == (4, 4)
    again.add(state, now + DAY_S, [4])
    assert (again.day(state, 20_001), again.month(state, now + DAY_S)) == (1, 5)
    again.flush(state)
    kept = state.db.execute("SELECT x_id, day FROM read_today").fetchall()
    assert [tuple(row) for row in kept] == [(4, 20_001)]


def test_new_ids_stay_within_what_can_be_stored(state: State) -> None:
    year_9998 = 253_339_228_800.0
    line = {**GOOD, "platform": "x", "platform_post_id": "9" + "0" * 18}
    assert insert_post(state.db, parse_line(json.dumps(line).encode()))
    made = new_ids(state.db, year_9998, 2)
    assert made == [str(9 * 10**18 + 1), str(9 * 10**18 + 2)] and next_id(state.db) == made[0]
