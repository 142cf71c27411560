"""A person at a real browser: signs in, edits, approves; the sandbox, our witness, gets exactly that text.

Everything runs as it does for a user: the demo fills a home, then the sandbox, the publisher and the review app
are processes of their own. Nothing but this machine may be asked for anything.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

REPOSITORY = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from cli.app import main; main()"]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAME, PASSWORD = "ana", "correct horse battery"  # pragma: allowlist secret
WAIT_MS = 180_000
expect.set_options(timeout=WAIT_MS)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    # Where every test has to run, one without its browser fails.
    pytest.mark.skipif(
        not any(map(shutil.which, BROWSERS)) and os.environ.get("CI", "").lower() not in {"1", "true", "yes"},
        reason="no browser: run tests/install_browser.sh",
    ),
]


@dataclass
class Newsroom:
    """A home after the demo, with its sandbox, publisher and review app running."""

    home: Path
    processes: list["subprocess.Popen[str]"] = field(default_factory=list)
    sandbox_url: str = ""
    app_url: str = ""

    @property
    def environment(self) -> dict[str, str]:
        """What every process here gets."""
        ours = ("REJOINDER_", "DAGSTER_", "MLFLOW_", "STREAMLIT_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        return {**kept, "REJOINDER_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)}

    def run(self, *arguments: str, stdin: str | None = None) -> None:
        """Run a command of ours to its end."""
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=self.environment,
            cwd=REPOSITORY,
            input=stdin,
            text=True,
            capture_output=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"

    def start(self, *argv: str) -> None:
        """Start a process that runs until the end of the test; what it says is in the home."""
        with (self.home / f"process-{len(self.processes)}.log").open("w") as log:
            process = subprocess.Popen(
                argv, env=self.environment, cwd=REPOSITORY, text=True, stdout=log, stderr=log
            )
        self.processes.append(process)

    def log(self) -> list[dict[str, Any]]:
        """Every write request that the sandbox saw."""
        entries: list[dict[str, Any]] = httpx.get(f"{self.sandbox_url}/sandbox/log", timeout=60).json()
        return entries

    def stop(self) -> None:
        """End what was started here."""
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_for_answer(url: str) -> None:
    """Until the address answers."""
    for _ in range(1200):
        try:
            if httpx.get(url, timeout=5).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.25)
    raise AssertionError(f"{url} does not answer")


def sandbox_port_of(home: Path) -> int:
    """The port at which the home's channels expect the sandbox."""
    from resources.postgres import Database
    from resources.provision import prepare
    from resources.services import sandbox_port
    from resources.settings import Settings

    with closing(Database(prepare(Settings(home=home)).app).open()) as database:
        port = sandbox_port(database)
    assert port is not None
    return port


@pytest.fixture(scope="module")
def newsroom(home_factory: Callable[[], Path]) -> Iterator[Newsroom]:
    """Drafts wait for review, and everything runs that a reply needs to get out."""
    room = Newsroom(home_factory())
    try:
        room.run("demo", "--json")
        room.run("user", "add", "chief", "--password-stdin", stdin=PASSWORD + "\n")
        room.run("user", "add", NAME, "--role", "approver", "--password-stdin", stdin=PASSWORD + "\n")
        port, app_port = sandbox_port_of(room.home), free_port()
        room.sandbox_url, room.app_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{app_port}"
        room.start(*COMMAND, "sandbox", "--port", str(port))
        wait_for_answer(f"{room.sandbox_url}/sandbox/health")
        room.start(*COMMAND, "publish", "--loop")
        app = ("-m", "streamlit", "run", "review_app/app.py", "--server.port", str(app_port))
        room.start(sys.executable, *app)
        wait_for_answer(f"{room.app_url}/_stcore/health")
        yield room
    finally:
        room.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of this machine."""
    program = next(path for name in BROWSERS if (path := shutil.which(name)))
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=FLAGS, headless=True)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, newsroom: Newsroom) -> Iterator[Page]:
    """The review page, signed in; no request may have left this machine."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened, outside = context.new_page(), list[str]()
    context.on("request", lambda r: outside.append(r.url) if is_outside(r.url) else None)
    opened.set_default_timeout(WAIT_MS)
    opened.goto(newsroom.app_url)
    sign_in(opened)
    yield opened
    context.close()
    assert outside == []


def sign_in(page: Page) -> None:
    """Sign in, and wait for the first case."""
    page.get_by_label("Name", exact=True).fill(NAME)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    reply(page).wait_for()


def is_outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def reply(page: Page) -> Any:
    """The box in which the reply is edited."""
    return page.locator(".st-key-reply_text textarea")


def expect_author(page: Page, author: str) -> None:
    """Wait until the page shows a post of this author and no other.

    A list is asked for here and below: while the page changes from one case to the next it holds the elements
    of both, which an expectation of one element takes for a mistake at once.
    """
    expect(page.locator(".st-key-post .rj-who")).to_have_text([author])


def expect_reply(page: Page, text: str) -> None:
    """Wait until the page has one reply box, with this text in it."""
    page.wait_for_function(
        "text => {"
        " const boxes = [...document.querySelectorAll('.st-key-reply_text textarea')];"
        " return boxes.length === 1 && boxes[0].value === text; }",
        arg=text,
        timeout=WAIT_MS,
    )


def rest(page: Page) -> None:
    """Wait until the page has said all that it was told and is drawn: what is pressed before that may be lost."""
    page.wait_for_function(
        "document.querySelector('.stApp').getAttribute('data-test-script-state') === 'notRunning'",
        timeout=WAIT_MS,
    )


def open_case(page: Page, called_us: bool) -> str:
    """Open an X post that called us or did not; gives the name of its author."""
    way = "sent by API to X" if called_us else "the author did not call us"
    rows = page.locator("[class*='st-key-row_']")
    expect(rows.first).to_be_visible()
    for row in rows.all():
        has_called = row.get_by_text("called us", exact=True).count() > 0
        if row.get_by_text("X", exact=True).count() and has_called == called_us:
            author = row.locator(".rj-who").inner_text()
            row.get_by_role("button").click()
            expect_author(page, author)
            expect(page.locator(".st-key-desk")).to_contain_text([way])
            # While the page changes from one case to the next it may hold the boxes of both.
            expect(reply(page)).to_have_count(1)
            return str(author)
    raise AssertionError("no such post waits")


def write(page: Page, text: str) -> None:
    """Replace the reply, key by key as a person would, and see it counted while it is written."""
    box = reply(page)
    box.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(text, delay=5)
    expect(page.locator(".rj-count")).to_contain_text([f"{len(text)} of 280"])
    expect(box).to_be_focused()


def test_an_edited_reply_reaches_the_sandbox_word_for_word(newsroom: Newsroom, page: Page) -> None:
    author = open_case(page, called_us=True)
    text = "We talked about exactly this, with numbers: 4:56. *Not* <b>markup</b> & 100 % ours."
    write(page, text)
    expect(page.locator(".rj-diff ins").first).to_be_visible()
    # The last words are typed and the button is pressed before the app can have seen them.
    page.keyboard.type(" And the last words count too.")
    page.locator(".st-key-approve button").click()
    text += " And the last words count too."
    expect(page.locator(".st-key-undo")).to_contain_text(["It will be sent by API"])
    expect(page.locator(".st-key-post .rj-who", has_text=author)).to_have_count(0)
    for _ in range(1200):
        sent = [entry for entry in newsroom.log() if entry["accepted"]]
        if sent:
            break
        time.sleep(0.25)
    assert [entry["text"] for entry in sent] == [text]
    # Where the sandbox answered too late for the publisher, the reply is read back minutes later.
    expect(page.locator(".rj-numbers")).to_contain_text(["1sent today"], timeout=3 * WAIT_MS)


def test_a_reply_is_handed_off_copied_and_recorded(newsroom: Newsroom, page: Page) -> None:
    before = len(newsroom.log())
    open_case(page, called_us=False)
    text = "Handed over to a person: 12:04."
    write(page, text)
    page.locator(".st-key-post .rj-post").click()
    page.keyboard.press("a")
    expect(page.locator(".st-key-undo")).to_contain_text(["waits for you under Hand-off"])
    page.get_by_role("link", name="Hand-off").first.click()
    card = page.locator("[class*='st-key-handoff_']").first
    expect(card.locator("code")).to_have_text(text)
    address = card.get_by_role("link", name="Open X").get_attribute("href")
    assert address is not None
    assert address.startswith("https://x.com/intent/post?in_reply_to=")
    assert address.endswith("&text=Handed%20over%20to%20a%20person%3A%2012%3A04.")
    card.get_by_label("Address of the reply that you posted").fill("https://x.com/rejoinder_demo/status/77")
    card.get_by_role("button", name="Record as posted").click()
    expect(page.get_by_text("Nothing waits to be posted by hand.")).to_be_visible()
    assert len(newsroom.log()) == before


def test_keys_pressed_while_writing_decide_nothing(page: Page) -> None:
    author = open_case(page, called_us=True)
    write(page, "A X B S U a x b s u")
    expect_author(page, author)
    expect(page.locator(".st-key-reject_panel")).to_have_count(0)
    page.locator(".st-key-post .rj-post").click()
    expect(reply(page)).not_to_be_focused()
    rest(page)
    page.keyboard.press("x")
    expect(page.locator(".st-key-reject_panel")).to_have_count(1)
    page.get_by_text("Tone: we would not say it like this").click()
    page.get_by_role("button", name="Reject the post").click()
    expect(page.locator(".st-key-undo")).to_contain_text(["Rejected."])
    page.get_by_role("button", name="Undo").click()
    expect_author(page, author)
    expect_reply(page, "A X B S U a x b s u")


def test_a_reload_keeps_what_was_written_and_a_key_held_down_decides_once(page: Page) -> None:
    author = open_case(page, called_us=True)
    text = "Written, not yet decided about: 12:04."
    write(page, text)
    rest(page)
    page.reload()
    sign_in(page)
    page.locator("[class*='st-key-row_']", has_text=author).get_by_role("button").click()
    expect_author(page, author)
    expect_reply(page, text)
    rest(page)
    waiting = int(page.locator(".rj-numbers b").first.inner_text())
    page.locator(".st-key-post .rj-post").click()
    expect(reply(page)).not_to_be_focused()
    rest(page)
    for _ in range(8):
        page.keyboard.down("a")  # each after the first repeats, as of a key on which a hand rests
        page.wait_for_timeout(250)
    page.keyboard.up("a")
    rest(page)
    expect(page.locator(".rj-numbers b").first).to_have_text(str(waiting - 1))
