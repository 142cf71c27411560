"""Putting a scenario into a state: its accounts, its clock, its posts, and its events to come."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from resources.sandbox.clock import Clock
from resources.sandbox.credentials import ensure_credentials
from resources.sandbox.load import LoadReport, load_posts
from resources.sandbox.made_posts import add_many, add_record, read_many
from resources.sandbox.posts import find_post
from resources.sandbox.scenario import Scenario, ScenarioInvalid
from resources.sandbox.scenario_form import EventForm, read_duration
from resources.sandbox.state import State

KEY = "scenario"
ACCOUNT = "{account}"
DROPPED = "dropped: another scenario was started"


class Started(NamedTuple):
    """What a start came to: whether the scenario goes on where it was, and how many events wait."""

    goes_on: bool
    waiting: int


def start_scenario(state: State, scenario: Scenario, account: str | None = None) -> Started:
    """Start a scenario, or go on with it where the state holds the same one.

    Another scenario in the state ends: its events to come are dropped, and what it made stays.

    Raises:
        ScenarioInvalid: a post cannot be used.
    """
    known = current_scenario(state)
    if known is not None and known["digest"] == scenario.digest:
        return Started(True, count_waiting(state))
    handle = ensure_credentials(state, account, scenario.form.accounts).account
    with state.transaction() as db:
        drop_waiting(db, Clock(state).now())
        load_files(state, scenario)
        started_at = set_clock(state, scenario)
        for place, posts in enumerate(scenario.form.posts):
            add_start_posts(state, f"posts[{place}]", filled(posts.model_dump(), handle), started_at)
        for event in scenario.form.events:
            add_event(db, event, started_at, handle)
        record = {"name": scenario.name, "description": scenario.form.description, "digest": scenario.digest}
        state.set_meta(KEY, json.dumps({**record, "started_at": started_at}))
    return Started(False, count_waiting(state))


def current_scenario(state: State) -> dict[str, Any] | None:
    """Name, description, digest and start (Unix seconds) of the scenario in a state."""
    stored = state.meta(KEY)
    return None if stored is None else dict(json.loads(stored))


def count_waiting(state: State) -> int:
    """How many events are to come."""
    return int(state.db.execute("SELECT count(*) FROM event WHERE done_at IS NULL").fetchone()[0])


def drop_waiting(db: sqlite3.Connection, now: float) -> None:
    """End the scenario that is in the state."""
    db.execute("UPDATE event SET done_at = ?, outcome = ? WHERE done_at IS NULL", (now, DROPPED))


def load_files(state: State, scenario: Scenario) -> None:
    """Load the files of posts that a scenario names, relative to its own."""
    for place, posts in enumerate(scenario.form.posts):
        if posts.file is None:
            continue
        try:
            report: LoadReport = load_posts(state, scenario.folder / posts.file)
        except OSError as error:
            raise ScenarioInvalid(
                f"posts[{place}].file: cannot read {posts.file}: {error.strerror}"
            ) from None
        if report.skipped:
            bad = report.skipped[0]
            raise ScenarioInvalid(f"posts[{place}].file: {posts.file}:{bad.line_number}: {bad.reason}")


def set_clock(state: State, scenario: Scenario) -> float:
    """Bring the clock to the start and to its speed; the time it is then."""
    clock, wanted = Clock(state), scenario.form.clock
    if wanted.start is not None:
        clock.start_at(wanted.start.timestamp())
    clock.run_at(wanted.speed)
    return clock.now()


def add_start_posts(state: State, place: str, posts: dict[str, Any], started_at: float) -> None:
    """Add what is there from the start; a post that is there already stays as it is."""
    try:
        if posts["post"] is not None:
            record = dict(posts["post"])
            at = started_at - read_duration(record.pop("ago", 0))
            post_id = str(record.get("platform_post_id") or record.get("id"))
            if find_post(state, record["platform"], post_id) is None:
                add_record(state.db, record, at)
        elif posts["generate"] is not None:
            add_many(state.db, read_many(posts["generate"]), started_at)
    except ValueError as error:
        raise ScenarioInvalid(f"{place}: {error}") from None


def add_event(db: sqlite3.Connection, event: EventForm, started_at: float, handle: str) -> None:
    """Write down an event, as often as it happens."""
    body = json.dumps(filled(event.body, handle))
    for at in moments(event):
        db.execute("INSERT INTO event (at, kind, body) VALUES (?, ?, ?)", (started_at + at, event.kind, body))


def moments(event: EventForm) -> Iterator[float]:
    """When an event happens, in seconds after the start."""
    return (event.at + number * (event.every or 0.0) for number in range(event.times))


def filled(value: Any, handle: str) -> Any:
    """The same with the account's handle in every text that asks for it.

    >>> filled({"text": "@{account} is that so?", "mentions": ["{account}"]}, "me")
    {'text': '@me is that so?', 'mentions': ['me']}
    """
    if isinstance(value, str):
        return value.replace(ACCOUNT, handle)
    if isinstance(value, list):
        return [filled(each, handle) for each in value]
    if isinstance(value, dict):
        return {key: filled(each, handle) for key, each in value.items()}
    return value
