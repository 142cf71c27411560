"""PostgreSQL going away in the middle of a run, as one error, whether our tables or Dagster's met it first."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import sqlalchemy.exc
from dagster_postgres.utils import DagsterPostgresException

from rejoinder.errors import ServiceUnavailable
from resources.postgres import outage


@contextmanager
def outages_in_words() -> Iterator[None]:
    """Run the block; what its database errors mean is put in words.

    Raises:
        ServiceUnavailable: PostgreSQL went away or its disk is full.
    """
    try:
        yield
    except psycopg.OperationalError as error:
        raise outage(error) from None
    except (sqlalchemy.exc.OperationalError, DagsterPostgresException) as error:
        raise ServiceUnavailable(
            f"PostgreSQL went away while Dagster wrote its log ({type(error).__name__}). "
            "What was committed stands: run it again."
        ) from None
