"""A database as an earlier version left it, for tests of upgrades."""

import pytest

from resources import migrations
from resources.migrations import load_migrations, migrate
from resources.postgres import Database
from resources.provision import Addresses


def set_back(addresses: Addresses, owner_db: Database, monkeypatch: pytest.MonkeyPatch, *, last: int) -> None:
    """Empty the database and migrate it up to this migration only."""
    with owner_db.transaction() as tx:
        tx.connection.execute("drop owned by rejoinder_owner cascade")
        tx.connection.execute("create schema if not exists public")
    with monkeypatch.context() as patched:
        first = load_migrations()[:last]
        patched.setattr(migrations, "load_migrations", lambda: first)
        migrate(addresses.owner)
