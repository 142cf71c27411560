"""The page Sources on a real database: what it shows, what it takes, who may."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from resources.commands import people
from resources.commands.actors import machine_owner
from resources.commands.sources import intake_for
from resources.ingesting import Taken
from resources.postgres import Database
from resources.settings import load_settings
from resources.store.ingestions import Request, enqueue
from resources.store.source_list import SourceFilter, list_sources
from resources.store.sources import default_project
from resources.tuning import Tuning
from review_app.screens import sources as screen

APP = str(Path(__file__).resolve().parents[2] / "review_app" / "app.py")
PASSWORD = "correct horse battery"  # pragma: allowlist secret
NASTY = "<script>alert(1)</script> **bold** :red[x]"
Open = Callable[[str], AppTest]


@pytest.fixture
def open_page(db: Database, environment: None) -> Iterator[Open]:
    """Signs somebody in and opens the page."""
    for name, role in (("chief", "admin"), ("ed", "editor"), ("vi", "viewer")):
        people.add_person(db, machine_owner(), name, name.title(), role, PASSWORD)  # type: ignore[arg-type]

    def act(name: str) -> AppTest:
        page = AppTest.from_file(APP, default_timeout=60).run()
        page.text_input(key="sign_in_name").input(name)
        page.text_input(key="sign_in_password").input(PASSWORD)
        next(button for button in page.button if button.label == "Sign in").click().run()
        pages = page._registered_pages
        page._page_hash = next(key for key, info in pages.items() if info.get("url_pathname") == "sources")
        return page.run()

    yield act
    st.cache_resource.clear()


@pytest.fixture
def project_id(db: Database) -> int:
    with db.transaction() as tx:
        return default_project(tx)


def bring(db: Database, project_id: int, name: str, text: str) -> None:
    intake = intake_for(db, load_settings(), Tuning(), project_id, machine_owner())
    intake.take_bytes(name, text.encode(), origin="file", taken=Taken())


def rendered(page: AppTest) -> str:
    """All HTML on the page."""
    return "\n".join(element.proto.body for element in page.html)


def test_what_waits_is_shown_escaped_with_its_step(open_page: Open, db: Database, project_id: int) -> None:
    bring(db, project_id, NASTY, "0:01 Ada: Hello.")
    page = open_page("vi")
    assert not page.exception
    shown = rendered(page)
    assert "&lt;script&gt;" in shown and "<script>alert" not in shown
    assert "read: pending" in shown


def test_an_empty_page_says_what_to_do(open_page: Open) -> None:
    assert "No sources yet" in rendered(open_page("vi"))


def test_an_editor_adds_addresses_and_a_viewer_may_not(
    open_page: Open, db: Database, project_id: int
) -> None:
    page = open_page("vi")
    assert page.button(key="add_addresses").disabled and page.text_area(key="addresses").disabled
    page = open_page("ed")
    page.text_area(key="addresses").input(
        "https://pod.example/feed?token=abc\n\nhttps://pod.example/a.vtt"
    ).run()
    page.button(key="add_addresses").click().run()
    assert not page.exception
    with db.transaction() as tx:
        rows = list_sources(tx, project_id).rows
    assert sorted(row.name.partition("#")[0] for row in rows) == [
        "https://pod.example/a.vtt",
        "https://pod.example/feed",
    ]
    assert "token=abc" not in rendered(page)


def test_what_is_no_address_is_told(open_page: Open, db: Database, project_id: int) -> None:
    page = open_page("ed")
    page.text_area(key="addresses").input("ftp://pod.example/a").run()
    page.button(key="add_addresses").click().run()
    assert "http://" in rendered(page)
    with db.transaction() as tx:
        assert list_sources(tx, project_id).total == 0


def test_a_step_is_done_again_from_the_page(
    open_page: Open, db: Database, owner_db: Database, project_id: int
) -> None:
    bring(db, project_id, "a.txt", "0:01 Ada: Hello.")
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update ingestion set step = 'done', status = 'completed', outcome = 'quarantined', note = 'no speech'"
        )
    page = open_page("ed")
    assert "no speech" in rendered(page)
    page.button(key="again").click().run()
    with db.transaction() as tx:
        (row,) = list_sources(tx, project_id).rows
    assert (row.step, row.status) == ("extract", "pending")


def test_filters_and_search(db: Database, project_id: int, owner_db: Database) -> None:
    for name in ("10% better.txt", "100 better.txt", "bad.txt"):
        bring(db, project_id, name, f"0:01 Ada: {name}")
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update ingestion set status = 'dead', last_error = 'the store is away' where name = 'bad.txt'"
        )

    def names(**wanted: Any) -> list[str]:
        with db.transaction() as tx:
            return sorted(row.name for row in list_sources(tx, project_id, SourceFilter(**wanted)).rows)

    assert names(search="10%") == ["10% better.txt"], "what is searched for is taken as it is"
    assert names(show="trouble") == ["bad.txt"] and names(show="ready") == []
    assert names(show="under way") == ["10% better.txt", "100 better.txt"]
    with db.transaction() as tx:
        part = list_sources(tx, project_id, SourceFilter(top=1))
    assert (len(part.rows), part.total) == (1, 3)


def test_every_step_has_a_word(owner_db: Database) -> None:
    """A step that the database knows and the page does not would be a broken page."""
    with owner_db.transaction() as tx:
        rows = tx.connection.execute(
            "select pg_get_constraintdef(oid) as rule from pg_constraint"
            " where conrelid in ('source'::regclass, 'ingestion'::regclass) and contype = 'c'"
        ).fetchall()
    steps = {
        step
        for row in rows
        if "step = ANY" in row["rule"]
        for step in re.findall(r"'(\w+)'::text", row["rule"])
    }
    assert {"fetch", "chunk"} <= steps <= set(screen.SOURCE_STEPS)


def test_a_feed_is_listed(db: Database, project_id: int, open_page: Open, owner_db: Database) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "insert into feed (project_id, name, url, title, n_items, n_without_transcript)"
            " values (%s, 'https://pod.example/feed', 'https://pod.example/feed?token=abc', 'The show', 7, 2)",
            (project_id,),
        )
    page = open_page("vi")
    assert not page.exception
    table = page.dataframe[0].value
    assert list(table["Title"]) == ["The show"] and "token" not in str(table.to_dict())


def test_an_input_without_bytes_waits_to_be_fetched(db: Database, project_id: int) -> None:
    with db.transaction() as tx:
        enqueue(tx, project_id, Request("n", "url", url="https://pod.example/n"))
        (row,) = list_sources(tx, project_id).rows
    assert (row.step, row.standing) == ("fetch", "pending")
