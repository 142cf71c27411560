"""The page Channels: states, since when and why, and budgets with their marks."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from paid_channel import PAID, make_channel
from streamlit.testing.v1 import AppTest

from resources.commands.actors import Actor
from resources.commands.pauses import pause
from resources.postgres import Database
from resources.spending.meter import SpendMeter
from resources.spending.meters import PostgresLedger
from resources.store.channel_states import set_state

pytestmark = pytest.mark.usefixtures("environment")


def opened() -> AppTest:
    """The page, for an admin."""
    page = AppTest.from_string("from review_app.screens.channels import page\npage()", default_timeout=60)
    page.session_state["actor"] = Actor(None, "owner", "admin")
    return page


def drawn() -> str:
    """The HTML of the page, alone."""
    page = opened().run()
    assert not page.exception
    return "\n".join(element.proto.body for element in page.html)


def test_without_a_channel_the_next_step_is_said(db: Database) -> None:
    assert "No channel yet." in drawn() and "rejoinder channel add" in drawn()


def test_states_and_budgets_are_shown(db: Database, owner_db: Database) -> None:
    channel_id = make_channel(owner_db)
    make_channel(
        owner_db, replace(PAID, spend_cap_usd_per_day=None, spend_cap_usd_per_month=None), name="open"
    )
    assert "Nothing has run on this channel yet." in drawn()
    meter = SpendMeter(PostgresLedger(db, channel_id), lambda: datetime.now(UTC))
    meter.allow("post_read", 180)
    meter.count("post_read", [str(n) for n in range(170)])
    meter.tick()
    with db.transaction() as tx:
        set_state(tx, channel_id, "listen", "refused", "<b>the token</b> was refused")
    html = drawn()
    assert "<b>Today</b> $0.85 of $1.00 · 85.0%, $0.05 held for calls under way" in html
    assert 'class="rj-spend warn"' in html and "width:85.0%" in html
    assert "170 post read (170 charged), $0.85" in html
    assert "&lt;b&gt;the token&lt;/b&gt; was refused" in html and "warned" in html
    assert "$0.00, no budget" in html


def test_a_rule_that_the_platform_does_not_take_is_shown_with_its_reason(
    db: Database, owner_db: Database
) -> None:
    channel_id = make_channel(owner_db)
    with db.transaction() as tx:
        tx.execute("upsert_listening_rule", channel_id=channel_id, tag="bad", query="tea OR")
        assert "tea OR" not in drawn()
        tx.execute("put_rule_aside", channel_id=channel_id, query="tea OR", reason="<i>a term</i> is missing")
    html = drawn()
    assert "<code>tea OR</code>" in html and "&lt;i&gt;a term&lt;/i&gt; is missing" in html


def test_a_person_in_a_hurry_stops_everything_without_a_word(db: Database, owner_db: Database) -> None:
    make_channel(owner_db, name="paid")
    opened().run().button(key="stop_everything").click().run()
    with db.transaction() as tx:
        assert tx.rows("pauses_in_force")[0]["reason"] == "no reason given"


def test_the_switch_stands_in_red_with_who_when_and_why(db: Database, owner_db: Database) -> None:
    make_channel(owner_db, name="paid")
    page = opened().run()
    assert not page.exception
    page.text_input(key="pause_reason_everything").input("<i>an outcry</i>").run()
    page.button(key="stop_everything").click().run()
    html = "\n".join(element.proto.body for element in page.html)
    assert (
        'class="rj-chip bad"' in html
        and "&lt;i&gt;an outcry&lt;/i&gt;" in html
        and "may send: paused" in html
    )
    with db.transaction() as tx:
        assert tx.rows("pauses_in_force")[0]["reason"] == "<i>an outcry</i>"
    pause(db, Actor(None, "owner", "admin"), "paid", reason="its own")
    assert "its own" in drawn()
