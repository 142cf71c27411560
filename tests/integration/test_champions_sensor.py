"""The sensor of aliases: it asks for a run when MLflow lacks what is here, and rests once it has it."""

from dataclasses import dataclass
from types import SimpleNamespace

import dagster as dg
import pytest

from rejoinder.prompts.loader import load_prompt, parse_prompt
from resources.postgres import Database
from resources.provision import Addresses
from resources.store import prompt_versions as store
from sensors import champions

FIRST = load_prompt("reply", 1)
SECOND = parse_prompt("reply.v2", FIRST.data + b"\n")


@dataclass
class Eye:
    """The sensor on one database; its cursor is kept between two looks as the daemon keeps it."""

    db: Database
    addresses: Addresses
    cursor: str | None = None

    def looks(self) -> int:
        """How many runs one look asks for."""
        bench = SimpleNamespace(db=self.db, addresses=self.addresses)
        with dg.DagsterInstance.ephemeral() as instance:
            context = dg.build_sensor_context(
                instance=instance, cursor=self.cursor, resources={"bench": bench}
            )
            asked = champions.champions_changed(context)
        self.cursor = context.cursor
        return len(asked.run_requests or []) if isinstance(asked, dg.SensorResult) else 0

    def tell_mlflow(self) -> None:
        """What the job leaves behind."""
        with self.db.transaction() as tx:
            tx.connection.execute("update prompt_version set registered_at = now()")
            tx.connection.execute("update prompt_alias set agreed = version")


@pytest.fixture
def eye(db: Database, addresses: Addresses) -> Eye:
    return Eye(db, addresses)


def test_new_prompts_and_moved_aliases_are_brought_once(eye: Eye) -> None:
    eye.looks()  # what MLflow has by now is seen
    assert eye.looks() == 0
    with eye.db.transaction() as tx:
        store.ensure_prompts(tx)
        store.store_prompt(tx, SECOND)
    assert eye.looks() == 1
    eye.tell_mlflow()
    assert eye.looks() == 0
    with eye.db.transaction() as tx:
        store.save_aliases(tx, "reply", store.Aliases(FIRST.version, SECOND.version))
    assert eye.looks() == 1
    eye.tell_mlflow()
    assert eye.looks() == 0
