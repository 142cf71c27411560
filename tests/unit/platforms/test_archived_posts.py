"""Files of posts: their forms, what a record means, and bad lines that keep nothing else out."""

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rejoinder.errors import ConfigInvalid, InputUnreadable
from resources.platforms import archive
from resources.platforms.adapters import open_platform
from resources.platforms.archive_fields import read_record, read_time
from resources.platforms.archive_files import read_records
from resources.platforms.failures import Refused

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
SANDBOX = {
    "platform": "x", "platform_post_id": "20", "community": None, "author": "ann", "author_followers": 7,
    "text": "heat pumps? @bob", "created_at": NOON.isoformat(), "url": None, "quotes": None,
    "metrics": {"like_count": 3, "reply_count": 1},
}  # fmt: skip
OF_X = {
    "id": "20", "text": "heat pumps? @bob", "created_at": "2026-11-01T12:00:00.000Z", "author_id": "5",
    "public_metrics": {"like_count": 3, "reply_count": 1},
}  # fmt: skip
EXPORTED = {
    "tweet": {
        "id_str": "20", "full_text": "heat pumps? @bob", "created_at": "Sun Nov 01 12:00:00 +0000 2026",
        "favorite_count": "3", "in_reply_to_status_id_str": "19",
    }
}  # fmt: skip


def heard(path: Path, platform: str = "x", cursor: dict[str, str] | None = None) -> Any:
    client = open_platform("archive", None, {"path": str(path), "platform": platform, "account": "me"})
    return client.hear(cursor or {}, (), ())


def write(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    data = text.encode(encoding)
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return path


@pytest.mark.parametrize("name", ["posts.jsonl", "posts.ndjson", "posts.jsonl.gz"])
def test_lines_in_the_forms_of_the_sandbox_of_x_and_of_an_answer(tmp_path: Path, name: str) -> None:
    answer = {"data": {**OF_X, "id": "21"}, "includes": {"users": [{"id": "5", "username": "Ann"}]}}
    lines = [SANDBOX, {**OF_X, "id": "22"}, answer]
    found = heard(write(tmp_path, name, "\n".join(map(json.dumps, lines)) + "\n\n"))
    assert found.unreadable == () and found.is_complete and found.cursor == {"records": "3"}
    by_id = {post.platform_post_id: post for post in found.posts}
    assert {post.created_at for post in found.posts} == {NOON}
    assert (by_id["20"].author, by_id["20"].mentions, by_id["20"].author_followers) == ("ann", ("bob",), 7)
    assert by_id["20"].metrics == {"like_count": 3, "reply_count": 1} and by_id["21"].author == "Ann"


def test_a_bad_line_says_which_and_why_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = [b"{", b"[1]", b'{"id": "3"}', b'"caf\xe9"', json.dumps({**SANDBOX, "platform": "reddit"}).encode()]
    good = json.dumps(SANDBOX).encode()
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*bad, b"", good]))
    found = heard(tmp_path / "a.jsonl")
    assert [post.platform_post_id for post in found.posts] == ["20"]
    assert [item.raw_id for item in found.unreadable] == [f"a.jsonl:{n}" for n in range(1, 6)]
    reasons = [item.reason for item in found.unreadable]
    for reason, words in zip(
        reasons, ["no JSON", "no JSON object", "no text", "not UTF-8", "of reddit"], strict=True
    ):
        assert words in reason


def test_a_line_without_end_is_one_bad_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resources.platforms.archive_files.LONGEST_LINE", 400)
    path = write(tmp_path, "a.jsonl", "x" * 5000 + "\n" + json.dumps(SANDBOX))
    assert [(record.line, bool(record.value)) for record in read_records(path)] == [(1, False), (2, True)]


def test_a_table_that_is_not_utf8_with_names_of_its_own(tmp_path: Path) -> None:
    rows = (
        "created_at,text,url,replies,retweets,favorites,user\n"
        '10/16/17 22:59,"It’s café, “naïve”\nand more",https://twitter.com/Ann/status/920061541986250758,1,2,3,Ann\n'
        "10/16/17 22:59,short\n"
        "10/16/17 23:10,It’s fine,https://twitter.com/Ann/status/920061541986250759,,,,Ann\n"
    )
    found = heard(write(tmp_path, "t.csv", rows, "cp1252"))
    first, second = found.posts
    assert first.text == "It’s café, “naïve”\nand more" and first.author == "Ann"
    assert first.platform_post_id == "920061541986250758" and second.metrics == {}
    assert first.metrics == {"reply_count": 1, "retweet_count": 2, "like_count": 3}
    assert first.created_at == datetime(2017, 10, 16, 22, 59, tzinfo=UTC)
    assert [item.raw_id for item in found.unreadable] == ["t.csv:4"]


def test_a_table_of_reddit(tmp_path: Path) -> None:
    rows = (
        "created_utc,score,id,title,permalink,selftext,num_comments\n"
        "1365199493.0,4893,1brg0z,A title,http://www.reddit.com/r/Fitness/comments/1brg0z/x/,Body,25\n"
    )
    [post] = heard(write(tmp_path, "r.csv", rows), "reddit").posts
    assert (post.platform_post_id, post.text, post.community) == ("t3_1brg0z", "A title\n\nBody", "Fitness")
    assert post.metrics == {"score": 4893, "num_comments": 25} and post.conversation_id == "t3_1brg0z"


def test_a_table_without_ids_is_refused_with_the_names_it_may_have(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="platform_post_id or tweet_id"):
        heard(write(tmp_path, "t.csv", "text,created_at\nhello,2026-11-01\n"))


def test_an_export_of_x_knows_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "twitter.zip"
    other = {"tweet": {**EXPORTED["tweet"], "id_str": "21"}}
    with zipfile.ZipFile(path, "w") as export:
        export.writestr("x/data/tweets.js", f"window.YTD.tweets.part0 = {json.dumps([EXPORTED, 5])}")
        export.writestr("x/data/tweets-part1.js", f"window.YTD.tweets.part1 = {json.dumps([other])}")
        export.writestr("x/data/account.js", 'window.YTD.account.part0 = [{"account": {"username": "Ann"}}]')
        export.writestr("x/data/direct-messages.js", "window.YTD.direct_messages.part0 = [ ]")
    found = heard(path)
    assert {(p.platform_post_id, p.author, p.created_at) for p in found.posts} == {
        ("20", "Ann", NOON), ("21", "Ann", NOON),
    }  # fmt: skip
    assert found.posts[0].metrics == {"like_count": 3} and found.posts[0].parent_id == "19"
    assert len(found.unreadable) == 1
    [post] = heard(write(tmp_path, "tweets.js", f"window.YTD.tweets.part0 = {json.dumps([EXPORTED])}")).posts
    assert post.author is None


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.xlsx", "x", "jsonl"),
        ("a.zip", "no archive", "a.zip"),
        ("a.json", "{}", "no array"),
        ("a.js", "x=", "JSON"),
    ],
)
def test_a_file_that_is_none_of_these_is_refused(tmp_path: Path, name: str, text: str, words: str) -> None:
    with pytest.raises((ConfigInvalid, InputUnreadable), match=words):
        heard(write(tmp_path, name, text))
    with pytest.raises(ConfigInvalid, match="no file"):
        heard(tmp_path / "missing.csv")


def test_an_archive_is_heard_in_batches_and_goes_on_after_any_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "BATCH", 3)
    lines = [json.dumps({**SANDBOX, "platform_post_id": str(n)}) for n in range(7)]
    path = write(tmp_path, "a.jsonl", "\n".join(lines))
    client = open_platform("archive", None, {"path": str(path), "platform": "x", "account": "me"})
    cursor: dict[str, str] = {}
    ids: list[str] = []
    while True:
        found = client.hear(cursor, (), ())
        ids, cursor = ids + [p.platform_post_id for p in found.posts], dict(found.cursor)
        if found.is_complete:
            break
    assert ids == [str(n) for n in range(7)]
    assert [p.platform_post_id for p in heard(path, cursor={"records": "5"}).posts] == ["5", "6"]
    with pytest.raises(Refused):
        client.publish("1", "text")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        "id",
        "text",
        "created_at",
        "author",
        "user",
        "metrics",
        "url",
        "tweet",
        "data",
        "author_id",
        "mentions",
        "title",
        "platform",
        "parent_id",
    ]
)


@given(record=st.dictionaries(NAMES, JSON, max_size=8), platform=st.sampled_from(["x", "reddit", "other"]))
def test_any_record_is_a_post_or_says_why_not(record: dict[str, Any], platform: str) -> None:
    try:
        posts = read_record(record, platform)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return
    for post in posts:
        assert post.text.strip() and post.platform_post_id and post.created_at.tzinfo is not None


@pytest.mark.parametrize(
    "given_time",
    ["2026-11-01 12:00:00", "2026-11-01T13:00:00+01:00", "1793534400", 1793534400.0, "11/1/2026 12:00"],
)
def test_times_in_many_forms(given_time: object) -> None:
    assert read_time(given_time) == NOON


@pytest.mark.parametrize("given_time", ["", None, "yesterday", "99999999999999999999"])
def test_a_time_that_is_none(given_time: object) -> None:
    with pytest.raises(ValueError, match="time"):
        read_time(given_time)


def test_an_answer_of_x_gives_what_can_be_read_of_it(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl", json.dumps({"data": [OF_X, {"id": "21"}]}))
    found = heard(path)
    assert [post.platform_post_id for post in found.posts] == ["20"]
    assert [(one.raw_id, "1 of its posts" in one.reason) for one in found.unreadable] == [("a.jsonl:1", True)]


@pytest.mark.parametrize("gone", [{"body": "[deleted]"}, {"title": "a title", "selftext": "[removed]"}])
def test_what_was_deleted_on_reddit_before_it_was_archived_is_no_post(gone: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="deleted it"):
        read_record({"id": "a", "created_utc": 1_700_000_000, **gone}, "reddit")


def test_a_damaged_gzip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(b"\x1f\x8b\x08\x00garbagegarbage")
    with pytest.raises(InputUnreadable, match=r"a\.jsonl\.gz cannot be read"):
        heard(path)
