"""An admin at a real browser: looks at what a new prompt changes, puts it in force, takes it back, rolls back."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from rejoinder.prompts.loader import load_prompt, parse_prompt
from resources.commands import people
from resources.commands.actors import machine_owner
from resources.postgres import Database
from resources.provision import Addresses
from resources.store import prompt_versions as store

REPOSITORY = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]
PASSWORD = "correct horse battery"  # pragma: allowlist secret
WAIT_MS = 180_000
FIRST = load_prompt("reply", 1)
SECOND = parse_prompt("reply.v2", FIRST.data.replace(b"one paragraph", b"one short paragraph"))

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    # Where every test has to run, one without its browser fails.
    pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)) and os.environ.get("CI", "").lower() not in {"1", "true", "yes"},
        reason="no browser: run tests/install_browser.sh",
    ),
]


@pytest.fixture
def app_url(db: Database, addresses: Addresses, tmp_path: Path) -> Iterator[str]:
    """The review app on two versions of a prompt, with an admin and an approver."""
    for name, role in (("chief", "admin"), ("ana", "approver")):
        people.add_person(db, machine_owner(), name, name.title(), role, PASSWORD)  # type: ignore[arg-type]
    with db.transaction() as tx:
        store.ensure_prompts(tx)
        store.store_prompt(tx, SECOND)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("REJOINDER_", "STREAMLIT_"))
    }
    environment = {
        **kept,
        "REJOINDER_HOME": str(tmp_path / "home"),
        "REJOINDER_DATABASE_URL": addresses.owner,
        "REJOINDER_APP_DATABASE_URL": addresses.app,
        "REJOINDER_PUBLISHER_DATABASE_URL": addresses.publisher,
        "REJOINDER_DAGSTER_DATABASE_URL": addresses.dagster,
        "REJOINDER_MLFLOW_DATABASE_URL": addresses.mlflow,
        "PYTHONPATH": str(REPOSITORY),
    }
    argv = (sys.executable, "-m", "streamlit", "run", "review_app/app.py", "--server.port", str(port))
    with (tmp_path / "app.log").open("w") as log:
        process = subprocess.Popen(argv, env=environment, cwd=REPOSITORY, stdout=log, stderr=log)
    try:
        yield wait_for_answer(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(60)


def wait_for_answer(url: str) -> str:
    """The address, once it answers."""
    for _ in range(1200):
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=5).is_success:
                return url
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture
def open_models(app_url: str) -> Iterator[Callable[[str], Page]]:
    """Signs somebody in and opens the reply prompts."""
    program = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS, headless=True)

        def act(name: str) -> Page:
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            page.set_default_timeout(WAIT_MS)
            page.goto(app_url)
            page.get_by_label("Name", exact=True).fill(name)
            page.get_by_label("Password", exact=True).fill(PASSWORD)
            page.get_by_role("button", name="Sign in", exact=True).click()
            page.get_by_role("link", name="Models").first.click()
            # The button covers its whole card and cannot be seen.
            page.get_by_role("button", name="Open reply", exact=True).click(force=True)
            expect(card(page, SECOND.version)).to_contain_text("reply.v2", timeout=WAIT_MS)
            return page

        yield act
        browser.close()


def card(page: Page, version: str):  # type: ignore[no-untyped-def]
    return page.locator(f".st-key-prompt_{version}")


def test_a_prompt_is_put_in_force_taken_back_and_rolled_back(
    open_models: Callable[[str], Page], db: Database
) -> None:
    def in_force() -> str:
        with db.transaction() as tx:
            return store.read_in_force(tx, "reply").champion.version

    page = open_models("chief")
    second = card(page, SECOND.version)
    second.get_by_text("Difference to the champion").click()
    expect(second.locator("ins")).to_have_text(["short "], timeout=WAIT_MS)
    second.get_by_role("button", name="Make champion").click()
    second.get_by_role("button", name="Make it champion").click()
    expect(page.locator(".st-key-undo")).to_contain_text(["reply.v2 is the champion"], timeout=WAIT_MS)
    assert in_force() == SECOND.version
    page.get_by_role("button", name="Undo").click()
    expect(card(page, FIRST.version).locator(".rj-chip.good")).to_have_text(["champion"], timeout=WAIT_MS)
    assert in_force() == FIRST.version
    page.get_by_role("button", name="Roll back to reply.v2").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    expect(card(page, SECOND.version).locator(".rj-chip.good")).to_have_text(["champion"], timeout=WAIT_MS)
    assert in_force() == SECOND.version
    # Whoever may not move a prompt sees all of it, and the buttons say which role it takes.
    other = open_models("ana")
    expect(card(other, FIRST.version).get_by_role("button", name="Make champion")).to_be_disabled(
        timeout=WAIT_MS
    )
    expect(other.get_by_role("button", name="Roll back to reply.v1")).to_be_disabled(timeout=WAIT_MS)
