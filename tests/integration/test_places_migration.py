"""Inputs of the version before, which were known by name alone, after the upgrade: the same sources, none twice."""

from pathlib import Path
from typing import Any, cast

import pytest
from earlier_schema import set_back

from resources.commands.actors import machine_owner
from resources.commands.sources import add_upload
from resources.inbox import ingest_paths, open_intake, work_off_inputs
from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses
from resources.settings import Settings
from resources.tuning import Tuning
from resources.workbench import Workbench

LAST_BEFORE = 10
VTT = "WEBVTT\n\n00:01.000 --> 00:04.000\n<v Ada>Heat pumps work below zero, said {}.\n"
ROWS = """
insert into creator (name) values ('c');
insert into project (creator_id, name) select id, 'p' from creator;
insert into ingestion (project_id, name, origin, step, status, outcome, raw_key, url)
select p.id, g.name, g.origin, 'done', 'completed', g.outcome, g.raw_key, g.url
from project p, (values
  ('given.vtt', 'file', 'new', 'k1', null), ('lying.vtt', 'inbox', 'new', 'k2', null),
  ('swept.vtt', 'file', 'new', 'k3', null), ('sent.vtt', 'upload', 'new', 'k4', null),
  ('https://pod.example/1', 'url', 'quarantined', null, 'https://pod.example/1'),
  ('https://pod.example/2', 'url', 'quarantined', 'k5', 'https://pod.example/2')
) g (name, origin, outcome, raw_key, url);
insert into source (project_id, name, title, format, content_hash, step, status)
select project_id, name, name, 'webvtt', 'h', 'ready', 'completed' from ingestion where outcome = 'new'
"""


@pytest.fixture
def bench(
    addresses: Addresses, db: Database, owner_db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Workbench:
    """A home whose database was made by the version before and has been brought up to date."""
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        for statement in ROWS.split(";"):
            tx.connection.execute(statement)  # type: ignore[call-overload]
        project_id = tx.connection.execute("select id from project").fetchall()[0]["id"]
    assert migrate(addresses.owner)[0] == "0011_places_and_addresses"
    return Workbench(Settings(home=tmp_path), Tuning(), addresses, db, cast(Any, None), 0, project_id)


def test_every_way_in_finds_its_source_again(bench: Workbench, owner_db: Database, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for name in ("lying.vtt", "swept.vtt"):
        (inbox / name).write_text(VTT.format(name))
    assert ingest_paths(bench).changed == ["lying.vtt", "swept.vtt"]
    (tmp_path / "given.vtt").write_text(VTT.format("given"))
    assert ingest_paths(bench, [tmp_path / "given.vtt"]).changed == ["given.vtt"]
    add_upload(open_intake(bench, machine_owner()), machine_owner(), "sent.vtt", VTT.format("x").encode())
    assert work_off_inputs(bench).changed == ["sent.vtt"]
    with owner_db.transaction() as tx:
        assert tx.connection.execute("select count(*) as n from source").fetchall() == [{"n": 4}]


def test_what_was_set_aside_before_says_at_which_step(bench: Workbench, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        rows = tx.connection.execute(
            "select name, refused_step from ingestion where outcome = 'quarantined' order by name"
        )
        assert [row["refused_step"] for row in rows] == ["fetch", "extract"]
