"""Answers to our replies on the pages of the review app: under the publication, and with the case."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from rejoinder.listening.post import Post
from resources.commands.actors import Actor
from resources.listening import HeardCounts, save_posts
from review_app.screens.answers import SHOWN

pytestmark = pytest.mark.usefixtures("environment")
NASTY = "**bold** <script>alert(1)</script> [link](javascript:alert(3)) :red[x]"


@pytest.fixture
def channel(desk):
    return desk.channel()


@pytest.fixture
def sent(desk, channel) -> int:
    reply = desk.approved(channel)
    assert desk.run().sent == 1
    return reply


def hear(desk, channel, *texts: str) -> None:
    posts = [
        Post("x", str(n), text, datetime(2026, 11, 2, 9, n, tzinfo=UTC), author=NASTY, parent_id="9000",
             url="https://x.com/bo/status/1")
        for n, text in enumerate(texts, 1)
    ]  # fmt: skip
    with desk.db.transaction() as tx:
        save_posts(tx, channel, posts, HeardCounts())


def drawn(desk, name: str, role: str = "approver") -> AppTest:
    page = AppTest.from_string(f"from review_app.screens.{name} import page\npage()", default_timeout=60)
    page.session_state["actor"] = Actor(desk.approver.person_id, desk.approver.name, role)
    page.session_state["open_post"] = desk.rows("select post_id from publication")[0]["post_id"]
    page.run()
    assert not page.exception
    return page


def words_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.html)


@pytest.mark.parametrize("name", ["publications", "review"])
def test_answers_stand_with_our_reply_as_plain_text(desk, channel, sent, name):
    assert not [one for one in drawn(desk, name).expander if "to our reply" in one.label]
    hear(desk, channel, f"Why? {NASTY}", "Thanks.")
    page = drawn(desk, name)
    assert [one.label for one in page.expander if "to our reply" in one.label] == ["2 answers to our reply"]
    said = words_of(page)
    assert "question" in said and "triage, pending" in said and "2026-11-02 09:01 UTC" in said
    assert "&lt;script&gt;alert(1)" in said and "<script>alert" not in said
    assert 'href="https://x.com/bo/status/1"' in said
    assert not [one for one in page.markdown if "**bold**" in one.value]


def test_a_remark_is_taken_up_on_the_page_by_those_who_may(desk, channel, sent):
    hear(desk, channel, "Why?", "Thanks.")
    ids = {row["text"]: row["id"] for row in desk.rows("select id, text from post where parent_id = '9000'")}
    keys = [button.key for button in drawn(desk, "publications").button]
    assert {f"answer_{i}" for i in ids.values()} <= set(keys)
    assert f"take_up_{ids['Why?']}" not in keys
    key = f"take_up_{ids['Thanks.']}"
    assert drawn(desk, "publications", "viewer").button(key=key).disabled
    page = drawn(desk, "publications")
    page.button(key=key).click().run()
    assert not page.exception
    assert key not in [button.key for button in page.button]
    assert desk.rows("select status from post where id = %s", ids["Thanks."]) == [{"status": "pending"}]


def test_of_many_answers_the_latest_are_shown(desk, channel, sent):
    hear(desk, channel, *(f"Remark {n}." for n in range(SHOWN + 1)))
    page = drawn(desk, "publications")
    assert [one.label for one in page.expander] == [f"The latest {SHOWN} answers to our reply"]
    assert "Remark 0." not in words_of(page) and f"Remark {SHOWN}." in words_of(page)
    desk.rows("update post set gone_at = now() where text = %s", f"Remark {SHOWN}.")
    page = drawn(desk, "publications")
    assert [one.label for one in page.expander] == [f"{SHOWN} answers to our reply"]
    assert f"Remark {SHOWN}." not in words_of(page)
