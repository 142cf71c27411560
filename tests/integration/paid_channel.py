"""A channel that costs money, its meter in a process, and what its books say; also a program that reads until stopped.

As a program it takes one JSON object: it allows and counts until the budget is spent, or until it is killed.
"""

import json
import sys
import threading
from dataclasses import replace
from typing import Any
from uuid import uuid4

from rejoinder.ids import ChannelId
from rejoinder.listening.policy import ChannelPolicy, default_policy
from resources.platforms.failures import SpendStopped
from resources.postgres import Database
from resources.spending.meters import Meters
from resources.store.channels import save_channel

PAID = replace(default_policy("x/self_serve"), spend_cap_usd_per_day=1.0, spend_cap_usd_per_month=20.0)


def make_channel(owner_db: Database, policy: ChannelPolicy = PAID, **changes: Any) -> ChannelId:
    """A channel with this policy; the same one with another policy where it is there."""
    with owner_db.transaction() as tx:
        found = tx.connection.execute("select id from project").fetchone()
        if found is None:
            tx.connection.execute("insert into creator (name) values ('c')")
            found = tx.connection.execute(
                "insert into project (creator_id, name) select id, 'p' from creator returning id"
            ).fetchone()
        assert found
        values: dict[str, Any] = {
            "name": "news",
            "platform": "x",
            "account": "rejoinder",
            "base_url": "http://127.0.0.1:9",
            "is_sandbox": True,
        }
        return save_channel(tx, project_id=found["id"], policy=policy, **{**values, **changes})


def rows(db: Database, statement: Any, *values: Any) -> list[dict[str, Any]]:
    """Rows of a statement."""
    with db.transaction() as tx:
        return tx.connection.execute(statement, values).fetchall()


def entries(db: Database) -> dict[tuple[str, str], tuple[int, int, float]]:
    """Resources, those charged, and USD, by day and action."""
    found = rows(
        db, "select day::text, action, n_resources, n_charged, spent_usd::float8 as usd from spend_entry"
    )
    return {(r["day"], r["action"]): (r["n_resources"], r["n_charged"], r["usd"]) for r in found}


def main(order: dict[str, Any]) -> None:
    """Read with several threads from a word on stdin on; says how many resources it was let read, or that it holds."""
    meters = Meters(Database(order["url"]).open())
    meter = meters.of(ChannelId(order["channel_id"]))
    read: list[int] = []

    def calls() -> None:
        while True:
            try:
                meter.allow("post_read", order["n"])
            except SpendStopped:
                return
            meter.count("post_read", [uuid4().hex for _ in range(order["n"])])
            read.append(order["n"])

    with meters.open():
        if order["n_held"]:
            meter.allow("post_read", order["n_held"])
            print("holding", flush=True)
            threading.Event().wait()
        print("ready", flush=True)
        sys.stdin.readline()
        threads = [threading.Thread(target=calls) for _ in range(order["threads"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(sum(read), flush=True)
    meters.db.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
