"""Posts from a JSONL file into the state; a bad line is counted with its reason, never fatal."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from resources.sandbox.clock import LATEST, Clock
from resources.sandbox.posts import SandboxPost, insert_post
from resources.sandbox.state import State
from resources.sandbox.x_ids import LARGEST_ID

ID_SHAPE = {"x": re.compile(r"[0-9]{1,19}"), "reddit": re.compile(r"t[13]_[0-9a-z]{1,13}")}
LARGEST_COUNT = 2**63 - 1
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?")


class BadLine(NamedTuple):
    """A line that was skipped; line_number counts from 1."""

    line_number: int
    reason: str


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did: new posts, posts that were there before, and skipped lines."""

    loaded: int
    known: int
    skipped: tuple[BadLine, ...]


def load_posts(state: State, path: Path) -> LoadReport:
    """Load a JSONL file; again is harmless, as (platform, platform_post_id) is unique.

    Moves the clock to at least one minute after the newest post.

    Raises:
        OSError: the file cannot be read.
    """
    loaded = known = 0
    skipped: list[BadLine] = []
    newest: float | None = None
    with state.transaction() as db:
        for line_number, line in numbered_lines(path):
            try:
                post = placed(db, parse_line(line))
            except ValueError as error:
                skipped.append(BadLine(line_number, str(error)))
                continue
            is_new = insert_post(db, post)
            loaded, known = loaded + is_new, known + (not is_new)
            newest = post.created_at if newest is None else max(newest, post.created_at)
        if newest is not None:
            Clock(state).start_after(newest)
    return LoadReport(loaded, known, tuple(skipped))


def numbered_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, with their number from 1."""
    with path.open("rb") as lines:
        for line_number, line in enumerate(lines, 1):
            if line.strip():
                yield line_number, line


def parse_line(line: bytes) -> SandboxPost:
    """One JSONL line as a post.

    Raises:
        ValueError: the line cannot be used; the message is the reason.
    """
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("not JSON in UTF-8") from None
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    return parse_record(record)


def parse_record(record: dict[str, Any]) -> SandboxPost:
    """One JSON object as a post.

    Raises:
        ValueError: it cannot be used; the message is the reason.
    """
    platform, post_id = parse_identity(record)
    return SandboxPost(
        platform=platform,
        id=post_id,
        text=parse_text(record, "text", required=True) or "",
        created_at=parse_time(record.get("created_at")),
        parent_id=parse_relative(record, "parent_id", platform),
        conversation_id=parse_relative(record, "conversation_id", platform) or "",
        community=parse_text(record, "community", required=platform == "reddit"),
        author=parse_text(record, "author"),
        author_followers=parse_count(record, "author_followers"),
        url=parse_text(record, "url"),
        metrics=parse_metrics(record.get("metrics")),
        mentions=parse_mentions(record.get("mentions")),
        quotes=parse_text(record, "quotes"),
        quoted_id=parse_relative(record, "quoted_id", platform),
        retweeted_id=parse_relative(record, "retweeted_id", platform),
        lang=parse_language(record),
    )


def parse_identity(record: dict[str, Any]) -> tuple[str, str]:
    """Platform and id of a record, both checked."""
    platform, post_id = record.get("platform"), record.get("platform_post_id")
    if not isinstance(platform, str) or platform not in ID_SHAPE:
        raise ValueError("platform must be x or reddit")
    if not isinstance(post_id, str) or not ID_SHAPE[platform].fullmatch(post_id):
        raise ValueError("platform_post_id must be decimal digits (x) or a fullname such as t3_abc (reddit)")
    if platform == "x" and int(post_id) > LARGEST_ID:
        raise ValueError("platform_post_id is larger than any id of X")
    return platform, post_id


def parse_relative(record: dict[str, Any], key: str, platform: str) -> str | None:
    """The id of another post of the platform, or None."""
    value = record.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not ID_SHAPE[platform].fullmatch(value):
        raise ValueError(f"{key} must be an id of the platform")
    return value


def placed(db: sqlite3.Connection, post: SandboxPost) -> SandboxPost:
    """The post in its conversation: the one named, else that of its parent, else its own.

    Raises:
        ValueError: it has a parent that is not here and names no conversation.
    """
    if post.conversation_id or post.parent_id is None:
        return replace(post, conversation_id=post.conversation_id or post.id)
    if post.parent_id.startswith("t3_"):
        return replace(post, conversation_id=post.parent_id)
    row = db.execute(
        "SELECT conversation_id FROM post WHERE platform = ? AND id = ?", (post.platform, post.parent_id)
    ).fetchone()
    if row is None:
        raise ValueError(f"parent_id {post.parent_id} is not here: load it first, or give conversation_id")
    return replace(post, conversation_id=row["conversation_id"])


def parse_text(record: dict[str, Any], key: str, *, required: bool = False) -> str | None:
    """A string field; a missing one is None unless it is required."""
    value = record.get(key)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{key} must be text")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"{key} holds half a surrogate pair") from None
    return value.removeprefix("@") if key in ("author", "quotes") else value


def parse_language(record: dict[str, Any]) -> str | None:
    """The code of a language in lower case, or None."""
    value = parse_text(record, "lang")
    if value is not None and not LANGUAGE.fullmatch(value):
        raise ValueError("lang must be the code of a language, such as en")
    return value and value.lower()


def parse_time(value: object) -> float:
    """An ISO 8601 time with a zone, as Unix seconds."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("created_at must be an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise ValueError("created_at must name its time zone")
    if not 0 <= (at := moment.timestamp()) < LATEST:
        raise ValueError("created_at must lie between the years 1970 and 9998")
    return at


def parse_count(record: dict[str, Any], key: str) -> int | None:
    """A whole number >= 0, or None."""
    value = record.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_COUNT:
        raise ValueError(f"{key} must be a whole number")
    return value


def parse_metrics(value: object) -> dict[str, int]:
    """Names to whole numbers (a score may be negative)."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(type(number) is int for number in value.values()):
        raise ValueError("metrics must map names to whole numbers")
    return value


def parse_mentions(value: object) -> tuple[str, ...]:
    """Handles without ``@``."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(handle, str) for handle in value):
        raise ValueError("mentions must be a list of handles")
    return tuple(handle.removeprefix("@") for handle in value)
