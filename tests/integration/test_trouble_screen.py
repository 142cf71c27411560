"""The page Trouble: notices by kind, the gravest first, read one by one or at once; messages that never arrived."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from resources.commands.actors import machine_owner
from resources.notices import list_notices, notify
from resources.postgres import Database

pytestmark = pytest.mark.usefixtures("environment")


def drawn() -> AppTest:
    page = AppTest.from_string("from review_app.screens.trouble import page\npage()", default_timeout=60)
    page.session_state["actor"] = machine_owner()
    page.run()
    assert not page.exception
    return page


def words_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.html)


def test_kinds_stand_together_the_gravest_first(db: Database) -> None:
    for kind in ("refused", "refused", "auth_expired", "policy"):
        notify(db, kind, f"about {kind}")
    said = words_of(drawn())
    places = [said.index(f"about {kind}") for kind in ("auth_expired", "refused", "policy")]
    assert places == sorted(places) and "critical" in said and "The platform refused a reply for good" in said


def test_a_kind_or_everything_is_read_at_once(db: Database) -> None:
    for kind in ("refused", "refused", "policy"):
        notify(db, kind, "m")
    page = drawn()
    page.button(key="read_kind_refused").click().run()
    assert not page.exception and [n["kind"] for n in list_notices(db)] == ["policy"]
    notify(db, "refused", "m")
    drawn().button(key="read_all").click().run()
    assert list_notices(db) == []
    assert "No trouble." in words_of(drawn())


def test_a_message_that_never_arrived_is_shown_and_sent_again(db: Database) -> None:
    notify(db, "refused", "m")
    with db.transaction() as tx:
        tx.execute("see_notification_sink", sink="team", now=datetime.now(UTC))
        tx.connection.execute(
            "insert into notification_delivery (sink, event, state, attempts, last_error)"
            " values ('team', 'began', 'dead', 12, 'HTTP 503')"
        )
    page = drawn()
    assert "Messages that did not arrive" in words_of(page)
    assert page.dataframe[0].value["reason"].tolist() == ["HTTP 503"]
    page.button(key="retry_messages").click().run()
    assert not page.exception and "Messages that did not arrive" not in words_of(drawn())


def test_many_of_a_kind_are_folded(db: Database) -> None:
    for n in range(8):
        notify(db, "refused", f"reply {n}")
    page = drawn()
    assert [expander.label for expander in page.expander] == ["3 more"]


def test_a_notice_about_a_channel_leads_to_the_channels(db: Database) -> None:
    notify(db, "auth_expired", "401", entity_type="channel", entity_id=1)
    notify(db, "run_failed", "a run")
    assert [button.label for button in drawn().button].count("Open channels") == 1
