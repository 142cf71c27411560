"""The review app on a real database: every decision is made through the page, and checked behind it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rejoinder.listening.policy import default_policy
from rejoinder.listening.post import Post
from rejoinder.review.roles import ROLES
from resources.commands import people
from resources.commands import review as commands
from resources.commands.actors import Actor, machine_owner
from resources.commands.pauses import pause
from resources.postgres import Database
from resources.settings import load_settings
from resources.store.channels import save_channel
from resources.store.posts import insert_post

APP = str(Path(__file__).resolve().parents[2] / "review_app" / "app.py")
PASSWORD = "correct horse battery"  # pragma: allowlist secret
DRAFT = "The episode has it at 12:04: heat pumps work below zero."
NASTY = "**bold** <script>alert(1)</script> <img src=x onerror=alert(2)> [link](javascript:alert(3)) :red[x]"
EVIDENCE = (
    "insert into source (project_id, name, title, url, format, content_hash)"
    " select id, %(name)s, %(title)s, 'https://pod.example/e1', 'vtt', 'h' from project",
    "insert into chunk (source_id, chunk_index, content_hash, text, n_tokens, n_terms)"
    " select id, 0, 'h', 't', 1, 1 from source where name = %(name)s",
    "insert into stage_decision (post_id, step, verdict, reason)"
    " values (%(post)s, 'relevance', 'accepted', 'similarity 0.71 reaches 0.45')",
    "insert into claim (post_id, position, kind, text, check_worthiness)"
    " values (%(post)s, 0, 'fact', 'they never work', 0.9)",
    "insert into evidence (post_id, position, claim_id, chunk_id, quote, start_s, speaker, score, verdict)"
    " select %(post)s, 0, m.id, max(c.id), 'they work below zero', 724, 'Nadia', 0.9, 'disputes'"
    " from chunk c, claim m where m.post_id = %(post)s group by m.id",
    "insert into draft_check (draft_id, name, is_passed, detail)"
    " select id, 'length', true, 'fits' from draft where post_id = %(post)s",
)


@dataclass
class Desk:
    """A newsroom with one summoning X channel; posts are put straight before the reviewers."""

    db: Database
    owner: Database
    channel_id: int
    count: int = 0

    def post(
        self,
        text: str = "Heat pumps never work in winter",
        *,
        summoned: bool = True,
        at: str = "review/pending",
    ) -> int:
        """A post at this place with one draft and its evidence."""
        self.count += 1
        value = Post(
            platform="x",
            platform_post_id=str(1000 + self.count),
            text=text,
            created_at=datetime(2026, 11, 1, 9, 30, tzinfo=UTC),
            author=None if self.count % 2 == 0 else "sceptic",
            url=f"https://x.com/sceptic/status/{1000 + self.count}",
            mentions=("rejoinder",) if summoned else (),
            metrics={"like_count": 12},
        )
        stage, status = at.split("/")
        with self.owner.transaction() as tx:
            insert_post(tx, self.channel_id, value, is_summoned=summoned, priority=100 - self.count)
            run = tx.connection.execute
            post_id: int = run("select max(id) as id from post").fetchone()["id"]
            run("alter table post disable trigger post_move_guard")
            step = {"review": "review", "post_queue": "publish"}.get(stage, "decide")
            run(
                "update post set stage = %s, step = %s, status = %s where id = %s",
                (stage, step, status, post_id),
            )
            run("alter table post enable trigger post_move_guard")
            run(
                "insert into draft (post_id, version, text, strategy, model, prompt_version)"
                " values (%s, 1, %s, 'quote_first', 'extractive', 'aaaaaaaaaaaa')",
                (post_id, DRAFT),
            )
            values = {"post": post_id, "name": f"s{post_id}", "title": "Heat <b>pumps</b>"}
            for statement in EVIDENCE:
                run(statement, values)
        return post_id

    def value(self, statement: str, *values: object) -> Any:
        """One value, as the owner sees it."""
        with self.owner.transaction() as tx:
            row = tx.connection.execute(statement, values).fetchone()
        return next(iter(row.values())) if row else None

    def do(self, statement: str, *values: object) -> None:
        """Change something behind everybody's back."""
        with self.owner.transaction() as tx:
            tx.connection.execute(statement, values)

    def place(self, post_id: int) -> str:
        """Where the post stands."""
        return str(self.value("select stage || '/' || status from post where id = %s", post_id))

    def actor(self, name: str) -> Actor:
        """Somebody who acts beside the page."""
        found = next(person for person in people.list_people(self.db) if person.name == name)
        return Actor(found.id, found.name, found.role)


@pytest.fixture
def no_cached_resources() -> Iterator[None]:
    """What the app keeps from run to run is forgotten with the test."""
    yield
    st.cache_resource.clear()


@pytest.fixture
def desk(db: Database, owner_db: Database, environment: None, no_cached_resources: None) -> Desk:
    """One channel and the rows that drafts refer to."""
    with owner_db.transaction() as tx:
        run = tx.connection.execute
        run("insert into creator (name) values ('c')")
        run("insert into project (creator_id, name) select id, 'p' from creator")
        run(
            "insert into prompt_version (version, task, name, body) values ('aaaaaaaaaaaa', 'reply', 'r', 'b')"
        )
        channel_id = save_channel(
            tx,
            project_id=run("select id from project").fetchone()["id"],
            name="rehearsal",
            platform="x",
            account="@Rejoinder",
            base_url=None,
            is_sandbox=True,
            policy=default_policy("sandbox/x/self_serve"),
        )
    return Desk(db, owner_db, channel_id)


@pytest.fixture
def staff(desk: Desk) -> Desk:
    """The desk with one person of every role, named after it."""
    for role in reversed(ROLES):  # the first account has to be an admin
        people.add_person(desk.db, machine_owner(), role, role.title(), role, PASSWORD)
    return desk


SignIn = Callable[[str], AppTest]


@pytest.fixture
def signed_in(staff: Desk) -> SignIn:
    """Signs a person in and gives the page they see first."""

    def sign_in(name: str, password: str = PASSWORD) -> AppTest:
        page = AppTest.from_file(APP, default_timeout=60).run()
        page.text_input(key="sign_in_name").input(name)
        page.text_input(key="sign_in_password").input(password)
        return press(page, "Sign in")

    return sign_in


def press(page: AppTest, label: str) -> AppTest:
    """Press the button of that label; no error may come out as an exception."""
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception
    return page


def press_key(page: AppTest, key: str) -> AppTest:
    """Press the button of that key."""
    page.button(key=key).click().run()
    assert not page.exception
    return page


def go_to(page: AppTest, path: str) -> AppTest:
    """Open a page of the navigation: AppTest itself opens pages that are files only."""
    pages = page._registered_pages
    page._page_hash = next(key for key, info in pages.items() if info.get("url_pathname") == path)
    page.run()
    assert not page.exception
    return page


def html_of(page: AppTest) -> str:
    """All HTML on the page."""
    return "\n".join(element.proto.body for element in page.html)


def rendered(page: AppTest) -> str:
    """Everything that Streamlit would read as Markdown."""
    parts = [*page.markdown, *page.caption, *page.toast]
    labels = [widget.label for widget in (*page.button, *page.text_input, *page.text_area, *page.selectbox)]
    return "\n".join([*(part.value for part in parts), *labels])


def test_without_an_account_the_page_says_how_to_make_one(desk: Desk) -> None:
    desk.post()
    page = AppTest.from_file(APP, default_timeout=60).run()
    assert "rejoinder user add NAME --role admin" in page.code[0].value
    assert not page.text_input
    assert "Heat pumps" not in html_of(page)


def test_nothing_is_shown_before_a_person_signed_in(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = signed_in("approver", "a wrong password")
    assert "The name or the password is wrong" in html_of(page)
    assert "Heat pumps" not in html_of(page)
    assert not page.text_area


def test_a_case_shows_the_post_the_evidence_and_the_draft(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    shown = html_of(signed_in("approver"))
    for wanted in (
        "sceptic",
        "2026-11-01 09:30 UTC",
        "12 likes",
        "similarity 0.71 reaches 0.45",
        "they work below zero",
        "12:04",
        "https://pod.example/e1#t=724",
        "Nadia",
        "disputes",
        "Heat &lt;b&gt;pumps&lt;/b&gt;",
        "prompt aaaaaaaaaaaa",
        "sent by API to X as @Rejoinder",
        "56 of 280 weighted characters",
        "called us",
    ):
        assert wanted in shown, wanted
    assert staff.place(post_id) == "review/pending"


def test_the_edited_text_is_what_is_approved_and_the_next_case_opens(staff: Desk, signed_in: SignIn) -> None:
    first, second = staff.post(), staff.post("They cost too much")
    page = signed_in("approver")
    page.text_area(key=f"text_{first}").input("Below zero too: 12:04.").run()
    assert "<ins>Below</ins>" in html_of(page)
    press(page, "Approve")
    sent = "select a.text from publication p join publication_part a on a.publication_id = p.id where p.post_id = %s"
    assert staff.value(sent, first) == "Below zero too: 12:04."
    assert page.text_area(key=f"text_{second}").value == DRAFT
    press(page, "Undo")
    assert staff.place(first) == "review/pending"
    assert page.text_area(key=f"text_{first}").value == "Below zero too: 12:04."


def test_a_schedule_says_what_it_means_and_outlives_an_undo(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("approver")
    page.radio(key=f"schedule_way_{post_id}").set_value("at").run()
    zone = page.selectbox(key=f"schedule_zone_{post_id}")
    assert zone.value == "UTC" and "Europe/Berlin" in zone.options
    zone.set_value("Europe/Berlin").run()
    page.text_input(key=f"schedule_time_{post_id}").input("2020-01-01 09:00").run()
    assert "is over" in html_of(page)
    later = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%d 12:00")
    page.text_input(key=f"schedule_time_{post_id}").input(later).run()
    press(page, "Approve")
    assert f"It will be sent by API: at {later} Europe/Berlin (" in html_of(page)
    press(page, "Undo")
    assert page.text_input(key=f"schedule_time_{post_id}").value == later
    press(page, "Approve")
    assert staff.value("select schedule from publication order by id desc limit 1") == "at"


def test_what_waits_can_go_out_at_another_time_or_be_taken_back(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = go_to(press(signed_in("approver"), "Approve"), "publications")
    number = staff.value("select id from publication")
    later = (datetime.now(UTC) + timedelta(days=20)).strftime("%Y-%m-%d 12:00")
    page.radio(key=f"schedule_way_publication_{number}").set_value("at").run()
    press(page, "Change it")
    assert "is no time" in html_of(page)
    page.text_input(key=f"schedule_time_publication_{number}").input(later).run()
    press(page, "Change it")
    assert f"It is planned at {later} UTC." in html_of(page)
    press(page, "Take back")
    assert staff.place(post_id) == "review/pending"


@pytest.mark.parametrize("label", ["Take back", "Change it"])
@pytest.mark.parametrize("shown", [None, "queued"])
def test_who_changes_what_has_just_ceased_to_wait_is_told(
    staff: Desk, signed_in: SignIn, label: str, shown: str | None
) -> None:
    staff.post()
    page = go_to(press(signed_in("approver"), "Approve"), "publications")
    if shown:
        page.button_group(key="state_filter").set_value(shown).run()
    staff.do("update publication set state = 'cancelled'")  # only the publisher's own login may say sending
    press(page, label)
    assert "does not wait any more: it is cancelled" in html_of(page)


def test_who_approves_while_publishing_is_paused_is_told(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = signed_in("approver")
    assert "Publishing is paused" not in html_of(page)
    pause(staff.db, staff.actor("approver"), "rehearsal", reason="<i>a complaint</i>")
    page.run()
    assert "Publishing is paused" in html_of(page) and "&lt;i&gt;a complaint&lt;/i&gt;" in html_of(page)


def test_undo_is_not_offered_once_the_reply_is_under_way(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = press(signed_in("approver"), "Approve")
    staff.do("alter table publication disable trigger publication_guard")
    staff.do("update publication set state = 'refused' where post_id = %s", post_id)
    staff.do("alter table publication enable trigger publication_guard")
    page.run()
    assert "Undo" not in [button.label for button in page.button]


def test_a_rejection_needs_a_reason_and_can_be_undone(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = press(signed_in("approver"), "Reject")
    assert page.button(key="confirm_reject").disabled
    page.radio(key=f"reason_{post_id}").set_value("other").run()
    press(page, "Reject the post")
    assert "needs a note" in html_of(page)
    assert staff.place(post_id) == "review/pending"
    page.text_input(key=f"reject_note_{post_id}").input("we know the author").run()
    press(page, "Reject the post")
    assert staff.place(post_id) == "review/rejected"
    assert "Nothing waits for you" in html_of(page)
    press(page, "Undo")
    assert staff.place(post_id) == "review/pending"


def test_sending_back_asks_for_a_note(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = press(signed_in("editor"), "Send back")
    press(page, "Send back for another draft")
    assert "the note is empty" in html_of(page).lower()
    page.text_area(key=f"back_note_{post_id}").input("name the guest").run()
    press(page, "Send back for another draft")
    assert staff.place(post_id) == "response/pending"


def test_a_saved_edit_becomes_the_draft(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("editor")
    page.text_area(key=f"text_{post_id}").input("Shorter: 12:04.").run()
    press(page, "Save edit")
    assert (
        staff.value("select text from draft where post_id = %s order by version desc", post_id)
        == "Shorter: 12:04."
    )
    assert "version 2 by Editor" in html_of(page)
    assert page.button(key="edit_draft").disabled


def test_a_decision_by_somebody_else_is_told_and_the_text_is_kept(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("approver")
    version = staff.value("select version from post where id = %s", post_id)
    commands.edit_draft(staff.db, staff.actor("editor"), post_id, version=version, text="Theirs.")
    page.text_area(key=f"text_{post_id}").input("Mine.").run()
    press(page, "Approve")
    assert "Someone decided in between" in html_of(page)
    assert staff.place(post_id) == "review/pending"
    assert page.text_area(key=f"text_{post_id}").value == "Mine."
    press(page, "Show what stands now")
    assert page.text_area(key=f"text_{post_id}").value == "Mine."
    press(page, "Approve")
    assert staff.place(post_id) == "post_queue/pending"


def test_a_database_that_goes_away_is_a_message_and_the_text_is_kept(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("approver")
    page.text_area(key=f"text_{post_id}").input("Mine.").run()
    name = staff.value("select current_database()")
    staff.do(f"revoke connect on database {name} from rejoinder_app, public")
    st.cache_resource.clear()
    page.button(key="approve").click().run()
    assert not page.exception
    assert "PostgreSQL cannot be reached" in html_of(page)
    staff.do(f"grant connect on database {name} to rejoinder_app")
    press(page, "Try again")
    assert page.text_area(key=f"text_{post_id}").value == "Mine."


def test_a_text_that_is_too_long_cannot_be_approved(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("approver")
    page.text_area(key=f"text_{post_id}").input("x" * 300).run()
    assert page.button(key="approve").disabled
    assert page.button(key="approve").help == "20 too long for X."
    page.text_area(key=f"text_{post_id}").input("see https://example.com/" + "x" * 300).run()
    assert not page.button(key="approve").disabled


def test_a_viewer_sees_everything_and_may_do_nothing(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("viewer")
    for key in ("approve", "reject", "send_back", "edit_draft"):
        button = page.button(key=key)
        assert button.disabled
        assert "you are signed in as viewer" in button.help
    assert page.text_area(key=f"text_{post_id}").disabled
    assert "they work below zero" in html_of(page)


def test_who_is_deactivated_is_out_at_once(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = signed_in("approver")
    people.deactivate(staff.db, machine_owner(), "approver")
    page.run()
    assert "Heat pumps" not in html_of(page)
    assert page.text_input(key="sign_in_name")


def test_signing_out_shows_nothing_any_more(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = press(signed_in("approver"), "Sign out")
    assert "Heat pumps" not in html_of(page)
    assert "actor" not in page.session_state


@pytest.mark.parametrize("path", ["", "posts", "hand-off", "publications", "trouble", "audit"])
def test_words_of_others_are_never_markup(staff: Desk, signed_in: SignIn, path: str) -> None:
    post_id = staff.post(NASTY, summoned=False)
    staff.do("update post set author = %s, community = %s where id = %s", NASTY, NASTY, post_id)
    staff.do("update draft set text = %s where post_id = %s", NASTY, post_id)
    staff.do("insert into notification (kind, message) values ('k', %s)", NASTY)
    page = signed_in("approver")
    if path == "hand-off":
        press(page, "Approve")
    go_to(page, path)
    shown = html_of(page).replace("<script>\n", "").replace("<script>//", "")
    assert "<script>alert" not in shown
    assert "<img" not in shown
    assert 'href="javascript' not in shown
    for part in ("**bold**", "<script>", "[link](", ":red[x]"):
        assert part not in rendered(page)
    if path in ("", "posts", "hand-off", "trouble"):
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


def test_text_that_runs_from_right_to_left_is_shown_so(staff: Desk, signed_in: SignIn) -> None:
    staff.post("משאבות חום לא עובדות בחורף")
    assert '<div class="rj-text rj-post" dir="rtl">' in html_of(signed_in("approver"))


def test_a_reply_is_handed_off_and_its_address_recorded(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post(summoned=False)
    page = signed_in("approver")
    assert "the author did not call us" in html_of(page)
    press(page, "Approve")
    publication = staff.value("select id from publication where post_id = %s", post_id)
    go_to(page, "hand-off")
    assert DRAFT in [code.value for code in page.code]
    page.text_input(key=f"address_{publication}").input("not an address").run()
    press(page, "Record as posted")
    assert "does not name a reply" in html_of(page)
    assert page.text_input(key=f"address_{publication}").value == "not an address"
    page.text_input(key=f"address_{publication}").input("https://x.com/me/status/77").run()
    press(page, "Record as posted")
    assert staff.value("select platform_id from publication where id = %s", publication) == "77"
    assert staff.place(post_id) == "done/completed"
    assert "Nothing waits to be posted by hand" in html_of(page)


def test_each_part_of_a_thread_is_posted_by_hand_and_its_address_recorded(
    staff: Desk, signed_in: SignIn
) -> None:
    post_id = staff.post(summoned=False)
    page = signed_in("approver")
    page.text_area(key=f"text_{post_id}").input("One.\n---\nTwo.\n---\nThree.").run()
    go_to(press(page, "Approve"), "hand-off")
    number = staff.value("select id from publication")
    assert [code.value for code in page.code] == ["One.", "Two.", "Three."]
    pages = [element.proto.url for element in page.get("link_button")]
    assert pages == ["https://x.com/intent/post?in_reply_to=1001&text=One."]
    page.text_input(key=f"address_{number}").input("https://x.com/me/status/77").run()
    pages = [element.proto.url for element in page.get("link_button")]
    assert pages[1:] == ["https://x.com/intent/post?in_reply_to=77&text=Two."]
    page.text_input(key=f"address_{number}_1").input("nowhere").run()
    assert "does not name a reply" in html_of(press(page, "Record as posted"))
    page.text_input(key=f"address_{number}_1").input("78").run()
    press(page, "Record as posted")
    stands = "select string_agg(coalesce(platform_id, '?'), ' ' order by position) from publication_part"
    assert (staff.place(post_id), staff.value(stands)) == ("done/completed", "77 78 ?")


def test_a_hand_off_can_be_dropped(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post(summoned=False)
    page = press(signed_in("approver"), "Approve")
    press(go_to(page, "hand-off"), "Drop this reply")
    assert staff.value("select state from publication where post_id = %s", post_id) == "abandoned"


def unknown_publication(staff: Desk, page: AppTest) -> int:
    """An approved reply whose outcome nobody saw."""
    press(page, "Approve")
    publication: int = staff.value("select max(id) from publication")
    staff.do("alter table publication disable trigger publication_guard")
    staff.do("alter table post disable trigger post_move_guard")
    staff.do("update publication set state = 'unknown' where id = %s", publication)
    staff.do("update post set status = 'processing' where stage = 'post_queue'")
    staff.do("alter table post enable trigger post_move_guard")
    staff.do("alter table publication enable trigger publication_guard")
    return publication


def test_an_unknown_outcome_is_settled_with_the_address(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = signed_in("approver")
    publication = unknown_publication(staff, page)
    go_to(page, "publications")
    page.text_input(key=f"settle_address_{publication}").input("https://x.com/me/status/99").run()
    press(page, "It is there")
    assert staff.value("select state from publication where id = %s", publication) == "sent"


def test_sending_again_needs_a_look_at_the_account(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    page = signed_in("approver")
    publication = unknown_publication(staff, page)
    go_to(page, "publications")
    assert page.button(key=f"resend_{publication}").disabled
    page.checkbox(key=f"sure_{publication}").check().run()
    press(page, "Send it again")
    assert staff.value("select state from publication where id = %s", publication) == "queued"


def test_dead_work_is_retried_by_those_who_may(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post(at="response/dead")
    letter = "insert into dead_letter (item_table, item_id, step, reason) values ('post', %s, 'decide', 'too often')"
    staff.do(letter, post_id)
    assert go_to(signed_in("viewer"), "trouble").button(key="retry").disabled
    page = go_to(signed_in("editor"), "trouble")
    assert page.dataframe[0].value["reason"].tolist() == ["too often"]
    press(page, "Retry")
    assert staff.place(post_id) == "response/pending"
    assert "No trouble" in html_of(page)


def test_a_notice_is_shown_until_it_is_read(staff: Desk, signed_in: SignIn) -> None:
    staff.do("insert into notification (kind, message) values ('spend_cap', 'The cap of the day is reached')")
    page = go_to(signed_in("viewer"), "trouble")
    assert "The cap of the day is reached" in html_of(page)
    press(page, "Mark as read")
    assert "The cap of the day is reached" not in html_of(page)


def test_the_board_opens_a_case(staff: Desk, signed_in: SignIn) -> None:
    staff.post()
    dead = staff.post("This one died", at="response/dead")
    page = go_to(signed_in("viewer"), "posts")
    press(page, f"Open post {dead}")
    assert "This post is at response/dead" in html_of(page)


def test_the_queue_is_searched_and_ordered(staff: Desk, signed_in: SignIn) -> None:
    first, second = staff.post(), staff.post("Induction hobs and pans")
    page = signed_in("viewer")
    assert page.session_state["queue_ids"] == (first, second)
    page.text_input(key="search").input("induction").run()
    assert page.session_state["queue_ids"] == (second,)
    page.text_input(key="search").input("").run()
    press(page, f"Open post {second}")
    assert page.text_area(key=f"text_{second}")


def test_the_audit_says_who_did_what(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = go_to(press(signed_in("approver"), "Approve"), "audit")
    newest = page.dataframe[0].value.iloc[0]
    assert (newest["Who"], newest["Did"], newest["About"]) == ("approver", "approve", f"post {post_id}")
    page.selectbox(key="audit_person").select("viewer").run()
    assert "No deed matches" in html_of(page)


def test_a_database_that_cannot_be_reached_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REJOINDER_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    load_settings.cache_clear()
    page = AppTest.from_file(APP, default_timeout=60).run()
    assert not page.exception
    assert "A service cannot be reached" in html_of(page)


def test_a_password_is_changed_with_the_current_one(staff: Desk, signed_in: SignIn) -> None:
    page = signed_in("viewer")
    page.text_input(key="current_password").input("not this one")
    page.text_input(key="new_password").input("another long password")
    press(page, "Change the password")
    assert "The current password is wrong" in html_of(page)
    page.text_input(key="current_password").input(PASSWORD)
    page.text_input(key="new_password").input("another long password")
    press(page, "Change the password")
    assert "No trouble" in html_of(go_to(signed_in("viewer", "another long password"), "trouble"))


def test_a_refused_reply_may_be_approved_again_with_other_words(staff: Desk, signed_in: SignIn) -> None:
    post_id = staff.post()
    page = signed_in("approver")
    publication = unknown_publication(staff, page)
    staff.do(
        "update publication set state = 'refused', detail = 'duplicate content' where id = %s", publication
    )
    staff.do("update post set status = 'failed' where id = %s", post_id)
    press(go_to(page, "publications"), "Open the case")
    go_to(page, "")  # AppTest does not follow a page that switches to another one
    assert "duplicate content" in html_of(page)
    assert "Reject" not in [button.label for button in page.button]
    page.text_area(key=f"text_{post_id}").input("Said differently: 12:04.").run()
    press(page, "Approve")
    assert (
        staff.value("select count(*) from publication where post_id = %s and state = 'queued'", post_id) == 1
    )


def test_the_link_is_switched_on_and_off_and_what_it_costs_is_said(staff: Desk, signed_in: SignIn) -> None:
    dear = '{"price_summoned_usd": 0.01, "price_per_create_usd": 0.015, "price_with_link_usd": 0.2}'
    staff.do("update channel set policy = policy || %s::jsonb", dear)
    post_id = staff.post()
    staff.do("update source set url = %s", "https://example.com/e1")
    page = signed_in("approver")
    link = page.toggle(key=f"link_{post_id}")
    assert (link.label, link.value) == ("With link (+0.190 USD)", False)
    shown = html_of(page)
    assert "As it stands: 0.010 USD." in shown
    with_link = len(DRAFT) + 1 + 23
    assert f"With the link: {with_link} of 280 characters; X counts any link as 23." in shown
    link.set_value(True).run()
    assert page.text_area(key=f"text_{post_id}").value == f"{DRAFT} https://example.com/e1#t=724"
    page.toggle(key=f"link_{post_id}").set_value(False).run()
    assert page.text_area(key=f"text_{post_id}").value == DRAFT
    page.toggle(key=f"link_{post_id}").set_value(True).run()
    assert "As it stands: 0.200 USD." in html_of(page)
    page = press_key(page, "approve")
    assert staff.value("select text from review_part") == f"{DRAFT} https://example.com/e1#t=724"


def test_the_switch_follows_what_is_typed_and_each_post_has_its_own(staff: Desk, signed_in: SignIn) -> None:
    opened, left = staff.post(), staff.post()
    staff.do("update source set url = %s", "https://example.com/e1")
    page = signed_in("approver")
    address = "https://example.com/e1#t=724"
    page.text_area(key=f"text_{opened}").input(f"It is all there ({address}).").run()
    assert page.toggle(key=f"link_{opened}").value
    page.toggle(key=f"link_{opened}").set_value(False).run()
    assert page.text_area(key=f"text_{opened}").value == "It is all there."
    page.toggle(key=f"link_{opened}").set_value(True).run()
    page = press_key(page, "approve")
    assert staff.value("select text from review_part") == f"It is all there ({address})."
    assert page.text_area(key=f"text_{left}").value == DRAFT and not page.toggle(key=f"link_{left}").value


def test_no_switch_where_a_channel_takes_no_links(staff: Desk, signed_in: SignIn) -> None:
    staff.do("""update channel set policy = policy || '{"allow_links": false}'""")
    staff.post()
    assert not signed_in("approver").toggle
