"""What readers did after they followed a link of ours: told by the creator's own site, counted per publication."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from rejoinder.errors import ConfigInvalid, StaleView
from resources.postgres import Transaction

Kept = Literal["recorded", "known"]


class LinkCounts(NamedTuple):
    """What a publication's tracked links brought: visits without bots, conversions, and what those were worth."""

    visits: int
    conversions: int
    value_usd: float


@dataclass(frozen=True, slots=True)
class Conversion:
    """Something that a visitor did: external_id is the other side's own name of it, link a code or a whole address."""

    external_id: str
    link: str
    kind: str
    value_usd: Decimal
    occurred_at: datetime


def conversions_of(
    tx: Transaction, publication_ids: Sequence[int], *, age_s: int | None = None
) -> dict[int, LinkCounts]:
    """What each publication's tracked links brought, for every id that is asked for; zeros where there is none.

    A link counts for a publication whose words have it. Ask for those that stand: a reply that was taken back and
    approved again has its link in both.

    Args:
        tx: of the application.
        publication_ids: any number.
        age_s: conversions count that were at most so long after the reply was sent; None: all so far. Visits are
            counted by the day, and always all so far.
    """
    rows = tx.rows("conversions_of", publication_ids=list(publication_ids), age_s=age_s)
    return {
        row["publication_id"]: LinkCounts(row["visits"], row["conversions"], row["value_usd"]) for row in rows
    }


def with_tracked_links(tx: Transaction, publication_ids: Sequence[int]) -> list[int]:
    """Those of the publications whose words have a tracked link: of the others no conversion can ever be told."""
    rows = tx.rows("with_tracked_links", publication_ids=list(publication_ids))
    return [row["publication_id"] for row in rows]


def save_conversion(tx: Transaction, project_id: int, told: Conversion) -> Kept:
    """Write a conversion down, once for each external id.

    Raises:
        ConfigInvalid: the project has no such link.
        StaleView: another conversion has that external id.
    """
    link_id = tx.value("link_of_project", project_id=project_id, link=told.link)
    if link_id is None:
        fix = "Send the code that the visitor came with, or the whole address of the link."
        raise ConfigInvalid("No link of this project has that code.", fix=fix)
    values = {key: value for key, value in asdict(told).items() if key != "link"}
    if tx.row("save_conversion", project_id=project_id, link_id=link_id, **values):
        return "recorded"
    known = tx.rows("find_conversion", project_id=project_id, external_id=told.external_id)[0]
    if (known["link_id"], known["kind"], known["value_usd"]) != (link_id, told.kind, told.value_usd):
        raise StaleView(
            "a conversion with that external_id was told before, with another link, kind or value: "
            "it stays as it was"
        )
    return "known"
