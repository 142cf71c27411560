"""What the parts of a channel are doing, as people see it."""

from typing import Any

import pytest
from paid_channel import make_channel

from rejoinder.ids import ChannelId
from resources.postgres import Database
from resources.store.channel_states import read_states, set_state


@pytest.fixture
def channel_id(owner_db: Database) -> ChannelId:
    return make_channel(owner_db, name="rehearsal")


def told(db: Database) -> Any:
    with db.transaction() as tx:
        return read_states(tx)


def test_the_same_state_keeps_its_beginning(db: Database, channel_id: ChannelId) -> None:
    assert told(db) == []
    for detail in ("two posts a minute", "three posts a minute"):
        with db.transaction() as tx:
            set_state(tx, channel_id, "listen", "streaming", detail)
            (now,) = read_states(tx)
            assert now.detail == detail and now.channel == "rehearsal"
    (streaming,) = told(db)
    assert streaming.since < streaming.updated_at
    with db.transaction() as tx:
        set_state(tx, channel_id, "listen", "stopped", "x" * 600)
    (stopped,) = told(db)
    assert (stopped.state, len(stopped.detail)) == ("stopped", 500)
    assert stopped.since > streaming.since


def test_each_part_tells_for_itself_and_the_publisher_may_too(
    db: Database, addresses: Any, owner_db: Database, channel_id: ChannelId
) -> None:
    publisher = Database(addresses.publisher).open()
    try:
        with publisher.transaction() as tx:
            set_state(tx, channel_id, "publish", "waiting", "until midnight")
    finally:
        publisher.close()
    with db.transaction() as tx:
        set_state(tx, channel_id, "listen", "polling")
    assert [(s.part, s.state) for s in told(db)] == [("listen", "polling"), ("publish", "waiting")]
    with owner_db.transaction() as tx:
        tx.execute("disable_channel", name="rehearsal")
    assert told(db) == []
