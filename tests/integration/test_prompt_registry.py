"""Prompts and their aliases in PostgreSQL and in a real MLflow registry: both come to the same, whoever moved."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url

from rejoinder.prompts.aliases import Alias, Aliases
from rejoinder.prompts.loader import Prompt, load_prompt, parse_prompt
from resources.commands import people
from resources.commands import prompts as commands
from resources.commands.actors import Actor, machine_owner
from resources.embedded.cluster import Cluster
from resources.postgres import Database
from resources.prompt_registry import agree_on_aliases, register_stored
from resources.provision import connect_admin, prepare
from resources.settings import Settings
from resources.store import prompt_versions as store
from resources.store.reviews import audit_page
from resources.tracking import Tracker

FIRST = load_prompt("reply", 1)
PASSWORD = "correct horse battery"  # pragma: allowlist secret


def other(number: int) -> Prompt:
    """Another version of the reply prompt, whose file is nowhere."""
    data = FIRST.data.replace(b"\n## user", f"\nThis is the wording {number}.\n## user".encode())
    return parse_prompt(f"reply.v{number}", data)


SECOND, THIRD = other(2), other(3)


@dataclass
class Registries:
    """Both registries, each with three versions of the reply prompt."""

    db: Database
    tracker: Tracker
    admin: Actor

    def follow(self) -> int:
        """What the job does."""
        register_stored(self.db, self.tracker)
        return agree_on_aliases(self.db, self.tracker, self.tracker.read_champions().prompts)

    def here(self) -> Aliases:
        with self.db.transaction() as tx:
            return store.read_aliases(tx, "reply")

    def there(self) -> Aliases:
        return Aliases(**self.tracker.read_champions().prompts["reply"])

    def move_there(self, alias: Alias, version: str | None) -> None:
        assert self.tracker.move_prompt_alias("reply", alias, version)

    def waiting(self) -> int:
        with self.db.transaction() as tx:
            return int(tx.value("count_prompts_to_bring"))

    def rows(self, statement: str) -> list[Any]:
        with self.db.transaction() as tx:
            return tx.connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def mlflow_url(cluster: Cluster) -> Iterator[str]:
    name = f"mlflow_prompts_{os.getpid()}"
    url = make_url(prepare(Settings(home=cluster.home)).mlflow)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'create database "{name}" owner "{url.username}"')
    yield url.set(database=name).render_as_string(hide_password=False)
    with connect_admin(cluster.url("postgres", "postgres", "postgres")) as admin:
        admin.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def registries(db: Database, mlflow_url: str, tmp_path: Path) -> Registries:
    people.add_person(db, machine_owner(), "ada", "Ada", "admin", PASSWORD)
    (ada,) = people.list_people(db)
    with db.transaction() as tx:
        for prompt in (FIRST, SECOND, THIRD):
            store.store_prompt(tx, prompt)
    both = Registries(db, Tracker(mlflow_url, tmp_path), Actor(ada.id, ada.name, ada.role))
    register_stored(db, both.tracker)
    # MLflow's database serves the whole module: its aliases are put back to how each test begins.
    both.move_there("champion", FIRST.version)
    both.move_there("challenger", None)
    return both


def test_registering_is_idempotent_and_the_sensor_is_told_once(registries: Registries) -> None:
    assert register_stored(registries.db, registries.tracker) == 0
    assert (registries.follow(), registries.waiting()) == (0, 0)
    assert registries.here() == registries.there() == Aliases(FIRST.version)
    with registries.db.transaction() as tx:
        store.store_prompt(tx, other(4))
    assert registries.waiting() == 1
    assert (registries.follow(), registries.waiting()) == (0, 0)
    assert registries.here() == registries.there() == Aliases(FIRST.version), (
        "a later version waits for a person"
    )


def test_what_is_promoted_here_reaches_mlflow(registries: Registries) -> None:
    commands.challenge(registries.db, registries.admin, SECOND.version)
    assert registries.waiting() == 1
    assert registries.follow() == 1
    assert registries.there() == Aliases(FIRST.version, SECOND.version)
    commands.promote(registries.db, registries.admin, SECOND.version)
    assert registries.waiting() == 2
    assert registries.follow() == 2
    assert registries.there() == registries.here() == Aliases(SECOND.version)
    assert (registries.follow(), registries.waiting()) == (0, 0)


def test_what_is_promoted_in_mlflow_is_followed_and_audited(registries: Registries) -> None:
    registries.follow()
    registries.move_there("challenger", THIRD.version)
    registries.move_there("champion", SECOND.version)
    assert registries.follow() == 2
    assert registries.here() == registries.there() == Aliases(SECOND.version, THIRD.version)
    with registries.db.transaction() as tx:
        (row,) = audit_page(tx, entity_type="prompt").rows
    assert (row.actor, row.action, row.person) == ("MLflow", "follow_mlflow", None)
    assert row.diff["champion"] == SECOND.version and row.diff["challenger"] == THIRD.version
    registries.move_there("challenger", None)
    assert registries.follow() == 1
    assert registries.here() == Aliases(SECOND.version)
    # A rollback here still knows who was champion before.
    commands.rollback(registries.db, registries.admin, "reply")
    assert registries.here() == Aliases(FIRST.version)


def test_where_both_moved_ours_holds_and_people_are_told(registries: Registries) -> None:
    registries.follow()
    commands.promote(registries.db, registries.admin, SECOND.version)
    registries.move_there("champion", THIRD.version)
    registries.follow()
    assert registries.here() == registries.there() == Aliases(SECOND.version)
    (notice,) = registries.rows("select message from notification where kind = 'prompt_alias'")
    assert SECOND.version in notice["message"] and THIRD.version in notice["message"]
    assert registries.follow() == 0


def test_a_challenger_that_was_promoted_there_is_tried_no_more(registries: Registries) -> None:
    commands.challenge(registries.db, registries.admin, SECOND.version)
    registries.follow()
    registries.move_there("champion", SECOND.version)
    registries.follow()
    assert registries.here() == registries.there() == Aliases(SECOND.version)
    assert registries.follow() == 0


def test_a_champion_that_was_taken_away_there_is_put_back(registries: Registries) -> None:
    registries.follow()
    registries.move_there("champion", None)
    assert registries.follow() == 1
    assert registries.here() == registries.there() == Aliases(FIRST.version)


def test_a_version_that_somebody_made_there_changes_nothing(registries: Registries) -> None:
    registries.follow()
    with registries.tracker._client() as client:
        made = client.register_prompt("rejoinder-reply", "Say what you like: {{material}}")
        client.set_prompt_alias("rejoinder-reply", "champion", int(made.version))
    assert registries.follow() == 0
    assert registries.here() == Aliases(FIRST.version)
    assert registries.tracker.read_champions().prompts["reply"] == {"champion": None}
    # What is decided here afterwards holds there too.
    commands.promote(registries.db, registries.admin, SECOND.version)
    assert registries.follow() == 1
    assert registries.there() == Aliases(SECOND.version)


def test_a_registry_that_lost_everything_gets_the_champion_that_is_in_force(registries: Registries) -> None:
    commands.promote(registries.db, registries.admin, THIRD.version)
    registries.follow()
    with registries.tracker._client() as client:
        for version in client.search_prompt_versions("rejoinder-reply"):
            client.delete_prompt_version("rejoinder-reply", str(version.version))
        client.delete_prompt("rejoinder-reply")
    registries.follow()
    assert registries.here() == registries.there() == Aliases(THIRD.version)


def test_a_version_that_can_no_longer_be_used_is_champion_nowhere(
    registries: Registries, owner_db: Database
) -> None:
    registries.follow()
    registries.move_there("champion", SECOND.version)
    with owner_db.transaction() as tx:
        tx.connection.execute(
            "update prompt_version set body = 'its sections only' where version = %s", (SECOND.version,)
        )
    assert registries.follow() == 1
    assert registries.here() == registries.there() == Aliases(FIRST.version)
