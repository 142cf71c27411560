"""How long visits of links are kept by day and by site; after that a month of a link is one number.

The day and the site that somebody came from say something of that somebody, where few come. Sums stay, so nothing that
was counted is lost; conversions are not touched.
"""

import logging
from datetime import UTC, date, datetime, timedelta

from resources.postgres import Database

FOLD_AT_ONCE = 50_000
log = logging.getLogger("rejoinder.compliance")


def utc_today() -> date:
    """The day by this machine's clock, UTC."""
    return datetime.now(UTC).date()


def fold_link_visits(db: Database, keep_days: int, today: date | None = None) -> int:
    """Fold the visits that are old enough; how many rows went into their months.

    Args:
        db: as the application's login.
        keep_days: visits of as many days before today are kept by day and by site.
        today: of the fold, UTC; the day by this machine's clock when None.
    """
    kept_from, n_folded, n_last = _kept_from(keep_days, today), 0, FOLD_AT_ONCE
    while n_last == FOLD_AT_ONCE:
        with db.transaction() as tx:
            n_last = int(tx.rows("fold_link_visits", kept_from=kept_from, top=FOLD_AT_ONCE)[0]["folded"])
        n_folded += n_last
    if n_folded:
        log.info("%d counts of link visits were folded into months", n_folded)
    return n_folded


def count_visits_to_fold(db: Database, keep_days: int, today: date | None = None) -> int:
    """How many counts are old enough to be folded."""
    with db.transaction() as tx:
        return int(tx.value("count_link_visits_to_fold", kept_from=_kept_from(keep_days, today)))


def _kept_from(keep_days: int, today: date | None) -> date:
    return (today or utc_today()) - timedelta(days=keep_days)
