"""A cheap look at MLflow's aliases: its table read directly, because importing mlflow takes seconds."""

import psycopg

from resources.provision import connect_admin

ALIASES = """
select md5(coalesce(string_agg(name || '/' || alias || '/' || version, ',' order by name, alias), ''))
from registered_model_aliases
"""


def alias_fingerprint(url: str) -> str | None:
    """A value that changes with any alias; None before MLflow has made its tables.

    Raises:
        ServiceUnavailable: the database cannot be reached.
    """
    with connect_admin(url) as connection:
        try:
            row = connection.execute(ALIASES).fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return str(row[0]) if row else None
