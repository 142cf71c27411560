"""The page Models on a real database: what it shows, who may move what, and the way back."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rejoinder.prompts.aliases import Aliases
from rejoinder.prompts.loader import Demo, load_prompt, parse_prompt, with_demos
from resources.commands import people
from resources.commands import prompts as commands
from resources.commands.actors import Actor, machine_owner
from resources.postgres import Database
from resources.settings import load_settings
from resources.store import prompt_versions as store
from resources.store.reviews import audit_page
from resources.tuning import load_tuning

APP = str(Path(__file__).resolve().parents[2] / "review_app" / "app.py")
PASSWORD = "correct horse battery"  # pragma: allowlist secret
NASTY = "<script>alert(1)</script> **bold** :red[x]"
FIRST = load_prompt("reply", 1)
SECOND = parse_prompt("reply.v2", FIRST.data.replace(b"one paragraph", b"one short paragraph"))
THIRD = with_demos(SECOND, [Demo(NASTY, '{"text": ""}')])
Open = Callable[[str], AppTest]


@pytest.fixture
def open_page(db: Database, environment: None) -> Iterator[Open]:
    """Signs somebody in and opens the page at the reply prompts."""
    for name, role in (("chief", "admin"), ("vi", "viewer")):
        people.add_person(db, machine_owner(), name, name.title(), role, PASSWORD)  # type: ignore[arg-type]

    def act(name: str) -> AppTest:
        page = AppTest.from_file(APP, default_timeout=60).run()
        page.text_input(key="sign_in_name").input(name)
        page.text_input(key="sign_in_password").input(PASSWORD)
        next(button for button in page.button if button.label == "Sign in").click().run()
        pages = page._registered_pages
        page._page_hash = next(key for key, info in pages.items() if info.get("url_pathname") == "models")
        page.session_state["open_task"] = "reply"
        page.run()
        assert not page.exception
        return page

    yield act
    st.cache_resource.clear()


@pytest.fixture
def prompts(db: Database) -> None:
    """Three versions of the reply prompt, the last with a demonstration."""
    with db.transaction() as tx:
        for prompt in (FIRST, SECOND, THIRD):
            store.store_prompt(tx, prompt)


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click().run()
    assert not page.exception
    return page


def rendered(page: AppTest) -> str:
    """All HTML on the page."""
    return "\n".join(element.proto.body for element in page.html)


def aliases(db: Database) -> Aliases:
    with db.transaction() as tx:
        return store.read_aliases(tx, "reply")


def test_an_empty_page_says_so(open_page: Open) -> None:
    shown = rendered(open_page("vi"))
    assert "No prompts yet" in shown and "No model is set up" in shown


def test_versions_are_shown_escaped_with_their_difference(open_page: Open, prompts: None) -> None:
    shown = rendered(open_page("vi"))
    assert "reply.v2 + 1 demo" in shown and re.search("<ins> ?short ?</ins>", shown)
    assert "&lt;script&gt;alert(1)" in shown and "<script>alert(1)" not in shown


def test_a_viewer_moves_nothing(open_page: Open, prompts: None) -> None:
    page = open_page("vi")
    moves = [b for b in page.button if b.key and b.key.startswith(("promote_", "challenge_"))]
    assert len(moves) == 4 and all(button.disabled and "admin" in str(button.help) for button in moves)


def test_a_version_is_promoted_undone_and_rolled_back(open_page: Open, prompts: None, db: Database) -> None:
    page = open_page("chief")
    press(page, f"promote_{SECOND.version}")
    assert aliases(db).champion == FIRST.version, "nothing moves before it was confirmed"
    press(page, "cancel_prompt_move")
    assert not [b for b in page.button if b.key == "confirm_prompt_move"]
    press(press(page, f"promote_{SECOND.version}"), "confirm_prompt_move")
    assert aliases(db).champion == SECOND.version
    assert "reply.v2 is the champion of reply now." in rendered(page)
    press(page, "undo_prompt_move")
    assert aliases(db) == Aliases(FIRST.version)
    press(press(page, "roll_back"), "confirm_prompt_move")
    assert aliases(db) == Aliases(SECOND.version)
    with db.transaction() as tx:
        done = [(row.actor, row.action) for row in audit_page(tx, entity_type="prompt").rows]
    assert done == [("chief", "rollback"), ("chief", "undo"), ("chief", "promote")]


def test_a_challenger_comes_and_goes(
    open_page: Open, prompts: None, db: Database, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    share = tmp_path / "tuning.toml"
    share.write_text("", "utf-8")
    monkeypatch.setenv("REJOINDER_CONFIG", str(share))
    load_settings.cache_clear()
    page = open_page("chief")
    press(press(page, f"challenge_{THIRD.version}"), "confirm_prompt_move")
    assert aliases(db) == Aliases(FIRST.version, THIRD.version)
    assert "it is 0, so the challenger gets no work" in rendered(page)
    share.write_text("[models.tasks.reply]\nprompt_challenger_share = 0.25\n", "utf-8")
    load_tuning.cache_clear()
    assert "Gets 25 % of the work" in rendered(page.run())
    share.write_text("[models.tasks.reply]\nprompt_challenger_share = 7\n", "utf-8")
    load_tuning.cache_clear()
    assert "Something is not set up" in rendered(page.run()) and not page.exception
    press(press(page, f"drop_{THIRD.version}"), "confirm_prompt_move")
    assert aliases(db) == Aliases(FIRST.version)


def test_what_somebody_else_moved_in_between_is_told(open_page: Open, prompts: None, db: Database) -> None:
    page = press(open_page("chief"), f"promote_{SECOND.version}")
    chief = next(person for person in people.list_people(db) if person.name == "chief")
    commands.promote(db, Actor(chief.id, chief.name, chief.role), THIRD.version)
    press(page, "confirm_prompt_move")
    assert "Someone decided in between" in rendered(page)
    assert aliases(db).champion == THIRD.version


def test_endpoints_are_shown_with_load_health_and_spend(
    open_page: Open, prompts: None, owner_db: Database
) -> None:
    with owner_db.transaction() as tx:
        run = tx.connection.execute
        run("insert into model_endpoint (name, uri, capabilities, max_concurrent, timeout_s, price_in_usd_per_mtok,"
            " price_out_usd_per_mtok) values ('mini', 'openai::m', '{text}', 8, 60, 0.4, 1.6)")  # fmt: skip
        run("insert into model_endpoint (name, uri, capabilities, max_concurrent, timeout_s, breaker, opened_until,"
            " failures, last_error) values ('spare', 'openai::s', '{text}', 2, 60, 'open', now(), 5, %s)",
            (f"503 {NASTY}",))  # fmt: skip
        run("insert into model_spend values ((now() at time zone 'UTC')::date, 'total', '', 1.25),"
            " ((now() at time zone 'UTC')::date, 'task', 'reply', 0.75),"
            " ((now() at time zone 'UTC')::date, 'task', 'summary', 0.0001),"
            " ((now() at time zone 'UTC')::date, 'endpoint', 'mini', 0.5)")  # fmt: skip
    shown = rendered(open_page("vi"))
    for text in ("0 of 8 places taken", "$0.40 in, $1.60 out", "$0.50 today", "left alone until",
                 "503 &lt;script&gt;", "price not known", "<b>$1.25</b><span>of $5.00 for all models today",
                 "<b>$0.75</b><span>reply today", "<b>&lt; $0.01</b><span>summary today"):  # fmt: skip
        assert text in shown, text
    assert "No model is set up" not in shown
    # What was never called does not answer, and what was switched off is not said to.
    assert "not called yet" in shown and ">answers<" not in shown
    with owner_db.transaction() as tx:
        tx.connection.execute("update model_endpoint set last_ok_at = now(), is_enabled = name = 'mini'")
    shown = rendered(open_page("vi"))
    assert shown.count(">answers<") == 1 and ">switched off<" in shown
