"""Dead items come back to life, failed ones stop waiting, notices are marked as read."""

import pytest

from rejoinder.errors import ConfigInvalid, NotAllowed
from resources.commands.actors import machine_owner
from resources.commands.upkeep import STEPS, mark_read, retry, retry_in_project


@pytest.fixture
def ill(newsroom) -> dict[str, int]:
    """A dead and a failed post at the step decide, a dead source at the step embed."""
    dead, failed = newsroom.post(at="response/dead"), newsroom.post(at="response/failed")
    newsroom.rows("update post set due_at = now() + interval '1 h', attempts = 3 returning id")
    newsroom.rows(
        "insert into source (project_id, name, title, format, content_hash, step, status)"
        " select id, 's', 't', 'vtt', 'h', 'embed', 'dead' from project returning id"
    )
    newsroom.rows(
        "insert into dead_letter (item_table, item_id, step, reason) values ('post', %s, 'decide', 'r'),"
        " ('source', 1, 'embed', 'r') returning id",
        dead,
    )
    return {"dead": dead, "failed": failed}


def test_everything_is_tried_again(newsroom, actors, ill) -> None:
    done = retry(newsroom.db, actors["editor"])
    assert done.revived == {"ingestion": 0, "source": 1, "epoch": 0, "post": 1, "measurement": 0}
    assert done.hurried == {"ingestion": 0, "source": 0, "epoch": 0, "post": 1, "measurement": 0}
    assert newsroom.place(ill["dead"]) == "response/pending"
    assert newsroom.value("select count(*) from dead_letter where revived_at is null") == 0
    assert newsroom.value("select count(*) from post where due_at > now()") == 0
    [row] = newsroom.audit("retry")
    assert row["diff"]["revived"]["post"] == 1 and row["diff"]["step"] is None


def test_one_step_only(newsroom, ill) -> None:
    done = retry(newsroom.db, machine_owner(), "embed_chunks")
    assert done.revived == {"source": 1} and newsroom.place(ill["dead"]) == "response/dead"
    assert newsroom.value("select count(*) from dead_letter where revived_at is null") == 1
    assert retry(newsroom.db, machine_owner(), "decide").revived == {"post": 1}
    assert newsroom.audit("retry")[0]["actor"].startswith("cli:")


@pytest.mark.parametrize(
    ("step", "table", "column"),
    [
        ("embed_chunks", "source", "embed"),
        ("extract", "ingestion", "extract"),
        ("summarise", "epoch", "summarise"),
    ],
)
def test_one_project_only(newsroom, step: str, table: str, column: str) -> None:
    newsroom.rows(
        "insert into project (creator_id, name) select creator_id, 'other' from project limit 1 returning id"
    )
    own = {
        "source": ("title, format, content_hash", "'t', 'vtt', 'h' || n"),
        "ingestion": ("origin, raw_key", "'file', 'k'"),
        "epoch": ("starts_on", "make_date(2026, n, 1)"),
    }[table]
    name = ("", "") if table == "epoch" else ("name, ", "'s' || n, ")
    newsroom.rows(
        f"insert into {table} (project_id, {name[0]}{own[0]}, step, status, due_at)"
        f" select p.id, {name[1]}{own[1]}, '{column}', s.status, now() + interval '1 h'"
        " from project p, (values (1, 'dead'), (2, 'failed')) s (n, status) returning id"
    )
    first, second = (row["id"] for row in newsroom.rows("select id from project order by id"))
    done = retry_in_project(newsroom.db, machine_owner(), first, step)
    assert (done.revived, done.hurried) == ({table: 1}, {table: 1})
    left = f"select count(*) from {table} where project_id = %s and (status = 'dead' or due_at > now())"
    assert (newsroom.value(left, first), newsroom.value(left, second)) == (0, 2)
    assert newsroom.audit("retry")[0]["diff"]["project_id"] == first


def test_a_project_has_no_posts_of_its_own_to_retry(newsroom) -> None:
    with pytest.raises(ConfigInvalid, match="no step 'decide' of sources"):
        retry_in_project(newsroom.db, machine_owner(), 1, "decide")


@pytest.mark.parametrize("step", STEPS)
def test_every_step_can_be_named(newsroom, step: str) -> None:
    assert set(retry(newsroom.db, machine_owner(), step).revived.values()) == {0}


def test_a_step_that_is_none(newsroom, actors) -> None:
    with pytest.raises(ConfigInvalid, match="no step 'sleep'"):
        retry(newsroom.db, machine_owner(), "sleep")
    with pytest.raises(NotAllowed):
        retry(newsroom.db, actors["viewer"])


def test_a_notice_is_read_once(newsroom, actors) -> None:
    number = newsroom.value("insert into notification (kind, message) values ('k', 'm') returning id")
    assert mark_read(newsroom.db, actors["viewer"], number) is True
    assert mark_read(newsroom.db, actors["viewer"], number) is False
    assert newsroom.value("select count(*) from notification where read_at is null") == 0
    assert len(newsroom.audit("mark_read")) == 1
