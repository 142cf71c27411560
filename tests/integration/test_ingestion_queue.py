"""The queue of inputs: taken in once, read once, set aside with a reason, tried again, alive after a kill."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest

from rejoinder.errors import ConfigInvalid, InputUnreadable, NotAllowed, ServiceUnavailable
from resources.commands import upkeep
from resources.commands.actors import Actor, machine_owner
from resources.commands.sources import add_upload, again
from resources.due import sources_due
from resources.extracting import ReaderFailed
from resources.fetching import Fetched, FetchFailed
from resources.inbox import ingest_paths, open_intake, work_off_inputs
from resources.ingesting import IngestReport, Taken
from resources.living_worker import living_worker
from resources.objects import ObjectStore, StorageFailed, StoreAway
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.steps.ingestion import Extracting, Fetching
from resources.store.input_names import hold_names
from resources.tuning import StageTuning, Tuning
from resources.work.runner import Report, work_off
from resources.work.stopping import StopSignal
from resources.workbench import Workbench

VTT = "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ada>Heat pumps work below zero, said {}.\n"
NOISE = bytes(range(256)) * 40
TUNING = StageTuning(batch=5, timeout_s=20, max_attempts=2, backoff_s=60)


@dataclass
class Room:
    """A home with a queue, a folder to bring files from, and a look behind the curtain."""

    bench: Workbench
    folder: Path
    owner: Database

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def ingest(self, *paths: Path) -> IngestReport:
        return ingest_paths(self.bench, paths or [self.folder])

    def take(self, *paths: Path) -> Taken:
        intake = open_intake(self.bench, machine_owner())
        return intake.take_files([(path.name, path) for path in paths or self.folder.iterdir()])

    def work(self, step: Any, tuning: StageTuning = TUNING) -> Report:
        return work_off(step, db=self.bench.db, tuning=tuning, stop=StopSignal())

    def rows(self, statement: str, *values: object) -> list[dict[str, Any]]:
        with self.owner.transaction() as tx:
            return tx.connection.execute(statement, values).fetchall()

    def do(self, statement: str, *values: object) -> None:
        with self.owner.transaction() as tx:
            tx.connection.execute(statement, values)

    def standing(self) -> dict[str, str]:
        """Name to step, status and outcome."""
        rows = self.rows("select name, step, status, outcome from ingestion")
        return {r["name"]: f"{r['step']}/{r['status']}/{r['outcome'] or '-'}" for r in rows}


@pytest.fixture
def room(addresses: Addresses, db: Database, owner_db: Database, tmp_path: Path) -> Room:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        row = tx.connection.execute(
            "insert into project (creator_id, name) select id, 'p' from creator returning id"
        ).fetchone()
    assert row
    bench = Workbench(Settings(home=tmp_path), Tuning(), addresses, db, cast(Any, None), 0, row["id"])
    folder = tmp_path / "brought"
    folder.mkdir()
    return Room(bench, folder, owner_db)


def test_files_become_sources_with_cues_and_raw_bytes(room: Room) -> None:
    path = room.write("one.vtt", VTT.format("one"))
    assert room.ingest().new == ["one.vtt"]
    (source,) = room.rows("select name, step, status, content_hash, raw_key, duration_s from source")
    assert (source["step"], source["status"], source["duration_s"]) == ("chunk", "pending", 4.0)
    assert room.bench.objects.get(source["raw_key"]) == path.read_bytes()
    assert source["raw_key"].endswith(source["content_hash"])
    assert room.rows("select speaker from cue") == [{"speaker": "Ada"}]
    assert room.standing() == {"one.vtt": "done/completed/new"}


def test_known_content_is_left_alone_and_changed_content_is_read(room: Room) -> None:
    one, _ = room.write("one.vtt", VTT.format("one")), room.write("two.vtt", VTT.format("two"))
    room.ingest()
    room.do("update source set step = 'ready', status = 'completed'")
    assert room.ingest().unchanged == ["one.vtt", "two.vtt"]
    assert not room.take().waiting
    room.write("one.vtt", VTT.format("one, changed"))
    report = room.ingest()
    assert (report.changed, report.unchanged) == (["one.vtt"], ["two.vtt"])
    places = room.rows("select name, step from source order by name")
    assert [p["step"] for p in places] == ["chunk", "ready"]
    assert (
        "changed"
        in room.rows("select text from cue c join source s on s.id = c.source_id where s.name = 'one.vtt'")[
            0
        ]["text"]
    )
    assert one.exists()


def test_one_bad_file_is_set_aside_and_the_rest_goes_on(room: Room) -> None:
    for n in range(6):
        room.write(f"{n}.vtt", VTT.format(n))
    room.write("3.vtt", NOISE)
    report = room.ingest()
    assert len(report.new) == 5 and list(report.quarantined) == ["3.vtt"]
    (row,) = room.rows("select kind, name, reason, raw_key from quarantine")
    assert (row["kind"], row["name"]) == ("source", "3.vtt") and row["reason"] == report.quarantined["3.vtt"]
    assert room.bench.objects.get(row["raw_key"]) == NOISE
    assert room.standing()["3.vtt"] == "done/completed/quarantined"
    assert not room.rows("select 1 from dead_letter")


def test_what_json_can_write_and_no_database_can_keep(room: Room) -> None:
    segment = (
        r'{"start": 0, "end": 4, "speaker": "A\u0000da", "text": "Heat \u0000pumps \ud800work below zero."}'
    )
    room.write("a.json", '{"title": "T\\u0000", "segments": [' + segment + "]}")
    assert room.ingest().new == ["a.json"]
    assert room.rows("select speaker, text from cue") == [
        {"speaker": "Ada", "text": "Heat pumps work below zero."}
    ]


def test_a_corrected_file_leaves_quarantine(room: Room) -> None:
    room.write("a.vtt", NOISE)
    room.ingest()
    room.write("a.vtt", NOISE[:-1])
    assert list(room.ingest().quarantined) == ["a.vtt"]
    assert len(room.rows("select 1 from quarantine")) == 1
    room.write("a.vtt", VTT.format("a"))
    assert room.ingest().new == ["a.vtt"]
    assert room.rows("select 1 from quarantine") == []


def test_what_is_too_large_is_not_even_taken_in(room: Room) -> None:
    small = Tuning.model_validate({"ingestion": {"largest_mib": 1}})
    room.bench = replace(room.bench, tuning=small)
    room.write("big.txt", "word " * 300_000)
    assert room.ingest().quarantined == {"big.txt": "larger than 1 MiB"}
    assert room.standing() == {"big.txt": "done/completed/quarantined"}
    assert not list((room.bench.settings.home_dir / "objects").rglob("*"))


@pytest.fixture
def shows(room: Room) -> list[Path]:
    """Two folders with a file of the same name each, and different words in it."""
    for name in ("a", "b"):
        (room.folder / name).mkdir()
        room.write(f"{name}/001.vtt", VTT.format(name))
    return [room.folder / name / "001.vtt" for name in ("a", "b")]


def said(room: Room) -> dict[str, str]:
    """Each source and its last word."""
    rows = room.rows("select s.name, c.text from source s join cue c on c.source_id = s.id")
    return {row["name"]: row["text"].rstrip(".").rsplit(" ", 1)[1] for row in rows}


def test_files_of_one_name_in_one_command_are_told_apart(room: Room, shows: list[Path]) -> None:
    assert room.ingest(shows[0].parent, shows[1].parent, *shows).new == ["a/001.vtt", "b/001.vtt"]
    assert room.ingest(room.folder).unchanged == ["a/001.vtt", "b/001.vtt"]


def test_a_file_of_the_same_name_from_elsewhere_replaces_nothing(room: Room, shows: list[Path]) -> None:
    assert room.ingest(shows[0]).new == ["001.vtt"]
    report = room.ingest(shows[1])
    assert (report.new, report.told_apart) == (["b/001.vtt"], {"b/001.vtt": "001.vtt"})
    assert said(room) == {"001.vtt": "a", "b/001.vtt": "b"}


def test_the_same_place_edited_is_the_same_source_however_it_is_given(
    room: Room, shows: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    room.ingest(shows[0])
    room.ingest(shows[1])
    for n, given in enumerate((shows, [room.folder], [shows[0].parent, shows[1].parent])):
        for path in shows:
            path.write_text(VTT.format(f"{path.parent.name}{n}"))
        assert room.ingest(*given).changed == ["001.vtt", "b/001.vtt"]
    assert said(room) == {"001.vtt": "a2", "b/001.vtt": "b2"}
    monkeypatch.chdir(shows[1].parent)
    shows[1].write_text(VTT.format("here"))
    assert room.ingest(Path("001.vtt")).changed == ["b/001.vtt"]
    link = room.folder / "link"
    link.symlink_to(shows[0].parent)
    shows[0].write_text(VTT.format("linked"))
    assert room.ingest(link / "001.vtt").changed == ["001.vtt"]


def test_a_bad_file_of_the_same_name_sets_nothing_else_aside(room: Room, shows: list[Path]) -> None:
    room.ingest(shows[0])
    shows[1].write_bytes(NOISE)
    assert list(room.ingest(shows[1]).quarantined) == ["b/001.vtt"]
    room.bench = replace(room.bench, tuning=Tuning.model_validate({"ingestion": {"largest_mib": 1}}))
    third = room.folder / "c" / "001.vtt"
    third.parent.mkdir()
    third.write_text("word " * 300_000)
    assert list(room.ingest(third).quarantined) == ["c/001.vtt"]
    assert room.standing()["001.vtt"] == "done/completed/new"


def test_a_file_that_was_moved_takes_its_name_along_and_a_copy_does_not(
    room: Room, shows: list[Path]
) -> None:
    room.ingest(shows[0])
    shows[1].write_bytes(shows[0].read_bytes())
    assert room.ingest(shows[1]).unchanged == ["001.vtt"], "a copy is known"
    shows[1].write_text(VTT.format("own"))
    assert room.ingest(shows[1]).new == ["b/001.vtt"], "until it goes its own way"
    moved = shows[0].rename(room.folder / "001.vtt")
    assert room.ingest(moved).unchanged == ["001.vtt"]
    moved.write_text(VTT.format("moved"))
    assert room.ingest(moved).changed == ["001.vtt"]
    assert said(room) == {"001.vtt": "moved", "b/001.vtt": "own"}


def test_uploads_and_the_inbox_are_places_of_their_own(room: Room, shows: list[Path]) -> None:
    room.ingest(shows[0])
    inbox = room.bench.settings.home_dir / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / "001.vtt").write_text(VTT.format("inbox"))
    assert ingest_paths(room.bench).new == ["inbox/001.vtt"]
    for n in (1, 2):
        intake = open_intake(room.bench, machine_owner())
        add_upload(intake, machine_owner(), "001.vtt", VTT.format(f"sent{n}").encode())
        work_off_inputs(room.bench)
    assert said(room) == {"001.vtt": "a", "inbox/001.vtt": "inbox", "upload/001.vtt": "sent2"}
    moved = Settings(home=room.folder.parent / "elsewhere")
    room.bench = replace(room.bench, settings=moved)
    new_inbox = moved.home_dir / "inbox"
    new_inbox.mkdir(parents=True)
    (new_inbox / "001.vtt").write_text(VTT.format("edited"))
    assert ingest_paths(room.bench).changed == ["inbox/001.vtt"], "wherever the home is"


def test_an_upload_takes_no_name_of_an_address(room: Room) -> None:
    intake, address = open_intake(room.bench, machine_owner()), "https://pod.example/1"
    add_upload(intake, machine_owner(), address, VTT.format("sent").encode())
    intake.take_urls([address])
    assert {row["origin"] for row in room.rows("select origin from ingestion")} == {"upload", "url"}


def test_what_was_known_by_name_alone_stays_one_source(room: Room, shows: list[Path]) -> None:
    """As an installation that kept no places had it."""
    room.ingest(shows[0])
    room.do("update ingestion set place = null")
    shows[0].write_text(VTT.format("edited"))
    assert room.ingest(shows[0]).changed == ["001.vtt"]
    assert room.ingest(shows[1]).new == ["b/001.vtt"], "and from then on its place is known"


def test_two_that_bring_files_of_one_name_at_once(room: Room, shows: list[Path]) -> None:
    intake = open_intake(room.bench, machine_owner())
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda path: intake.take_files([("001.vtt", path)]), shows * 4))
    work_off_inputs(room.bench)
    assert sorted(said(room).values()) == ["a", "b"]


def test_a_place_that_another_takes_meanwhile_is_waited_for(room: Room, db: Database) -> None:
    """A file that was moved is about to be remembered at its new place, which somebody else gives to another."""
    old = room.write("a.vtt", VTT.format("a"))
    room.ingest()
    room.write("b.vtt", VTT.format("b"))
    room.ingest(room.folder / "b.vtt")
    moved = room.folder / "new" / "a.vtt"
    moved.parent.mkdir()
    old.rename(moved)
    with ThreadPoolExecutor(1) as pool, db.transaction() as tx:
        hold_names(tx, room.bench.project_id)
        tx.execute("remember_place", project_id=room.bench.project_id, name="b.vtt", place=str(moved))
        taking = pool.submit(room.take, moved)
        while not (taking.done() or room.rows("select 1 from pg_locks where not granted")):
            time.sleep(0.01)
        tx.connection.commit()
        assert taking.result().waiting == ["b.vtt"], "what is at a place is known by that"


def test_names_longer_than_an_index_takes(room: Room) -> None:
    deep = room.folder.joinpath(*(secrets.token_hex(100) for _ in range(14)))
    deep.mkdir(parents=True)
    for name in ("x.vtt", "y.vtt"):
        (deep / name).write_text(VTT.format(name))
    room.write("short.vtt", VTT.format("z"))
    names = room.ingest().new
    assert len(names) == 3 and sorted(map(len, names)) == [9, 500, 500]
    assert len(room.ingest().unchanged) == 3


def test_asking_twice_waits_once(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()
    room.take()
    assert room.standing() == {"a.vtt": "extract/pending/-"}
    assert sources_due(room.bench.db) == 1
    assert room.ingest().new == ["a.vtt"]


def test_content_that_changes_back_while_it_waits(room: Room) -> None:
    path = room.write("a.vtt", VTT.format("first"))
    room.ingest()
    room.write("a.vtt", VTT.format("second"))
    room.take(path)
    room.write("a.vtt", VTT.format("first"))
    room.take(path)
    assert work_off_inputs(room.bench).unchanged == ["a.vtt"]
    (cue,) = room.rows("select text from cue")
    assert "first" in cue["text"]


def test_what_could_not_be_read_is_left_alone_in_the_inbox(room: Room) -> None:
    inbox = room.bench.settings.home_dir / "inbox"
    inbox.mkdir()
    (inbox / "a.vtt").write_bytes(NOISE)
    assert list(ingest_paths(room.bench).quarantined) == ["a.vtt"]
    assert ingest_paths(room.bench).unchanged == ["a.vtt"]
    assert list(ingest_paths(room.bench, [inbox]).quarantined) == ["a.vtt"], "given by name it is read again"


def test_content_that_comes_while_the_old_is_read_wins(room: Room) -> None:
    room.write("a.vtt", VTT.format("old"))
    room.take()

    def extract(name: str, data: bytes, _: str | None) -> Any:
        if b"old" in data:
            room.write("a.vtt", VTT.format("young"))
            room.take()
        return plain(name, data, None)

    report = room.work(Extracting(room.bench.objects, extract))
    assert report.outcomes == {"lease_lost": 1, "new": 1}
    (cue,) = room.rows("select text from cue")
    assert "young" in cue["text"]


def plain(name: str, data: bytes, _: str | None) -> Any:
    from rejoinder.corpus.transcripts.read import parse_transcript

    return parse_transcript(name, data)


@dataclass(frozen=True)
class Away(ObjectStore):
    """A store that does not answer."""

    def get(self, key: str) -> bytes:
        raise StoreAway("the object store could not be read (ConnectionError)")

    def put(self, data: bytes) -> str:
        raise StoreAway("the object store could not be written (ConnectionError)")


@dataclass(frozen=True)
class OneBroken(ObjectStore):
    """A store that cannot give one object."""

    def get(self, key: str) -> bytes:
        raise StorageFailed("the object store could not be read (PermissionError)")


def test_a_store_that_is_away_is_waited_for_however_long(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()
    step, waits = Extracting(Away(None, "", False), plain), []
    for _ in range(6):
        assert room.work(step).outcomes == {"failed": 1}
        assert room.work(step).outcomes == {}, "it waits for its back-off"
        (row,) = room.rows("select attempts, last_error, due_at - updated_at as wait from ingestion")
        waits.append(round(row["wait"].total_seconds()))
        assert row["attempts"] == 0 and "could not be read" in row["last_error"]
        room.do(
            "update ingestion set due_at = due_at - interval '1 day', updated_at = updated_at - interval '1 day'"
        )
    assert waits == [60, 120, 240, 480, 600, 600]
    assert work_off_inputs(room.bench).new == ["a.vtt"], "without anybody asking for it"
    assert not room.rows("select 1 from dead_letter")


def test_a_fetched_transcript_waits_for_a_store_that_cannot_be_written(room: Room) -> None:
    open_intake(room.bench, machine_owner()).take_urls(["https://pod.example/a.vtt"])
    answer = Fetched(VTT.format("a").encode(), "https://pod.example/a.vtt")
    step = Fetching(cast(Any, Answering(answer)), Away(None, "", False), 60)
    assert room.work(step).outcomes == {"failed": 1}
    assert room.rows("select attempts, step from ingestion") == [{"attempts": 0, "step": "fetch"}]


def test_one_object_that_cannot_be_read_is_dead_in_the_end(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()
    step = Extracting(OneBroken(None, "", False), plain)
    assert room.work(step).outcomes == {"failed": 1}
    assert room.work(step).outcomes == {}, "it waits for its back-off"
    room.do("update ingestion set due_at = now()")
    assert room.work(step).outcomes == {"dead": 1}
    (letter,) = room.rows("select item_table, step, reason from dead_letter where revived_at is null")
    assert (letter["item_table"], letter["step"]) == ("ingestion", "extract") and "object store" in letter[
        "reason"
    ]
    done = upkeep.retry(room.bench.db, machine_owner(), "extract")
    assert done.revived == {"ingestion": 1}
    assert work_off_inputs(room.bench).new == ["a.vtt"]
    assert not room.rows("select 1 from dead_letter where revived_at is null")


def test_a_reader_that_cannot_start_is_tried_again_and_sets_nothing_aside(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()

    def broken(*_: object) -> Any:
        raise ReaderFailed("the program that reads it cannot start: No module named 'pypdf'")

    for outcome in ("failed", "dead"):
        room.do("update ingestion set due_at = now()")
        assert room.work(Extracting(room.bench.objects, broken)).outcomes == {outcome: 1}
    assert "pypdf" in room.rows("select reason from dead_letter")[0]["reason"]
    assert not room.rows("select 1 from quarantine")


def test_what_waited_from_before_and_fails_now_is_reported(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()
    (row,) = room.rows("select raw_key from ingestion")
    kept = room.bench.settings.home_dir / "objects" / row["raw_key"]
    kept.unlink()
    kept.mkdir()
    report = work_off_inputs(room.bench)
    assert "object store could not be read" in report.failed["a.vtt"]


def test_taking_in_stops_where_the_store_is_away(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    intake = replace(open_intake(room.bench, machine_owner()), objects=Away(None, "", False))
    with pytest.raises(ServiceUnavailable, match="object store"):
        intake.take_files([("a.vtt", room.folder / "a.vtt")])
    assert room.standing() == {}


class Answering:
    """A fetcher whose answers are given; an exception is raised."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def fetch(self, url: str, validators: Any = None) -> Any:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_waits_double_and_a_server_that_asks_for_more_gets_it(room: Room) -> None:
    intake = open_intake(room.bench, machine_owner())
    intake.take_urls(["https://pod.example/a.vtt"])
    busy, slow = FetchFailed("busy"), FetchFailed("busy", retry_after_s=7_200)
    step = Fetching(cast(Any, Answering(busy, busy, slow)), room.bench.objects, 60)
    waits = []
    for _ in range(3):
        room.work(step, replace_tuning(max_attempts=9))
        waits.append(room.rows("select extract(epoch from due_at - now())::int as s from ingestion")[0]["s"])
        room.do("update ingestion set due_at = now()")
    assert [round(wait / 60) for wait in waits] == [1, 2, 120]


def replace_tuning(**changes: Any) -> StageTuning:
    return TUNING.model_copy(update=changes)


def test_a_refusal_is_set_aside_and_trouble_is_not(room: Room) -> None:
    intake = open_intake(room.bench, machine_owner())
    intake.take_urls([f"https://pod.example/{n}.vtt" for n in range(2)])
    answers = Answering(InputUnreadable("answered 404"), FetchFailed("busy"))
    step = Fetching(cast(Any, answers), room.bench.objects, 60)
    assert room.work(step).outcomes == {"quarantined": 1, "failed": 1}
    assert sorted(room.standing().values()) == ["done/completed/quarantined", "fetch/failed/-"]


def test_what_was_set_aside_is_counted_at_the_step_that_did_it(room: Room) -> None:
    intake = open_intake(room.bench, machine_owner())
    intake.take_urls([f"https://pod.example/{n}.vtt" for n in range(2)])
    room.write("noise.vtt", NOISE)
    room.take()
    refused = InputUnreadable("answered 404")
    good = Fetched(VTT.format("a").encode(), "https://pod.example/1.vtt")
    room.work(Fetching(cast(Any, Answering(refused, good)), room.bench.objects, 60))
    work_off_inputs(room.bench)
    assert counts(room) == {"fetch/quarantined": 1, "extract/quarantined": 1, "chunk/pending": 1}
    again(room.bench.db, machine_owner(), room.bench.project_id, "https://pod.example/1.vtt", "fetch")
    room.work(Fetching(cast(Any, Answering(refused)), room.bench.objects, 60))
    assert counts(room)["fetch/quarantined"] == 2, "also where its bytes of an earlier day are kept"


def counts(room: Room) -> dict[str, int]:
    """What `rejoinder status` shows of sources."""
    with room.bench.db.transaction() as tx:
        return {f"{row['step']}/{row['status']}": row["n"] for row in tx.rows("count_by_step")}


def test_a_damaged_object_is_set_aside(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.take()
    (row,) = room.rows("select raw_key from ingestion")
    (room.bench.settings.home_dir / "objects" / row["raw_key"]).write_bytes(b"other")
    assert "damaged" in work_off_inputs(room.bench).quarantined["a.vtt"]
    assert room.ingest().new == ["a.vtt"]


def test_bytes_that_are_gone_come_back_when_the_input_is_given_again(room: Room, db: Database) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.ingest()
    (row,) = room.rows("select raw_key from ingestion")
    kept = room.bench.settings.home_dir / "objects" / row["raw_key"]
    kept.unlink()
    again(db, machine_owner(), room.bench.project_id, "a.vtt", "extract")
    assert "give it again" in work_off_inputs(room.bench).quarantined["a.vtt"]
    assert room.ingest().unchanged == ["a.vtt"] and kept.exists()
    assert room.standing() == {"a.vtt": "done/completed/unchanged"} and not room.rows(
        "select 1 from quarantine"
    )
    room.take()
    assert room.rows("select 1 from ingestion where step <> 'done'") == [], "and then it is known again"


def test_a_step_is_done_again_by_those_who_may(room: Room, db: Database) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.ingest()
    room.do("update source set step = 'ready', status = 'completed'")
    project_id = room.bench.project_id
    again(db, machine_owner(), project_id, "a.vtt", "keywords")
    assert room.rows("select step, status from source") == [{"step": "keywords", "status": "pending"}]
    again(db, machine_owner(), project_id, "a.vtt", "extract")
    assert work_off_inputs(room.bench).changed == ["a.vtt"], (
        "known content is read again when it is asked for"
    )
    assert room.rows("select step from source") == [{"step": "chunk"}]
    audit = room.rows("select action, diff from audit_event where action = 'again' order by id")
    assert [row["diff"]["step"] for row in audit] == ["keywords", "extract"]
    room.do(
        "with made as (insert into person (name, display_name, role, password_hash)"
        " values ('vi', 'Vi', 'viewer', 'x') returning id)"
        " insert into audit_event (actor, action, entity_type, entity_id) select 'test', 'make', 'person', id from made"
    )
    viewer = Actor(room.rows("select id from person where name = 'vi'")[0]["id"], "vi", "viewer")
    with pytest.raises(NotAllowed):
        again(db, viewer, project_id, "a.vtt", "chunk")
    with pytest.raises(NotAllowed):
        ingest_paths(room.bench, [room.folder], actor=viewer)


def test_a_later_step_does_not_skip_those_that_wait(room: Room, db: Database) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.ingest()
    room.do("update source set status = 'dead'")
    again(db, machine_owner(), room.bench.project_id, "a.vtt", "keywords")
    assert room.rows("select step, status from source") == [{"step": "chunk", "status": "pending"}]


@pytest.mark.parametrize(
    ("name", "step", "why"),
    [
        ("a.vtt", "dance", "no step"),
        ("nobody", "chunk", "No source is named"),
        ("nobody", "extract", "No source is named"),
        ("a.vtt", "fetch", "not fetched"),
    ],
)
def test_what_cannot_be_done_again_says_why(room: Room, name: str, step: str, why: str) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.ingest()
    with pytest.raises(ConfigInvalid, match=why):
        again(room.bench.db, machine_owner(), room.bench.project_id, name, step)


def test_the_audit_names_what_was_brought_in_once(room: Room) -> None:
    room.write("a.vtt", VTT.format("a"))
    room.ingest()
    room.ingest()
    (row,) = room.rows("select actor, diff from audit_event where action = 'ingest'")
    assert row["diff"]["waiting"] == ["a.vtt"] and row["actor"].startswith("cli:")


def test_what_a_vanished_worker_held_is_read_by_the_next(room: Room) -> None:
    for n in range(3):
        room.write(f"{n}.vtt", VTT.format(n))
    room.take()
    with living_worker(room.bench.db.url) as gone, room.bench.db.transaction() as tx:
        tx.rows(
            "claim_items", table="ingestion", step="extract", now=tx.value("moment"), batch=3, worker=gone.number,
            lease_s=900,
        )  # fmt: skip
    assert len(work_off_inputs(room.bench).new) == 3


KILLED = """
import sys, time
from resources.postgres import Database
from resources.objects import open_store_at
from resources.steps.ingestion import Extracting
from resources.tuning import StageTuning
from resources.work.runner import work_off
from resources.work.stopping import StopSignal

def hang(name, data, media_type):
    print("at work", flush=True)
    time.sleep(600)

step = Extracting(open_store_at(sys.argv[2]), hang)
work_off(step, db=Database(sys.argv[1]).open(), tuning=StageTuning(batch=5), stop=StopSignal())
"""


def test_killed_in_the_middle_of_reading(room: Room) -> None:
    for n in range(3):
        room.write(f"{n}.vtt", VTT.format(n))
    room.take()
    store = (room.bench.settings.home_dir / "objects").as_uri()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, room.bench.db.url, store], stdout=subprocess.PIPE, env=environment
    )
    assert process.stdout and process.stdout.readline() == b"at work\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    until(lambda: not room.rows("select 1 from living_worker"))
    assert len(work_off_inputs(room.bench).new) == 3
    assert len(room.rows("select 1 from cue")) == 3


def until(is_so: Callable[[], bool]) -> None:
    for _ in range(400):
        if is_so():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")


def test_a_pdf_goes_the_whole_way(room: Room) -> None:
    lines = ["Heat pumps work below zero.", "They are cheap to run in winter.", "We measured it for a year."]
    drawn = " ".join(
        f"BT /F1 12 Tf 50 {700 - 40 * n} Td ({line}) Tj ET" for n, line in enumerate(lines)
    ).encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(drawn), drawn),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title (Warm houses) /Author (Ada) >>",
    ]
    file, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Root 1 0 R /Info 6 0 R /Size 7 >>\nstartxref\n%d\n%%%%EOF" % len(file)
    room.write("warm.pdf", file + table + end)
    assert room.ingest().new == ["warm.pdf"]
    (source,) = room.rows("select title, format, step from source")
    assert source == {"title": "Warm houses", "format": "pdf", "step": "chunk"}
    cues = room.rows("select text, speaker from cue order by position")
    assert " ".join(cue["text"] for cue in cues) == " ".join(lines) and cues[0]["speaker"] == "Ada"
