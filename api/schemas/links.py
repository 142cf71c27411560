"""Shapes of what visitors did who came over a link of ours."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime, ConfigDict, Field, StringConstraints

from api.schemas.forms import STORABLE, Asked, Shape
from resources.store.conversions import Conversion, Kept

Name = Annotated[str, StringConstraints(min_length=1, max_length=200), STORABLE]
Kind = Annotated[str, StringConstraints(min_length=1, max_length=50), STORABLE]
Usd = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=11, decimal_places=4)]


class TellConversion(Asked):
    """Something that a visitor did."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "external_id": "order-4711",
                "link": "2b3c4d5f6g7h",
                "kind": "order",
                "value_usd": 12.5,
                "occurred_at": "2026-11-22T09:30:00Z",
            }
        }
    )

    external_id: Name = Field(description="Your own name of it: the same one is counted once.")
    link: Name = Field(description="The code that the visitor came with, or the whole address of the link.")
    kind: Kind = Field("conversion", description="What it was: sign-up, order, subscription.")
    value_usd: Usd = Field(Decimal(0), description="What it was worth, in US dollars.")
    occurred_at: AwareDatetime | None = Field(None, description="When it was; now if it is left out.")

    def conversion(self, now: datetime) -> Conversion:
        """The same as the store has it."""
        return Conversion(self.external_id, self.link, self.kind, self.value_usd, self.occurred_at or now)


class Told(Shape):
    """What became of it."""

    external_id: str
    outcome: Kept = Field(description="`recorded`, or `known` where it was told before.")
