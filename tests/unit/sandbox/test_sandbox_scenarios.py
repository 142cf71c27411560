"""Scenarios: what a file may say and what is told of a wrong one; events that happen once, on time."""

import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from resources.sandbox.__main__ import UNREADABLE, main
from resources.sandbox.app import build_app, open_world
from resources.sandbox.clock import Clock, iso
from resources.sandbox.events import events_json, fire_due
from resources.sandbox.exchange import World
from resources.sandbox.posts import find_post
from resources.sandbox.scenario import (
    Scenario,
    ScenarioInvalid,
    find_scenario,
    load_scenario,
    parse_scenario,
    shipped_files,
)
from resources.sandbox.scenario_form import ACTIONS, ScenarioForm
from resources.sandbox.scenario_start import DROPPED, current_scenario, start_scenario
from resources.sandbox.state import State

FUZZ = settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
SMALL = """
description: small
clock: {start: 2026-11-01T12:00:00Z}
posts:
  - post: {platform: reddit, id: t3_a1, community: sample, author: ada, text: "Title\\n\\nBody", ago: 5m}
events:
  - {at: 90s, post: {platform: x, text: "@{account} hi"}}
  - {at: 2m, every: 1m, times: 3, generate: {platform: reddit, count: 2, community: sample}}
  - {at: 10m, change: {id: t3_a1, text: "New title\\n\\nBody"}}
  - {at: 11m, fault: {endpoint: search, kind: 503, times: 2}}
  - {at: 12m, change: {id: t3_nobody, deleted: true}}
"""


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    opened = State(tmp_path / "state.db")
    yield opened
    opened.close()


def scenario_of(folder: Path, text: str = SMALL, name: str = "small") -> Scenario:
    path = folder / f"{name}.yaml"
    path.write_text(text, "utf-8")
    return load_scenario(path)


def played(state: State, seconds: float) -> World:
    world = open_world(state, None)
    world.clock.advance(seconds)
    fire_due(world)
    return world


def outcomes(world: World) -> list[str]:
    return [event["outcome"] for event in events_json(world) if event["done_at"]]


@pytest.mark.parametrize("path", shipped_files(), ids=lambda path: path.stem)
def test_every_shipped_scenario_plays_to_its_end_without_a_failure(state: State, path: Path) -> None:
    scenario = load_scenario(path)
    assert scenario.name == path.stem and len(scenario.form.events) >= 5
    started = start_scenario(state, scenario)
    assert started.waiting >= len(scenario.form.events) and not started.goes_on
    world = played(state, 400 * 86_400)
    assert len(outcomes(world)) == started.waiting
    assert [outcome for outcome in outcomes(world) if outcome.startswith("failed")] == []


def test_there_are_scenarios_for_every_kind_of_trouble() -> None:
    assert len(shipped_files()) >= 7


def test_events_happen_at_their_time_and_in_order(state: State, tmp_path: Path) -> None:
    start_scenario(state, scenario_of(tmp_path))
    started = (current_scenario(state) or {})["started_at"]
    assert outcomes(played(state, 60)) == []
    world = played(state, 35)
    [made] = outcomes(world)
    post = find_post(state, "x", made.removeprefix("post "))
    assert post is not None and post.text == "@rejoinder_demo hi"
    assert post.created_at == pytest.approx(started + 90)
    world = played(state, 900)
    assert [outcome[:8] for outcome in outcomes(world)] == [
        f"post {post.id}"[:8], "2 posts,", "2 posts,", "2 posts,", "id t3_a1", "503 on s", "failed: ",
    ]  # fmt: skip
    edited = find_post(state, "reddit", "t3_a1")
    assert edited is not None and edited.edited_at == pytest.approx(started + 600)
    assert "no post t3_nobody" in outcomes(world)[-1]


def test_a_restart_goes_on_and_no_event_happens_twice(tmp_path: Path) -> None:
    counts = []
    for seconds in (130, 60, 900, 900):
        state = State(tmp_path / "state.db")
        started = start_scenario(state, scenario_of(tmp_path))
        assert started.goes_on == bool(counts)
        played(state, seconds)
        counts.append(state.db.execute("SELECT count(*) FROM post").fetchone()[0])
        state.close()
    assert counts == [4, 6, 8, 8]


def test_another_scenario_ends_the_one_before(state: State, tmp_path: Path) -> None:
    start_scenario(state, scenario_of(tmp_path))
    played(state, 130)
    other = scenario_of(tmp_path, "description: other\nevents: [{at: 1s, clock: {speed: 2}}]", "other")
    assert not start_scenario(state, other).goes_on
    world = played(state, 3600)
    assert outcomes(world).count(DROPPED) == 5
    assert world.clock.speed().factor == 2
    assert state.db.execute("SELECT count(*) FROM post").fetchone()[0] == 4


def test_what_is_due_happens_before_a_request_is_answered(state: State, tmp_path: Path) -> None:
    start_scenario(state, scenario_of(tmp_path))
    with TestClient(build_app(open_world(state, None))) as client:
        assert client.post("/sandbox/clock", json={"advance_s": 700}).status_code == 200
        assert client.get("/sandbox/summary").json()["posts"] == 8
        shown = client.get("/sandbox/scenario").json()
        assert (shown["name"], len(shown["events"])) == ("small", 7)
        assert [event["kind"] for event in shown["events"] if event["done_at"] is None] == ["change"]


def test_a_flow_of_a_scenario_begins(state: State, tmp_path: Path) -> None:
    text = "description: d\nevents: [{at: 1s, flow: {count: 3, rate_per_s: 2000, texts: [a]}}]"
    start_scenario(state, scenario_of(tmp_path, text))
    with TestClient(build_app(open_world(state, None))) as client:
        client.post("/sandbox/clock", json={"advance_s": 2})
        while client.get("/sandbox/flow").json()["made"] < 3:
            pass
        assert client.get("/sandbox/summary").json()["posts"] == 3


def test_further_accounts_get_keys_and_the_first_keeps_its_own(state: State, tmp_path: Path) -> None:
    before = open_world(state, None).credentials
    start_scenario(state, scenario_of(tmp_path, "description: d\naccounts: [second, third]"))
    after = open_world(state, None).credentials
    assert [each.account for each in after.accounts()] == ["rejoinder_demo", "second", "third"]
    assert (after.x, after.reddit) == (before.x, before.reddit)
    assert len({each.x["bearer_token"] for each in after.accounts()}) == 3


@pytest.mark.parametrize(
    ("text", "where", "why"),
    [
        ("", "line 1: the file", "valid dictionary"),
        ("events: []", "line 1: description", "required"),
        ("description: d\ncolour: red", "line 2: colour", "not permitted"),
        ("description: d\nevents:\n  - {at: soon, clock: {speed: 1}}", "line 3: events[0].at", "90s, 5m"),
        ("description: d\nevents:\n  - at: 1s\n    fault:\n      endpoint: search\n      kind: meteor",
         "line 4: events[0].fault", "kind must be one of"),
        ("description: d\nevents:\n  - at: 1s\n    fault: {endpoint: serch, kind: 503}",
         "line 4: events[0].fault", "no endpoint 'serch'"),
        ("description: d\nevents:\n  - {at: 1s}", "line 3: events[0]", "exactly one of post, generate"),
        ("description: d\nevents:\n  - {at: 1s, times: 3, clock: {speed: 1}}", "line 3: events[0]", "needs every"),
        ("description: d\nclock:\n  speed: -1", "line 3: clock.speed", "greater than or equal"),
        ("description: d\nclock: {start: 2026-11-01T12:00:00}", "line 2: clock.start", "timezone"),
        ("description: d\nposts:\n  - post: {platform: x, txt: a}", "line 3: posts[0].post", "no txt"),
        ("description: d\nposts:\n  - generate: {platform: reddit, count: 1}", "line 3: posts[0].generate", "comm"),
        ("description: d\naccounts: [with space]", "line 2: accounts[0]", "letters, digits"),
        ("description: d\nevents:\n  - {at: 1s, x: {colour: red}}", "line 3: events[0].x", "no setting colour"),
        ("description: d\nevents:\n  - {at: 1s, post: {platform: x, text: a, ago: 1m}}", "line 3: events[0]",
         "ago is for posts"),
        ("description: [", "line 1", "not YAML"),
        ("description: !!python/object:os.system d", "line 1", "not YAML"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_with_line_and_key(text: str, where: str, why: str) -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        parse_scenario(text)
    assert str(caught.value).startswith(where) and why in str(caught.value)


@pytest.mark.parametrize(
    ("posts", "why"),
    [
        ("- file: none.jsonl", "cannot read none.jsonl"),
        ("- file: bad.jsonl", "bad.jsonl:1: not JSON"),
        ("- post: {platform: x, id: abc, text: a}", "posts[0]: platform_post_id must be"),
    ],
)
def test_posts_that_cannot_be_used_start_nothing(state: State, tmp_path: Path, posts: str, why: str) -> None:
    (tmp_path / "bad.jsonl").write_text("{", "utf-8")
    with pytest.raises(ScenarioInvalid, match="posts") as caught:
        start_scenario(state, scenario_of(tmp_path, f"description: d\nposts:\n{posts}"))
    assert why in str(caught.value)
    assert state.meta("scenario") is None


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(string.printable, max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    [*ACTIONS, *ScenarioForm.model_fields, "at", "every", "times", "file", "id", "platform"]
)
ALMOST = st.fixed_dictionaries(
    {"description": st.just("d")},
    optional={
        "events": st.lists(
            st.dictionaries(KEYS, YAML_VALUES | st.dictionaries(KEYS, YAML_VALUES), max_size=4)
        ),
        "posts": st.lists(
            st.dictionaries(KEYS, YAML_VALUES | st.dictionaries(KEYS, YAML_VALUES), max_size=3)
        ),
        "clock": YAML_VALUES,
        "accounts": YAML_VALUES,
    },
)


@FUZZ
@given(st.one_of(st.text(max_size=60), ALMOST.map(lambda value: yaml.safe_dump(value, allow_unicode=True))))
def test_any_text_is_a_scenario_or_a_reason_with_a_line(text: str) -> None:
    try:
        form = parse_scenario(text)
    except ScenarioInvalid as error:
        assert all(line.startswith("line ") for line in str(error).splitlines())
    else:
        assert form.description


def test_a_key_that_ends_a_line_is_told_in_one_line() -> None:
    with pytest.raises(ScenarioInvalid) as caught:
        parse_scenario('description: d\n"\\v": 1')
    assert str(caught.value).splitlines() == ["line 2:  : Extra inputs are not permitted"]


def test_numbers_without_end_are_refused_with_a_line() -> None:
    for event in ("x: {posts_per_month: .inf}", f"generate: {{platform: x, every_s: {10**400}}}"):
        with pytest.raises(ScenarioInvalid, match="line"):
            parse_scenario(f"description: d\nevents:\n  - {{at: 1s, {event}}}")


def test_a_post_with_an_id_of_either_name_stays_when_its_file_was_changed(
    state: State, tmp_path: Path
) -> None:
    text = "description: d\nposts: [{post: {platform: x, platform_post_id: '7', text: a}}]"
    start_scenario(state, scenario_of(tmp_path, text))
    assert not start_scenario(state, scenario_of(tmp_path, f"{text}\n# changed")).goes_on
    assert state.db.execute("SELECT count(*) FROM post").fetchone()[0] == 1


def test_an_event_that_cannot_happen_does_not_stop_the_others(state: State, tmp_path: Path) -> None:
    start_scenario(state, scenario_of(tmp_path, "description: d\nevents: [{at: 2s, clock: {speed: 2}}]"))
    state.db.execute("INSERT INTO event (at, kind, body) VALUES (0, 'tokens', ?)", (
        '{"platform": "x", "state": "expired", "account": "nobody_here"}',
    ))  # fmt: skip
    state.db.execute("INSERT INTO event (at, kind, body) VALUES (0, 'fault', ?)", (
        '{"endpoint": "search", "kind": "503", "times": 1, "delay_s": 1' + "0" * 400 + "}",
    ))  # fmt: skip
    world = played(state, 5)
    assert [outcome[:6] for outcome in outcomes(world)] == ["failed", "failed", "clock "]
    assert "no account nobody_here" in outcomes(world)[0]


def test_aliases_in_a_circle_and_deep_nesting_are_refused() -> None:
    for text in ("&a [*a]", "description: d\nevents: &a [*a]", "[" * 1500):
        with pytest.raises(ScenarioInvalid, match="line"):
            parse_scenario(text)


def test_the_program_lists_scenarios_and_refuses_unknown_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--list-scenarios"]) == 0
    listed = capsys.readouterr().out
    assert all(path.stem in listed for path in shipped_files())
    assert main(["--state", str(tmp_path / "s.db"), "--scenario", "nope"]) == UNREADABLE
    assert "no scenario 'nope'" in capsys.readouterr().err
    assert find_scenario("quiet_day") in shipped_files()


def test_speed_runs_the_clock_and_never_puts_it_back(state: State) -> None:
    real = [1_800_000_000.0]
    clock = Clock(state, wall=lambda: real[0])
    assert clock.now() == real[0]
    assert clock.run_at(60) == real[0]
    real[0] += 10
    assert clock.now() == 1_800_000_600
    assert Clock(state, wall=lambda: real[0]).now() == 1_800_000_600
    assert clock.run_at(0) == 1_800_000_600
    real[0] += 1000
    assert clock.now() == 1_800_000_600
    assert clock.advance(5) == 1_800_000_605
    clock.run_at(1)
    real[0] += 7
    assert clock.now() == 1_800_000_612
    clock.start_at(1_000.0)
    assert clock.now() == 1_800_000_612


def test_a_clock_that_ran_for_ages_stands_at_its_end(state: State) -> None:
    real = [1_800_000_000.0]
    clock = Clock(state, wall=lambda: real[0])
    clock.run_at(86_400)
    real[0] += 86_400 * 3650
    assert iso(clock.now()) == "9999-01-01T00:00:00.000Z"
    with pytest.raises(ValueError, match="year 9999"):
        clock.advance(1)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["speed", "advance", "wait", "restart"]), st.floats(0, 5000)), max_size=12
    )
)
def test_time_never_goes_back(tmp_path_factory: Any, moves: list[tuple[str, float]]) -> None:
    opened = State(tmp_path_factory.mktemp("clock") / "state.db")
    real = [1_800_000_000.0]
    clock = Clock(opened, wall=lambda: real[0])
    before = clock.now()
    for what, amount in moves:
        if what == "speed":
            clock.run_at(amount)
        elif what == "advance":
            clock.advance(amount)
        elif what == "wait":
            real[0] += amount
        else:
            clock = Clock(opened, wall=lambda: real[0])
        assert clock.now() >= before - 1e-3
        before = clock.now()
    opened.close()
