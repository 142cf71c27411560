"""What happened in the sandbox, newest first: posts, replies, refusals, faults, edits, events."""

import json
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from resources.sandbox.state import State

MOST = 60


class Moment(NamedTuple):
    """One thing that happened; kind is post, reply, refused, fault or event; at is simulated Unix seconds."""

    at: float
    kind: str
    who: str
    what: str


def moments(state: State, most: int = MOST) -> list[Moment]:
    """The newest things of every kind, in one order."""
    found = [*posts(state, most), *refusals(state, most), *faults(state, most), *events(state, most)]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:most]


def posts(state: State, most: int) -> Iterator[Moment]:
    """Posts of others, and replies of the accounts."""
    rows = state.db.execute(
        "SELECT platform, community, author, text, created_at, is_own, is_deleted FROM post"
        " ORDER BY seq DESC LIMIT ?",
        (most,),
    )
    for row in rows:
        place = f"r/{row['community']}" if row["platform"] == "reddit" else "X"
        text = "deleted" if row["is_deleted"] else row["text"]
        who = f"{place} · {row['author'] or 'unknown'}"
        yield Moment(row["created_at"], "reply" if row["is_own"] else "post", who, text)


def refusals(state: State, most: int) -> Iterator[Moment]:
    """Write requests that were refused, by an ordered fault or by a rule."""
    rows = state.db.execute(
        "SELECT at, platform, account, error, text FROM witness WHERE error IS NOT NULL ORDER BY id DESC LIMIT ?",
        (most,),
    )
    for row in rows:
        yield Moment(
            row["at"],
            "refused",
            f"{row['platform']} · {row['account'] or ''}",
            f"{row['error']}: {row['text'] or ''}",
        )


def faults(state: State, most: int) -> Iterator[Moment]:
    """Faults that struck."""
    rows = state.db.execute("SELECT at, endpoint, kind FROM struck ORDER BY id DESC LIMIT ?", (most,))
    return (Moment(row["at"], "fault", row["endpoint"], row["kind"]) for row in rows)


def events(state: State, most: int) -> Iterator[Moment]:
    """What a scenario did, but for the posts that it made, which stand for themselves."""
    rows = state.db.execute(
        "SELECT at, kind, outcome FROM event WHERE done_at IS NOT NULL AND kind <> 'post'"
        " ORDER BY at DESC LIMIT ?",
        (most,),
    )
    return (Moment(row["at"], "event", row["kind"], row["outcome"] or "") for row in rows)


def to_come(state: State, most: int) -> list[tuple[float, str, str]]:
    """The next events: time, kind, and what they say."""
    rows = state.db.execute(
        "SELECT at, kind, body FROM event WHERE done_at IS NULL ORDER BY at, id LIMIT ?", (most,)
    )
    return [(row["at"], row["kind"], told(json.loads(row["body"]))) for row in rows]


def told(body: Mapping[str, object]) -> str:
    """An event's values in one line; a setting without a value gets its default.

    >>> told({"endpoint": "search", "kind": "503", "times": 2})
    'endpoint search, kind 503, times 2'
    >>> told({"posts_per_month": None})
    'posts_per_month default'
    """
    return ", ".join(f"{key} {'default' if value is None else value}" for key, value in body.items())
