"""A database of the version before the gateway: its calls and summaries stay as they were."""

from decimal import Decimal

from earlier_schema import set_back
from pytest import MonkeyPatch

from resources.migrations import migrate
from resources.postgres import Database
from resources.provision import Addresses

LAST_BEFORE = 13
ROWS = """
insert into creator (name) values ('c');
insert into project (creator_id, name) select id, 'p' from creator;
insert into source (project_id, name, title, format, content_hash, language, step, status)
select id, 's', 'S', 'vtt', 'h', 'en', 'ready', 'completed' from project;
insert into summary (source_id, epoch_id, text)
select id, epoch_of(project_id, created_at), 'Quoted.' from source;
insert into model_run (run_type, model, n_items, tokens_in, tokens_out, cost_usd, latency_ms, is_ok)
values ('embed', 'onnx::m', 3, 900, 0, 0.000001, 5, true), ('embed', 'onnx::m', 3, 900, 0, 999999.999999, 5, true)
"""


def test_calls_and_summaries_of_the_version_before_stay(
    addresses: Addresses, owner_db: Database, db: Database, monkeypatch: MonkeyPatch
) -> None:
    set_back(addresses, owner_db, monkeypatch, last=LAST_BEFORE)
    with owner_db.transaction() as tx:
        for statement in ROWS.split(";"):
            tx.connection.execute(statement)  # type: ignore[call-overload]
    assert migrate(addresses.owner)[0] == "0014_model_gateway"
    with db.transaction() as tx:
        runs = tx.connection.execute("select * from model_run order by id").fetchall()
        summary = tx.connection.execute("select model, prompt_version, note from summary").fetchone()
    assert [run["cost_usd"] for run in runs] == [Decimal("0.000001"), Decimal("999999.999999")]
    assert {
        (run["endpoint"], run["task"], run["creator_id"], run["arm"], run["is_cached"]) for run in runs
    } == {(None, None, None, "champion", False)}
    assert summary == {"model": None, "prompt_version": None, "note": ""}
