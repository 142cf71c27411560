"""Every asset has what a person looks for in Dagster, and every check can fail."""

import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from resources.postgres import Database, Transaction
from resources.provision import prepare
from resources.settings import Settings

BREAKS = {
    "sources": "delete from cue where source_id = (select min(id) from source)",
    "chunks": "update chunk set end_s = start_s - 1 where id = (select min(id) from chunk)",
    "chunk_embeddings": "delete from chunk_embedding where chunk_id = (select min(id) from chunk where is_current)",
    "keywords": "delete from keyword where source_id = (select min(id) from source)",
    "summaries": (
        "delete from summary_sentence where summary_id in (select id from summary where scope = 'epoch')"
    ),
    "listening_rules": "update listening_rule set is_active = false",
    "posts": "update post set text = '  ' where id = (select min(id) from post)",
    "post_embeddings": "delete from post_embedding where post_id = (select max(post_id) from claim)",
    "relevance": "delete from stage_decision where step = 'relevance'",
    "claims": "delete from evidence; delete from claim",
    "evidence": "update evidence set quote = 'nobody said this'",
    "decisions": "update decision set propensity = 0.99",
    "drafts": "delete from draft_evidence",
    "checked_drafts": "update draft_check set is_passed = false",
    "engagement": "update measurement set status = 'dead'",
    "rewards": "delete from reward",
    "follow_ups": (
        "insert into opt_out (platform, author, reason) select platform, author, 'stop' from post"
        " where author is not null order by id limit 1;"
        " update post set answers_publication_id = (select min(id) from publication), stage = 'triage', step = 'embed',"
        " status = 'pending' where author = (select author from opt_out limit 1)"
    ),
    "outcomes": "update draft set decision_id = null",
    "relevance_model": (
        "insert into model_version (name, data_hash, parameters, metrics, is_champion)"
        " values ('m', 'h', '{}', '{\"roc_auc\": 0.4}', true)"
    ),
}


@pytest.fixture
def broken(walked: Any) -> Iterator[Transaction]:
    """A transaction as the owner with triggers off, rolled back at the end."""
    database = Database(prepare(Settings(home=walked.installation.home)).owner).open()
    try:
        with database.transaction() as tx:
            for table in ("draft_evidence", "draft", "evidence", "claim", "post", "measurement"):
                tx.connection.execute(f"alter table {table} disable trigger user")
            # What cites a row must not keep a test from breaking it.
            tx.connection.execute(
                "alter table draft_evidence drop constraint draft_evidence_evidence_id_fkey"
            )
            yield tx
            raise RolledBack
    except RolledBack:
        pass
    finally:
        database.close()


class RolledBack(Exception):
    """Ends the transaction without a trace."""


@pytest.mark.parametrize("asset", sorted(BREAKS))
def test_a_check_passes_and_can_fail(broken: Transaction, asset: str) -> None:
    if asset == "checked_drafts":
        broken.connection.execute(
            "update post set stage = 'review', step = 'review', status = 'pending'"
            " where id = (select max(post_id) from draft)"
        )
    assert broken.rows(f"check_{asset}") == []
    for statement in BREAKS[asset].split("; "):
        broken.connection.execute(statement)
    assert broken.rows(f"check_{asset}") != []


def test_every_asset_says_what_it_is() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from jobs.definitions import build_definitions

        defs = build_definitions()
    checked = {next(iter(c.check_keys)).asset_key.to_user_string() for c in defs.asset_checks or ()}
    for asset in defs.assets or ():
        name = asset.key.to_user_string()
        spec = asset.get_asset_spec()
        assert spec.description and spec.group_name != "default" and spec.owners and spec.kinds, name
        assert name in checked, f"{name} has no check"


def test_materializations_report_rows_cost_and_a_preview(
    walked: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REJOINDER_HOME", str(walked.installation.home))
    from resources.dagster_home import open_instance

    settings = Settings(home=walked.installation.home)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dagster as dg

        with open_instance(settings, prepare(settings)) as instance:
            event = instance.get_latest_materialization_event(dg.AssetKey("drafts"))
    assert event is not None and event.asset_materialization is not None
    metadata = event.asset_materialization.metadata
    # Edited replies are further versions; they show as soon as the asset has run again.
    written = walked.report["drafts"]
    assert written <= metadata["dagster/row_count"].value <= written + walked.report["reviews"]["edited"]
    assert "cost_usd" in metadata and "|" in str(metadata["preview"].value)
