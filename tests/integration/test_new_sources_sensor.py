"""The sensor on sources asks for what a run left behind, not only for what is new."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from resources.postgres import Database
from resources.settings import Settings
from resources.tuning import Tuning

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import dagster as dg

    from sensors.new_sources import new_sources

Look = Callable[[], Any]


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with dg.DagsterInstance.ephemeral() as made:
            yield made


class OneModel:
    """A shelf whose only model is the one in use."""

    def uri_of(self, name: str) -> str:
        return name


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    path = tmp_path / "home" / "inbox"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def look(db: Database, instance: dg.DagsterInstance, inbox: Path) -> Look:
    """One look of the sensor; its cursor is kept between two looks as the daemon keeps it."""
    bench = SimpleNamespace(db=db, settings=Settings(home=inbox.parent), tuning=Tuning(), shelf=OneModel())
    sensor = new_sources(Tuning())
    kept: dict[str, str | None] = {"cursor": None}

    def act() -> Any:
        context = dg.build_sensor_context(
            instance=instance, cursor=kept["cursor"], resources={"bench": bench}
        )
        answer = sensor(context)
        kept["cursor"] = context.cursor
        return answer

    return act


def end_run(instance: dg.DagsterInstance, answer: Any, status: dg.DagsterRunStatus) -> None:
    """What the daemon would have made of the sensor's request, at its end."""
    key = answer.run_requests[0].run_key
    instance.add_run(dg.DagsterRun(job_name="ingest", status=status, tags={"dagster/run_key": key}))


def test_a_file_is_asked_for_once_when_its_run_ends_well(
    look: Look, instance: dg.DagsterInstance, inbox: Path
) -> None:
    assert isinstance(look(), dg.SkipReason)
    (inbox / "a.txt").write_text("some words")
    end_run(instance, look(), dg.DagsterRunStatus.SUCCESS)
    assert isinstance(look(), dg.SkipReason)
    (inbox / "b.txt").write_text("other words")
    assert isinstance(look(), dg.SensorResult)


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
def test_a_file_whose_run_died_is_asked_for_again(
    look: Look, instance: dg.DagsterInstance, inbox: Path, status: dg.DagsterRunStatus
) -> None:
    (inbox / "a.txt").write_text("some words")
    end_run(instance, look(), status)
    assert isinstance(look(), dg.SensorResult)


def test_a_source_that_waits_is_asked_for_without_new_files(
    look: Look, instance: dg.DagsterInstance, owner_db: Database
) -> None:
    with owner_db.transaction() as tx:
        tx.connection.execute("insert into creator (name) values ('c')")
        tx.connection.execute("insert into project (creator_id, name) select id, 'p' from creator")
        tx.connection.execute(
            "insert into source (project_id, name, title, format, content_hash, step)"
            " select id, 's', 't', 'vtt', 'h', 'embed' from project"
        )
    answer = look()
    assert isinstance(answer, dg.SensorResult)
    end_run(instance, answer, dg.DagsterRunStatus.FAILURE)
    assert isinstance(look(), dg.SensorResult)
