"""Files imported as heard on a channel: history beside triage, runs that go on, accounts that add up."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from rejoinder.errors import ConfigInvalid, InputUnreadable
from rejoinder.listening.policy import default_policy
from resources import importing
from resources.importing import ImportReport, import_posts
from resources.platforms import archive
from resources.platforms.adapters import open_platform
from resources.store.post_edits import ARCHIVED
from resources.work.stopping import StopSignal


def line(number: int, *, days_old: float = 900, **changes: Any) -> str:
    created = datetime.now(UTC) - timedelta(days=days_old)
    record = {
        "id": str(number),
        "text": f"post {number}",
        "created_at": created.isoformat(),
        "user": f"a{number}",
    }
    return json.dumps({**record, **changes})


def run(desk: Any, path: Path, **named: Any) -> ImportReport:
    return import_posts(desk.db, "rehearsal", path, stop=named.pop("stop", StopSignal()), **named)


def write(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_history_stays_out_of_triage_and_the_new_does_not(desk, tmp_path):
    desk.channel()
    lines = [line(1), line(2, days_old=1), line(3, days_old=1, user="Rejoinder"), "broken", line(1)]
    report = run(desk, write(tmp_path / "a.jsonl", lines))
    counts = report.counts
    assert (report.records, counts.new, counts.quarantined, report.is_complete) == (5, 3, 1, True)
    rows = desk.rows("select platform_post_id as id, status, rejection_reason as reason from post order by 1")
    assert [(r["id"], r["status"], r["reason"]) for r in rows] == [
        ("1", "rejected", ARCHIVED),
        ("2", "pending", None),
        ("3", "rejected", ARCHIVED),
    ]
    ages = desk.rows("select platform_post_id as id from post where checked_at > now() order by 1")
    assert [row["id"] for row in ages] == ["1", "3"], "the sandbox is not asked about history"
    with desk.db.transaction() as tx:
        shown = tx.rows("preview_post_standings", top=5)
    assert [row["platform_post_id"] for row in shown] == ["2"], "nor shown among those that were looked up"
    [kept] = desk.rows("select name, reason from quarantine")
    assert kept["name"] == "x:a.jsonl:4" and kept["reason"].startswith("line 4: ")


def test_ids_and_names_that_are_none_keep_nothing_else_out(desk, tmp_path):
    desk.channel()
    whole = {
        "data": [{"id": "5", "text": "whole", "created_at": "2026-11-01T12:00:00.000Z", "author_id": "7"}],
        "includes": {"users": [{"id": "7", "username": 7}]},
    }
    odd = [line(2, parent_id="9\0"), line(3, in_reply_to_status_id="half \ud83d", text="@rejoinder stop")]
    report = run(desk, write(tmp_path / "a.jsonl", [line(1), *odd, line(4), json.dumps(whole)]))
    assert (report.counts.new, report.counts.quarantined, report.is_complete) == (3, 2, True)
    rows = desk.rows("select platform_post_id as id, author from post order by 1")
    assert [(row["id"], row["author"]) for row in rows] == [("1", "a1"), ("4", "a4"), ("5", "7")]


def test_nothing_goes_to_triage_when_so_asked(desk, tmp_path):
    desk.channel()
    run(desk, write(tmp_path / "a.jsonl", [line(1, days_old=0.1)]), triage_days=0)
    assert [row["status"] for row in desk.rows("select status from post")] == ["rejected"]


@pytest.mark.parametrize(
    ("policy", "keep_days", "kept"),
    [
        ("x/self_serve", 30, ["2", "3"]),
        ("x/self_serve", 0, ["1", "2", "3"]),
        ("sandbox/x/self_serve", 30, ["1", "2", "3"]),
    ],
)
def test_what_would_be_purged_at_once_is_left_out(desk, tmp_path, policy, keep_days, kept):
    desk.channel(policy=default_policy(policy))
    path = write(tmp_path / "a.jsonl", [line(1, days_old=31), line(2, days_old=29), line(3, days_old=1)])
    report = run(desk, path, keep_days=keep_days)
    assert (report.counts.new, report.too_old, report.records) == (len(kept), 3 - len(kept), 3)
    rows = desk.rows("select platform_post_id as id from post order by 1")
    assert [row["id"] for row in rows] == kept


def test_what_stands_before_the_damage_in_a_file_is_kept(desk, tmp_path):
    desk.channel()
    whole = gzip.compress("\n".join(line(n, text=f"{n} {'ab' * n}") for n in range(2000)).encode())
    path = tmp_path / "cut.jsonl.gz"
    path.write_bytes(whole[: len(whole) // 2])
    for _ in range(2):
        with pytest.raises(InputUnreadable, match=r"cut\.jsonl\.gz cannot be read"):
            run(desk, path)
        [row] = desk.rows("select count(*)::int as n, count(distinct platform_post_id)::int as ids from post")
        assert 0 < row["n"] < 2000 and row["n"] == row["ids"]
    again = open_platform("archive", None, {"path": str(path), "platform": "x", "account": "a"})
    for _ in range(2):
        with pytest.raises(InputUnreadable):
            again.hear({"records": str(row["n"])}, (), ())


def test_files_that_differ_behind_the_same_beginning_are_two(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "IDENTITY_BYTES", 64)
    desk.channel()
    first, other = ([line(1, text="long " * 50), line(n, days_old=1)] for n in (2, 3))
    other[1] = other[1].replace("post 3", "post 2")
    paths = [write(tmp_path / f"{n}.jsonl", lines) for n, lines in enumerate((first, other))]
    assert paths[0].stat().st_size == paths[1].stat().st_size
    assert [run(desk, path).counts.new for path in paths] == [2, 1]
    assert [run(desk, path).counts.seen for path in paths] == [0, 0]


def test_an_import_that_was_stopped_goes_on_where_it_was(desk, tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "BATCH", 2)
    desk.channel()
    path, stop = write(tmp_path / "a.jsonl", [line(n) for n in range(7)]), StopSignal()
    first = run(desk, path, stop=stop, progress=lambda _: stop.set())
    assert (first.records, first.counts.new, first.is_complete) == (2, 2, False)
    second = run(desk, path)
    assert (second.records, second.counts.new, second.is_complete) == (7, 5, True)
    assert run(desk, path).counts.seen == 0
    again = run(desk, path, from_start=True)
    assert (again.records, again.counts.known, again.counts.new) == (7, 7, 0)


def test_authors_who_opted_out_are_left_out_of_archives_too(desk, tmp_path):
    desk.channel()
    desk.rows("insert into opt_out (platform, author, reason) values ('x', 'A1', 'stop')")
    report = run(desk, write(tmp_path / "a.jsonl", [line(1), line(2)]))
    assert (report.counts.opted_out, report.counts.new) == (1, 1)


def test_a_channel_or_file_that_is_not_there(desk, tmp_path):
    with pytest.raises(ConfigInvalid, match="no enabled channel"):
        run(desk, write(tmp_path / "a.jsonl", []))
    desk.channel()
    with pytest.raises(ConfigInvalid, match="no file"):
        run(desk, tmp_path / "b.jsonl")
    assert run(desk, tmp_path / "a.jsonl").counts.seen == 0
